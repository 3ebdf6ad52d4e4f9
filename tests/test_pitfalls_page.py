"""The Pitfalls page as a user meets it: predict, run, see, understand, undo (no browser)."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests import replies
from tests.simulated import comparison, hits
from tests.test_pages import texts
from tl_core import ingest, weights
from tl_core.events import Answered, Event, Progress
from tl_core.pitfalls import PITFALLS
from tl_core.record import Record
from tl_core.store import Comparison, Store
from tl_ui.state import Choice

Open = Callable[..., AppTest]
SIGNS, THREADS = "preprocessing", "negative_transfer"


def claim() -> tuple[Store, Comparison]:
    store = Store()
    job = store.claim()
    assert job is not None
    return store, job


def answer(at: AppTest, *events: Event) -> None:
    """End the next job of the queue with these events, and look again."""
    store, job = claim()
    store.append(job.id, events)
    store.finish(job.id, "done")
    store.close()
    at.run()
    assert not at.exception


def measured(found: Record) -> list[Event]:
    """The events of a made-up comparison, with the configuration that its job was asked with."""
    store, job = claim()
    store.give_back(job.id, front=True)
    store.close()
    return [msgspec.structs.replace(found.started, config=job.config), *found.ended.values()]


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


def kinds() -> Sequence[tuple[str, str]]:
    return [(job.kind, job.status) for job in Store().list()]


def test_every_pitfall_has_a_card_that_opens(app: Open) -> None:
    at = app("pitfalls")
    for pitfall in PITFALLS.values():
        assert pitfall.question in texts(at)
        assert not at.button(key=f"open_{pitfall.name}").disabled
    press(at, "open_overfitting")
    assert at.query_params["card"] in ("overfitting", ["overfitting"])
    said = texts(at)
    assert PITFALLS["overfitting"].predict in said
    assert at.button(key="open_overfitting").disabled
    press(at, "pitfall_close")
    assert "card" not in at.query_params
    assert PITFALLS["overfitting"].predict not in texts(at)


@pytest.mark.parametrize("name", PITFALLS)
def test_the_address_opens_a_card(app: Open, name: str) -> None:
    at = app("pitfalls", card=name)
    assert PITFALLS[name].predict in texts(at)
    assert len(at.button_group(key=f"guess_{name}").options) == len(PITFALLS[name].options)


def test_an_unknown_card_leaves_the_overview(app: Open) -> None:
    at = app("pitfalls", card="no such thing")
    assert "Each card is one way" in texts(at)


def test_predict_run_see_and_undo_without_touching_the_lab(app: Open) -> None:
    before = Choice(seeds=3)
    at = app("pitfalls", before, card=SIGNS)
    at.button_group(key=f"guess_{SIGNS}").set_value(0).run()
    assert "predicted" in texts(at)
    press(at, "pitfall_run")
    store = Store()
    (job,) = store.list()
    pitfall = PITFALLS[SIGNS]
    assert (job.kind, job.request) == (pitfall.experiment[0].kind, pitfall.experiment[0].request)
    assert job.config.data.fingerprint == ingest.sample(pitfall.sample).fingerprint
    assert job.config.backbone == weights.FIRST_MODEL
    assert at.progress[0].value == 0
    assert "pitfall_run" not in {button.key for button in at.button}
    at.run()
    assert len(store.list()) == 1
    costly = msgspec.structs.replace(replies.stress(), variants=replies.stress().variants[::-1])
    answer(at, Answered(answer=costly))
    said = texts(at)
    assert "It shows." in said and pitfall.remedy in said and pitfall.here in said
    assert "**Not what you predicted.**" in at.warning[0].value
    assert len(at.get("plotly_chart")) == 1
    assert at.button_group(key=f"guess_{SIGNS}").disabled
    press(at, "pitfall_undo")
    assert "It shows." not in texts(at)
    assert at.button_group(key=f"guess_{SIGNS}").value is None
    # What was measured once is kept: it is shown again, and nothing is computed.
    press(at, "pitfall_run")
    assert "It shows." in texts(at)
    assert len(store.list()) == 1
    assert at.session_state["choice"] == before


@pytest.mark.parametrize("guess, said", [(0, "right"), (1, "cannot be excluded")])
def test_the_prediction_is_judged_by_what_was_measured(app: Open, guess: int, said: str) -> None:
    at = app("pitfalls", card=SIGNS)
    at.button_group(key=f"guess_{SIGNS}").set_value(guess).run()
    press(at, "pitfall_run")
    # A loss of 0, -2 to +2 points: 2 begins the second option.
    answer(at, Answered(answer=replies.stress()))
    shown = [piece.value for piece in (*at.success, *at.info)]
    assert any(said in value for value in shown)
    assert "Not this time: the interval contains 0." in texts(at)
    assert PITFALLS[SIGNS].here not in texts(at)


def test_a_refresh_keeps_the_result_and_another_visitor_predicts_first(app: Open) -> None:
    at = app("pitfalls", card=SIGNS)
    press(at, "pitfall_run")
    answer(at, Answered(answer=replies.stress()))
    assert at.query_params["see"] in ("1", ["1"])
    assert "You made no prediction" in texts(at)
    again = app("pitfalls", card=SIGNS, see="1")
    assert "Not this time" in texts(again)
    visitor = app("pitfalls", card=SIGNS)
    assert "Not this time" not in texts(visitor)
    assert not visitor.button_group(key=f"guess_{SIGNS}").disabled


def test_parts_run_one_after_another_and_can_be_cancelled(app: Open) -> None:
    at = app("pitfalls", card="sensitivity")
    press(at, "pitfall_run")
    assert kinds() == [("compare", "queued")] * 3
    assert "Part 1 of 3" in at.get("progress")[0].proto.text
    rates = [job.config.learning_rate for job in Store().list()]
    answer(at, *measured(comparison({"partial_fine_tuning": hits(0.9, 1, seeds=1)})))
    assert "Part 2 of 3" in at.get("progress")[0].proto.text
    store, job = claim()
    store.append(job.id, [Progress(message="Reading images", fraction=0.5)])
    at.run()
    assert at.get("progress")[0].proto.text == "Part 2 of 3: Reading images"
    press(at, "pitfall_cancel_sensitivity")
    store.finish(job.id, "cancelled")
    at.run()
    assert [status for _, status in kinds()] == ["cancelled", "cancelled", "done"]
    # What had finished is not asked for again.
    press(at, "pitfall_run")
    assert len(kinds()) == 5
    assert sorted(job.config.learning_rate for job in store.list(active=True)) == sorted(rates)[1:]


def test_a_failed_part_says_why_and_runs_again(app: Open) -> None:
    at = app("pitfalls", card=SIGNS)
    press(at, "pitfall_run")
    store, job = claim()
    store.finish(job.id, "failed", "Memory ran out.")
    at.run()
    assert "Memory ran out" in texts(at)
    press(at, "pitfall_run")
    assert [job.status for job in store.list()] == ["queued", "failed"]


def test_what_could_not_be_measured_is_said(app: Open) -> None:
    at = app("pitfalls", card="source_bias")
    press(at, "pitfall_run")
    few = hits(0.9, 1, seeds=1, images=6)
    answer(at, *measured(comparison({"zero_shot": few, "feature_extraction": few})))
    assert any("too few test images" in info.value for info in at.info)


def test_classes_can_be_mixed_otherwise(app: Open) -> None:
    labels = np.repeat([0, 1], [80, 20])
    at = app("pitfalls", Choice(), card="label_shift")
    at.toggle(key="own_label_shift").set_value(True).run()
    press(at, "pitfall_run")
    right = (labels == 0).astype(float)[None]
    answer(at, *measured(comparison({"feature_extraction": right}, labels)))
    assert "−30.0 points" in texts(at)
    assert "With 80% ant the same model is right on **80.0%**" in texts(at)
    at.slider(key="pitfall_mixture").set_value(10).run()
    assert "With 10% ant the same model is right on **10.0%**" in texts(at)


def test_terms_are_looked_up_at_once(app: Open) -> None:
    at = app("pitfalls", card="licences")
    press(at, "pitfall_run")
    terms = next(frame.value for frame in at.dataframe if "Licence of the weights" in frame.value)
    assert "unclear" in terms["Commercial use"].tolist()
    assert "It shows." in texts(at)
    assert not kinds()


def test_a_card_runs_on_ones_own_data_where_that_is_another_set(app: Open) -> None:
    at = app("pitfalls", card=THREADS)
    toggle = at.toggle(key=f"own_{THREADS}")
    assert "Road signs" in toggle.label
    toggle.set_value(True).run()
    assert PITFALLS[THREADS].setting not in texts(at)
    press(at, "pitfall_run")
    (job,) = Store().list()
    assert job.config.data.fingerprint == ingest.sample("signs").fingerprint
    # The card's own sample is the chosen data set: nothing to choose.
    signs = app("pitfalls", card=SIGNS)
    assert f"own_{SIGNS}" not in {toggle.key for toggle in signs.toggle}


def test_the_grid_tells_how_far_one_has_come(app: Open) -> None:
    at = app("pitfalls", card=SIGNS)
    press(at, "pitfall_run")
    assert "running" in texts(at)
    answer(at, Answered(answer=replies.stress()))
    assert "seen" in texts(at)
    press(at, "pitfall_next")
    names = list(PITFALLS)
    after = names[names.index(SIGNS) + 1]
    assert at.query_params["card"] in (after, [after])
    assert "seen" in texts(at)


def test_a_copy_without_weights_says_so(app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "available", lambda model: [])
    at = app("pitfalls", card=SIGNS)
    assert "missing from this copy" in at.error[0].value
    assert "pitfall_run" not in {button.key for button in at.button}
