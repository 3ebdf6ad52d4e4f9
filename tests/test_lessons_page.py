"""The Lessons page, lesson links, the guess, the class and the big screen, without a browser."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from tests import scripted
from tests.simulated import comparison, hits
from tests.test_pages import texts
from tests.test_pitfalls_page import claim
from tl_core import ingest, weights
from tl_core.catalog import catalog
from tl_core.lessons import LESSONS
from tl_core.record import Record
from tl_core.store import Store, Tags
from tl_ui.state import Choice

Open = Callable[..., AppTest]
LESSON = LESSONS["learning_rate"]
SHOW = "show_everything"


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


def keys(at: AppTest) -> set[str | None]:
    return {button.key for button in at.button}


def address(at: AppTest, name: str) -> str | None:
    value = at.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def finish(found: Record) -> None:
    """End the next job of the queue as if it had measured this."""
    store, job = claim()
    start = msgspec.structs.replace(found.started, config=job.config)
    store.append(job.id, [start, *found.ended.values()])
    store.finish(job.id, "done")
    store.close()


def finish_all(at: AppTest, *accuracies: float) -> None:
    for seed, accuracy in enumerate(accuracies):
        finish(comparison({"full_fine_tuning": hits(accuracy, seed, seeds=1)}))
    at.run()
    assert not at.exception


# Lessons.


def test_every_lesson_has_a_card_that_opens(app: Open) -> None:
    at = app("lessons")
    for lesson in LESSONS.values():
        assert lesson.question in texts(at)
        assert not at.button(key=f"open_{lesson.name}").disabled
    press(at, "open_forgetting")
    assert address(at, "lesson") == "forgetting"
    assert LESSONS["forgetting"].predict in texts(at)
    assert at.button(key="open_forgetting").disabled
    press(at, "lesson_close")
    assert "lesson" not in at.query_params


@pytest.mark.parametrize("name", LESSONS)
def test_the_address_opens_a_lesson_from_any_page(app: Open, name: str) -> None:
    at = app("lab", lesson=name)
    assert LESSONS[name].predict in texts(at)
    assert len(at.button_group(key=f"lesson_guess_{name}").options) == len(LESSONS[name].options)


def test_going_on_to_another_lesson_does_not_set_the_links_plan_again(app: Open) -> None:
    at = app("lab", lesson=LESSON.name, seeds="3")
    at.session_state["choice"] = Choice(backbone=weights.default_model(), seeds=5)
    press(at, "lesson_next")
    assert at.session_state["choice"].seeds == 5


def test_an_unknown_lesson_is_said(app: Open) -> None:
    assert "Lesson in this link must be one of few_labels" in texts(app("lab", lesson="nope"))


def test_predict_run_reveal_and_go_on_without_touching_the_lab(app: Open) -> None:
    before = Choice(seeds=3)
    at = app("lessons", before, lesson=LESSON.name)
    at.button_group(key=f"lesson_guess_{LESSON.name}").set_value(2).run()
    press(at, "lesson_run")
    assert [job.status for job in Store().list()] == ["queued"] * 3
    assert LESSON.tied not in texts(at) and LESSON.more not in texts(at)
    finish_all(at, 0.5, 0.9, 0.9)
    said = texts(at)
    assert LESSON.more in said and LESSON.look[1:] in said and "Measured." in said
    assert LESSON.tied not in said
    assert len(at.get("plotly_chart")) == 1
    assert at.button_group(key=f"lesson_guess_{LESSON.name}").disabled
    links = [link.proto.label for link in at.get("page_link")]
    assert "Full result 3 in the Lab" in links
    press(at, "lesson_undo")
    assert LESSON.more not in texts(at)
    # What was measured once is taken: nothing is queued again.
    assert at.button(key="lesson_run").label == "Show the result"
    press(at, "lesson_run")
    assert LESSON.more in texts(at) and len(Store().list()) == 3
    assert at.session_state["choice"] == before


def test_a_tie_is_revealed_as_a_tie(app: Open) -> None:
    at = app("lessons", lesson=LESSON.name)
    press(at, "lesson_run")
    finish_all(at, 0.8, 0.8, 0.8)
    said = texts(at)
    assert "You made no prediction" in said
    assert (LESSON.tied in said) != (LESSON.more in said)
    same = app("lessons", lesson=LESSON.name, see="1")
    assert "You made no prediction" in texts(same)


def test_a_failed_part_says_why_and_runs_again(app: Open) -> None:
    at = app("lessons", lesson="few_labels")
    press(at, "lesson_run")
    store, job = claim()
    store.finish(job.id, "failed", "Memory ran out.")
    at.run()
    assert "Memory ran out" in texts(at)
    press(at, "lesson_run")
    assert [job.status for job in store.list()] == ["queued", "failed"]


def test_a_lesson_may_lead_to_a_pitfall_card(app: Open) -> None:
    at = app("lessons", lesson="leakage")
    assert "lesson_run" not in keys(at)
    (link,) = [one.proto for one in at.get("page_link") if "Open the card" in one.proto.label]
    assert "duplicates" in link.query_string


def test_a_copy_without_weights_says_so(app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "available", lambda model: [])
    at = app("lessons", lesson=LESSON.name)
    assert "missing from this copy" in at.error[0].value
    assert "lesson_run" not in keys(at)


# Links.


def test_a_link_sets_the_plan_and_can_be_undone(app: Open) -> None:
    before = Choice(seeds=5, steps=7)
    at = app("lab", before, strategies="zero_shot,feature_extraction", seeds="3", hide="plan")
    said = texts(at)
    assert "2 strategies, 3 seeds, quick budget" in said
    assert "This link set up what is compared." in said
    chosen = at.session_state["choice"]
    assert (chosen.strategies, chosen.steps) == (("zero_shot", "feature_extraction"), None)
    press(at, "flash_undo")
    assert at.session_state["choice"] == before


def test_what_a_person_changes_is_not_overwritten_by_the_link(app: Open) -> None:
    at = app("lab", seeds="3")
    at.button_group(key="setup_seeds").set_value(5).run()
    at.run()
    assert at.session_state["choice"].seeds == 5


def test_a_link_names_model_and_blocks(app: Open) -> None:
    row = catalog()[weights.FIRST_MODEL]
    names = [block.name for block in row.blocks]
    at = app("lab", model=row.name, frozen=",".join(names[:3]), forgetting="no")
    chosen = at.session_state["choice"]
    assert chosen.frozen == tuple(place < 3 for place in range(len(names)))
    assert chosen.probe is None
    assert "6 strategies" in texts(at)


def test_bad_and_unknown_parts_are_said_and_nothing_else_happens(app: Open) -> None:
    at = app("lab", seeds="99", weights="/etc/passwd")
    said = texts(at)
    assert "Seeds in this link must be a whole number from 1 to 5" in said
    assert "Not known in a link: weights" in said
    assert at.session_state["choice"] == Choice(backbone=weights.default_model())
    assert "flash_undo" not in keys(at)


@pytest.mark.parametrize(("control", "label"), [("data", "Change data"), ("model", "Change model")])
def test_links_hide_the_way_to_other_pages(app: Open, control: str, label: str) -> None:
    def shown(at: AppTest) -> bool:
        return label in [link.proto.label for link in at.get("page_link")]

    at = app("lab", hide=control)
    assert not shown(at)
    press(at, SHOW)
    assert shown(at) and SHOW not in keys(at)
    assert "hide" not in at.query_params


def test_links_hide_plan_guess_and_recording(app: Open) -> None:
    at = app("lab", hide="plan,guess,recorded")
    known = {group.key for group in at.get("button_group")}
    assert not known & {"setup_seeds", "guess_pills"}
    assert "replay_button" not in keys(at)
    press(at, SHOW)
    known = {group.key for group in at.get("button_group")}
    assert {"setup_seeds", "guess_pills"} <= known
    assert "replay_button" in keys(at)


def test_the_layer_table_can_be_hidden(app: Open) -> None:
    hidden, plain = app("model", hide="layers"), app("model")
    assert "layers_upto" not in {one.key for one in hidden.slider}
    assert "layers_upto" in {one.key for one in plain.slider}


def test_the_lab_writes_its_set_up_as_a_link_that_opens_it(app: Open) -> None:
    chosen = Choice(
        backbone=weights.FIRST_MODEL,
        strategies=("feature_extraction", "from_scratch"),
        seeds=3,
        class_balance="weights",
        probe=None,
    )
    at = app("lab", chosen)
    at.button_group(key="teach_hide").set_value(["plan", "recorded"]).run()
    at.text_input(key="teach_class").set_value("7b").run()
    assert not at.exception
    query = dict(parse_qsl(urlsplit(at.code[0].value).query))
    assert query["class"] == "7b" and query["hide"] == "plan,recorded"
    there = app("lab", **query)
    dataset = ingest.sample(next(iter(ingest.SAMPLES))).fingerprint
    opened = there.session_state["choice"]
    for field in ("backbone", "strategies", "seeds", "class_balance", "probe"):
        assert getattr(opened, field) == getattr(chosen, field)
    assert opened.dataset == dataset


# Guess first.


def test_a_guess_travels_with_the_comparison_and_is_answered(app: Open) -> None:
    at = app("lab")
    at.button_group(key="guess_pills").set_value("full_fine_tuning").run()
    press(at, "start")
    (job,) = Store().list()
    assert job.tags == Tags(guess="full_fine_tuning")
    right = {"feature_extraction": hits(0.9, 1, seeds=1), "full_fine_tuning": hits(0.3, 2, seeds=1)}
    finish(comparison(right))
    at.run()
    assert "You guessed full fine-tuning; feature extraction is recommended" in texts(at)


def test_a_guess_is_optional_and_of_the_chosen_strategies(app: Open) -> None:
    at = app("lab")
    at.button_group(key="guess_pills").set_value("zero_shot").run()
    at.button_group(key="setup_strategies").set_value(["feature_extraction", "from_scratch"]).run()
    assert at.button_group(key="guess_pills").value is None
    press(at, "start")
    (job,) = Store().list()
    assert job.tags == Tags()


# A class.


def measured(store: Store, who: str, code: str, guess: str = "") -> str:
    scenario = scripted.Scenario(seeds=1)
    tags = Tags(class_code=code, participant=who, guess=guess)
    job = store.create(scripted.config(scenario), scenario.name, tags=tags)
    store.claim()
    store.append(job, scripted.events(scenario))
    store.finish(job, "done")
    return job


def test_jobs_of_a_class_are_marked_and_listed_side_by_side(app: Open) -> None:
    store = Store()
    measured(store, "Ada", "7b", "full_fine_tuning")
    measured(store, "**Bob** <b>", "7b", "full_fine_tuning")
    measured(store, "Cyd", "8c", "zero_shot")
    at = app("lessons", **{"class": "7b", "name": "Eve"})
    assert at.dataframe[0].value["Recommended"].isna().all()
    at.run()
    said = texts(at)
    assert "Class 7b: 2 participants, 2 comparisons" in said.replace("*", "")
    assert "visible to everyone" in said
    table, counts = (frame.value for frame in at.dataframe)
    assert len(table) == 2
    assert table["Participant"].tolist() == ["**Bob** <b>", "Ada"]
    assert table["Guess"].tolist() == ["Full fine-tuning"] * 2
    assert table["Recommended"].tolist() == ["Feature extraction"] * 2
    assert table["Test accuracy (95%)"].str.contains(" to ").all()
    assert table["Forgot most (95%)"].str.startswith("Full fine-tuning: ").all()
    assert counts.values.tolist() == [["Feature extraction", 0, 2], ["Full fine-tuning", 2, 0]]


def test_a_large_class_is_summed_up_little_by_little(app: Open) -> None:
    store = Store()
    for number in range(5):
        measured(store, f"P{number}", "big")
    at = app("lessons", **{"class": "big"})
    counts = []
    for _look in range(4):
        counts.append(int(at.dataframe[0].value["Recommended"].notna().sum()))
        at.run()
    assert counts == [0, 2, 4, 5]


def test_in_a_class_everyone_has_a_comparison_of_their_own(app: Open) -> None:
    first = app("lessons", lesson="few_labels", **{"class": "7b", "name": "Ada"})
    first.button_group(key="lesson_guess_few_labels").set_value(1).run()
    press(first, "lesson_run")
    second = app("lessons", lesson="few_labels", **{"class": "7b", "name": "Bob"})
    press(second, "lesson_run")
    marks = [job.tags for job in Store().list()]
    predicted = LESSONS["few_labels"].options[1]
    assert marks == [
        Tags(class_code="7b", participant="Bob"),
        Tags(class_code="7b", participant="Ada", guess=predicted),
    ]
    again = app("lessons", lesson="few_labels", **{"class": "7b", "name": "Ada"})
    press(again, "lesson_run")
    outside = app("lessons", lesson="few_labels")
    press(outside, "lesson_run")
    assert len(Store().list()) == 2


def test_a_nickname_is_typed_and_the_class_can_be_left_and_rejoined(app: Open) -> None:
    at = app("lab", **{"class": "7b"})
    at.text_input(key="workshop_name").set_value("Zoë").run()
    press(at, "start")
    (job,) = Store().list()
    assert job.tags == Tags(class_code="7b", participant="Zoë")
    press(at, "class_leave")
    assert "workshop_name" not in {one.key for one in at.text_input}
    press(at, "flash_undo")
    assert at.text_input(key="workshop_name").value == "Zoë"


# The big screen and the glossary.


def styles(at: AppTest) -> list[str]:
    """The rules that enlarge text."""
    rules = [one.proto.body for one in at.get("html") if "<style>" in one.proto.body]
    return [rule for rule in rules if "font-size" in rule]


def test_the_big_screen_is_one_rule_that_comes_and_goes(app: Open) -> None:
    at = app("pitfalls")
    assert not styles(at)
    at.toggle(key="big_screen_toggle").set_value(True).run()
    (rule,) = styles(at)
    assert "font-size: 135%" in rule
    at.switch_page("pages/lab.py").run()
    assert styles(at)
    at.toggle(key="big_screen_toggle").set_value(False).run()
    assert not styles(at)
    assert styles(app("lab", screen="big"))


def test_the_glossary_is_searched_on_every_page(app: Open) -> None:
    at = app("history")
    at.text_input(key="glossary_search").set_value("frozen backbone").run()
    said = texts(at)
    assert "Feature extraction." in said and "GFLOPs" not in said
