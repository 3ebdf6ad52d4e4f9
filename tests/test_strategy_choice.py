"""Which strategies are compared: five as a row, the others beyond them, and why some cannot run."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.test_lab_page import text
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES
from tl_ui.state import Choice
from tl_ui.strategy_choice import BEYOND

Open = Callable[..., AppTest]


def strategies(at: AppTest) -> tuple[str, ...]:
    found: tuple[str, ...] = at.session_state["choice"].strategies
    return found


def test_every_strategy_beyond_the_five_says_in_a_line_what_it_does(app: Open) -> None:
    at = app("lab")
    assert f"5 of {len(STRATEGIES)} chosen" in text(at)
    assert len(BEYOND) == len(STRATEGIES) - 5
    for name in BEYOND:
        assert STRATEGIES[name].summary in at.checkbox(key=f"strategy_{name}").label


def test_one_more_all_and_back_to_the_five(app: Open) -> None:
    at = app("lab")
    at.checkbox(key="strategy_lora").check().run()
    assert strategies(at) == (*TEXTBOOK_STRATEGIES, "lora")
    at.button(key="strategies_all").click().run()
    assert strategies(at) == tuple(STRATEGIES)
    assert f"{len(STRATEGIES)} of {len(STRATEGIES)} chosen" in text(at)
    at.button(key="strategies_five").click().run()
    assert strategies(at) == TEXTBOOK_STRATEGIES
    assert at.button(key="strategies_five").disabled
    assert not at.checkbox(key="strategy_lora").value


def test_what_learns_from_source_images_is_shown_without_but_cannot_be_chosen(
    app: Open,
) -> None:
    at = app("lab", Choice(strategies=("feature_extraction", "ewc"), probe=None))
    box = at.checkbox(key="strategy_ewc")
    assert box.disabled and not box.value
    assert "labelled source images" in box.label
    assert "Left out: EWC measures on labelled source images" in text(at)
    assert "1 strategy," in text(at)
    rehearsal = at.checkbox(key="strategy_rehearsal")
    assert rehearsal.disabled and "practises on labelled source images" in rehearsal.label
    # It stays wished for: with source images it is back.
    at.checkbox(key="strategy_l2_sp").check().run()
    assert strategies(at) == ("feature_extraction", "l2_sp", "ewc")


def test_a_model_without_normalisation_layers_refuses_norm_only(app: Open) -> None:
    at = app("lab", Choice(backbone="squeezenet1_1", probe=None))
    assert at.checkbox(key="strategy_norm_only").disabled
    assert "has no normalisation layers" in at.checkbox(key="strategy_norm_only").label
    assert not at.checkbox(key="strategy_bias_only").disabled
