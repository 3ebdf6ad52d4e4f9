"""Undo: every changed setting can be taken back where it was changed, one change at a time."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tl_core import ingest, weights
from tl_core.config import DRAWN
from tl_ui.state import Choice

Open = Callable[..., AppTest]
PLAN = "undo_plan"


def choice(at: AppTest) -> Choice:
    found: Choice = at.session_state["choice"]
    return found


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("setup_strategies", ["zero_shot", "from_scratch"], "strategies"),
        ("setup_seeds", 3, "seeds"),
        ("setup_budget", "standard", "budget"),
        ("setup_balance", "weights", "class_balance"),
    ],
)
def test_a_change_of_the_plan_is_taken_back(app: Open, key: str, value: object, field: str) -> None:
    at = app("lab")
    before = choice(at)
    assert at.button(key=PLAN).disabled
    at.button_group(key=key).set_value(value).run()
    assert getattr(choice(at), field) != getattr(before, field)
    press(at, PLAN)
    assert choice(at) == before
    assert at.button(key=PLAN).disabled


def test_several_changes_are_taken_back_one_by_one_and_others_stay(app: Open) -> None:
    at = app("lab")
    at.button_group(key="setup_seeds").set_value(3).run()
    at.button_group(key="setup_budget").set_value("standard").run()
    at.switch_page("pages/data.py").run()
    at.button(key="probe_off").click().run()
    at.switch_page("pages/lab.py").run()
    press(at, PLAN)
    assert (choice(at).seeds, choice(at).budget, choice(at).probe) == (3, "quick", None)
    press(at, PLAN)
    assert (choice(at).seeds, choice(at).budget, choice(at).probe) == (1, "quick", None)
    assert at.button(key=PLAN).disabled


def test_an_adopted_learning_rate_comes_back(app: Open) -> None:
    at = app("lab", Choice(backbone=weights.FIRST_MODEL, steps=30, learning_rate=0.01))
    [reset] = [one for one in at.button if one.label == "Use the budget's own"]
    reset.click().run()
    assert choice(at).steps is None
    press(at, PLAN)
    assert (choice(at).steps, choice(at).learning_rate) == (30, 0.01)


def test_layers_by_slider_and_preset_are_taken_back(app: Open) -> None:
    at = app("model")
    assert at.button(key="undo_layers").disabled
    first = at.slider(key="layers_upto").value
    at.slider(key="layers_upto").set_value(1).run()
    press(at, "preset_full_fine_tuning")
    assert at.slider(key="layers_upto").value == 0
    press(at, "undo_layers")
    assert at.slider(key="layers_upto").value == 1
    press(at, "undo_layers")
    assert at.slider(key="layers_upto").value == first
    assert at.button(key="undo_layers").disabled


def test_layers_in_use_follow_the_undo(app: Open) -> None:
    at = app("model")
    at.toggle(key="layers_use").set_value(True).run()
    before = choice(at).frozen
    at.slider(key="layers_upto").set_value(1).run()
    assert choice(at).frozen != before
    press(at, "undo_layers")
    assert choice(at).frozen == before


def test_the_class_map_is_taken_back(app: Open) -> None:
    at = app("model")
    data = ingest.sample(next(iter(ingest.SAMPLES)))
    key = f"map_sources_{data.fingerprint[:8]}_0"
    assert at.button(key="undo_class_map").disabled
    shown = list(at.multiselect(key=key).value)
    at.multiselect(key=key).set_value([1, 2]).run()
    assert choice(at).class_map == {data.classes[0]: (1, 2)}
    press(at, "undo_class_map")
    assert choice(at).class_map == {}
    assert list(at.multiselect(key=key).value) == shown


def test_another_model_is_taken_back_with_all_that_went_with_it(app: Open) -> None:
    at = app("model", Choice(backbone="resnet18", frozen=(True,) * 5))
    before = choice(at)
    at.selectbox(key="model_name").set_value("vit_b_16").run()
    assert choice(at).frozen is None
    press(at, "flash_undo")
    assert choice(at) == before


def test_another_sample_is_taken_back(app: Open) -> None:
    at = app("data")
    before = choice(at).dataset
    press(at, "sample_digits")
    assert choice(at).dataset == ingest.sample("digits").fingerprint
    press(at, "flash_undo")
    assert choice(at).dataset == before


def test_source_images_are_taken_back(app: Open) -> None:
    at = app("data")
    press(at, "probe_off")
    press(at, "flash_undo")
    assert choice(at).probe == DRAWN
