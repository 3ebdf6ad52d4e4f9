"""The Lab page in all its states, driven by scripted events in a real store."""

import json
import re
from pathlib import Path

import msgspec
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from tests import scripted
from tl_core import ingest, weights
from tl_core.catalog import catalog
from tl_core.config import DRAWN, ComparisonConfig
from tl_core.events import Event, RunEnded
from tl_core.ingest import edits, source_probe
from tl_core.record import record
from tl_core.speeds import measured_speeds
from tl_core.store import QUEUE_LIMIT, Store
from tl_core.weights import WeightsFile
from tl_ui import launch
from tl_ui.state import Choice

APP = str(Path(__file__).resolve().parents[1] / "app.py")


@pytest.fixture
def store(sampled_home: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of an empty data directory on which no runner works."""
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)
    return Store()


@pytest.fixture
def with_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that the default model's weights are here."""
    file = WeightsFile(
        model="resnet18",
        sha256="a" * 64,
        path="",
        origin="own file",
        name="test",
        megabytes=45.0,
        added="",
    )
    monkeypatch.setattr(weights, "available", lambda model: [file] if model == "resnet18" else [])


def open_lab(job: str | None = None, choice: Choice | None = None) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=30)
    if choice is not None:
        page.session_state["choice"] = choice
    if job is not None:
        page.query_params["job"] = job
    page.run()
    assert not page.exception
    return page


def put(
    store: Store,
    scenario: scripted.Scenario | None = None,
    *,
    upto: int | None = None,
    end: str | None = "done",
    reason: str = "",
) -> str:
    scenario = scenario or scripted.Scenario()
    job = store.create(scripted.config(scenario), scenario.name)
    store.claim()
    store.append(job, scripted.events(scenario)[:upto])
    if end:
        store.finish(job, end, reason)
    return job


def after_runs(events: list[Event], number: int) -> int:
    """Return how many events there are up to the end of the n-th run."""
    return [place for place, e in enumerate(events) if isinstance(e, RunEnded)][number - 1] + 1


def text(page: AppTest) -> str:
    """Return everything that is written on the page."""
    kinds = (page.markdown, page.caption, page.header, page.error, page.warning, page.info)
    said = [element.value for kind in kinds for element in kind]
    said += [element.proto.body for element in page.get("html")]
    return "\n".join(said).replace("\\", "")


def button(page: AppTest, label: str) -> object:
    found = [one for one in page.button if one.label == label]
    assert len(found) == 1, [one.label for one in page.button]
    return found[0]


def charts(page: AppTest, kind: str) -> list:
    return list(page.get(kind))


# Before a run.


def test_it_opens_with_everything_chosen(store: Store, with_weights: None) -> None:
    page = open_lab()
    assert page.header[0].value == (
        "Which way of reusing a trained model works best on your images?"
    )
    assert not button(page, "Compare strategies").disabled
    said = text(page)
    assert "5 strategies, 1 seed, quick budget" in said
    assert "400 test images: gaps under about 3 points will look like ties" in said
    assert "Always guessing the largest class 12%" in said
    assert len(charts(page, "vega_lite_chart")) == 1
    assert not charts(page, "plotly_chart")


def test_without_weights_the_button_says_why_and_there_are_two_ways_out(store: Store) -> None:
    page = open_lab(choice=Choice(backbone="mobilenet_v3_small"))
    assert button(page, "Compare strategies").disabled
    assert "weights of MobileNetV3 small are not on this machine yet" in text(page)
    assert {"Download", "Own file"} <= {one.label for one in page.button}


def test_a_full_queue_is_a_reason(store: Store, with_weights: None) -> None:
    for _number in range(QUEUE_LIMIT):
        store.create(scripted.config(scripted.Scenario()), "waiting")
    page = open_lab()
    assert button(page, "Compare strategies").disabled
    assert f"already have {QUEUE_LIMIT} comparisons waiting" in text(page)


def test_no_strategy_is_a_reason(store: Store, with_weights: None) -> None:
    page = open_lab()
    page.button_group(key="setup_strategies").set_value([]).run()
    assert button(page, "Compare strategies").disabled
    assert "Choose at least one strategy" in text(page)


def test_seeds_change_estimate_and_power(store: Store, with_weights: None) -> None:
    page = open_lab()
    page.button_group(key="setup_seeds").set_value(3).run()
    said = text(page)
    assert "5 strategies, 3 seeds, quick budget" in said
    assert "400 test images: gaps under about 3 points will look like ties" in said


def test_pressing_the_button_queues_what_was_chosen(store: Store, with_weights: None) -> None:
    page = open_lab()
    page.button_group(key="setup_seeds").set_value(3).run()
    button(page, "Compare strategies").click().run()
    assert not page.exception
    [job] = store.list()
    assert page.query_params["job"] in (job.id, [job.id])
    config = job.config
    assert isinstance(config, ComparisonConfig)
    sample = ingest.sample(next(iter(ingest.SAMPLES)))
    assert (config.data.fingerprint, config.seeds) == (sample.fingerprint, 3)
    assert config.weights_sha256 == "a" * 64
    assert config.strategies[0].name == "zero_shot"
    assert page.header[0].value.startswith("Waiting to compare 5 strategies")


def test_the_bundled_model_is_ready_and_measures_forgetting(store: Store) -> None:
    """With nothing chosen and nothing there: the first click of a first start."""
    page = open_lab()
    assert "forgetting on 1,000 source images, drawn here" in text(page)
    button(page, "Compare strategies").click().run()
    [job] = store.list()
    config = job.config
    assert isinstance(config, ComparisonConfig)
    row = catalog()[weights.FIRST_MODEL]
    assert (config.backbone, config.weights_sha256) == (row.name, row.weights.sha256)
    assert config.data.probe == source_probe.probe_of(row)
    assert config.data.probe_name == source_probe.NAME


def test_forgetting_can_be_left_out(store: Store) -> None:
    page = open_lab(choice=Choice(probe=None))
    assert "drift only, no source images" in text(page)
    button(page, "Compare strategies").click().run()
    [job] = store.list()
    assert job.config is not None
    assert job.config.data.probe is None


def test_a_comparison_made_once_more_keeps_its_source_images(store: Store, monkeypatch) -> None:
    chosen: dict[str, object] = {}
    monkeypatch.setattr(launch, "choose", lambda **changes: chosen.update(changes))
    monkeypatch.setattr(launch, "leave", lambda: None)
    asked = scripted.config(scripted.Scenario())
    drawn = source_probe.probe_of(catalog()[weights.FIRST_MODEL])
    for backbone, probe, expected in (
        ("resnet18", "e" * 64, "e" * 64),
        ("resnet18", None, DRAWN),
        (weights.FIRST_MODEL, drawn, DRAWN),
        (weights.FIRST_MODEL, None, None),
    ):
        data = msgspec.structs.replace(asked.data, probe=probe)
        launch.adopt(msgspec.structs.replace(asked, backbone=backbone, data=data))
        assert chosen["probe"] == expected


def test_a_deleted_comparison_is_said_and_leads_to_the_setup(store: Store) -> None:
    page = open_lab("0" * 32)
    assert "no longer here" in text(page)
    assert button(page, "Compare strategies")


# While it runs.


def test_a_waiting_job_says_its_place(store: Store) -> None:
    config = scripted.config(scripted.Scenario())
    store.create(config, "first")
    job = store.create(config, "second")
    page = open_lab(job)
    assert page.get("progress")[0].proto.text == "Place 2 in the queue: 1 job before it"


def test_progress_cards_and_lines_fill_in_as_runs_end(store: Store) -> None:
    script = scripted.events()
    job = put(store, upto=1, end=None)
    page = open_lab(job)
    assert page.get("progress")[0].proto.text.startswith("Run 1 of 18")
    assert "%</b>" not in text(page)
    done = 1
    for number, title in ((2, "Feature extraction"), (3, "Partial fine-tuning")):
        upto = after_runs(script, number)
        store.append(job, script[done:upto])
        done = upto
        page.run()
        assert not page.exception
        assert page.get("progress")[0].proto.text.startswith(f"Run {number + 1} of 18")
        card = next(p for p in text(page).split('role="listitem"') if f">{title}<" in p)
        assert "%</b>" in card
    assert "Feature extraction 90%" in text(page)
    assert not charts(page, "plotly_chart")


def test_a_half_finished_run_shows_its_step_and_time_to_go(store: Store) -> None:
    script = scripted.events()
    job = put(store, upto=after_runs(script, 2) + 4, end=None)
    page = open_lab(job)
    said = text(page)
    assert "training, step 12 of 60" in said
    assert " so far · about " in said and " to go" in said


def test_the_live_chart_keeps_its_identity(store: Store) -> None:
    script = scripted.events()
    job = put(store, upto=after_runs(script, 2) + 3, end=None)
    page = open_lab(job)
    before = charts(page, "vega_lite_chart")[0].proto
    store.append(job, script[after_runs(script, 2) + 3 : after_runs(script, 3)])
    page.run()
    later = charts(page, "vega_lite_chart")[0].proto
    assert (before.spec, before.id) == (later.spec, later.id)
    assert before.SerializeToString() != later.SerializeToString()


def test_the_toggle_shows_forgetting_and_both(store: Store) -> None:
    script = scripted.events()
    job = put(store, upto=after_runs(script, 3), end=None)
    page = open_lab(job)
    page.button_group(key="chart_view").set_value("both").run()
    assert len(charts(page, "vega_lite_chart")) == 2
    page.button_group(key="chart_view").set_value("change").run()
    [chart] = charts(page, "vega_lite_chart")
    assert "Source accuracy lost (points)" in chart.proto.spec


def test_cancel_asks_the_runner(store: Store) -> None:
    job = put(store, upto=5, end=None)
    page = open_lab(job)
    page.button(key="live_cancel").click().run()
    assert store.cancel_requested(job)
    assert page.button(key="live_cancel").disabled


def test_the_end_turns_the_page_into_the_result(store: Store) -> None:
    script = scripted.events()
    job = put(store, upto=len(script) - 2, end=None)
    page = open_lab(job)
    store.append(job, script[-2:])
    store.finish(job, "done")
    page.run()
    assert not page.exception
    assert page.header[0].value.startswith("Use ")
    assert charts(page, "plotly_chart") and not charts(page, "vega_lite_chart")


# After it.


def test_the_verdict_leads_and_every_sentence_has_numbers_and_the_command(store: Store) -> None:
    page = open_lab(put(store))
    assert page.header[0].value == "Use feature extraction"
    said = text(page)
    assert "forgot nothing" in said and "Would change if" in said
    commands = [element.value for element in page.code if " compare " in element.value]
    assert set(commands) == {"python -m tl_core compare sample:digits --seeds 3 --budget quick"}
    assert len(commands) >= 5


def test_the_finished_chart_takes_the_live_charts_height(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights: dict[str, int] = {}

    def spy(name: str) -> None:
        draw = getattr(streamlit, name)

        def drawn(*args: object, **options: object) -> object:
            heights[str(options["key"])] = options["height"]
            return draw(*args, **options)

        monkeypatch.setattr(streamlit, name, drawn)

    spy("vega_lite_chart")
    spy("plotly_chart")
    open_lab(put(store, upto=after_runs(scripted.events(), 3), end=None))
    open_lab(put(store))
    assert heights["chart_live_accuracy"] == heights["chart_finished_accuracy"] > 0


def test_the_table_has_measured_and_textbook_columns(store: Store) -> None:
    page = open_lab(put(store))
    frame = page.dataframe[0].value
    assert frame.iloc[0]["Standing"] == "recommended"
    assert {"Test accuracy", "Forgetting", "Learning rate", "Textbook: labels"} <= set(frame)
    config = json.loads(page.dataframe[0].proto.columns)
    assert all(config[name].get("help") for name in frame.columns)


def test_the_source_line_names_what_forgetting_was_measured_on(store: Store) -> None:
    said = text(open_lab(put(store)))
    assert "4 of 1,000 source classes, 40 images; the original model gets 80.0%" in said


def test_without_a_probe_nothing_is_called_forgetting(store: Store) -> None:
    page = open_lab(put(store, scripted.Scenario(probe=0)))
    frame = page.dataframe[0].value
    assert not [name for name in frame if "orget" in name]
    said = text(page)
    assert "is called drift" in said
    assert "forgot" not in said.replace("never forgetting", "")


def test_from_scratch_never_had_the_skill(store: Store) -> None:
    page = open_lab(put(store))
    (card,) = [h.proto.body for h in page.get("html") if "never had the source" in h.proto.body]
    assert "%</b>" in card and "forgot" not in card


def test_a_cancelled_comparison_keeps_and_labels_what_it_has(store: Store) -> None:
    upto = after_runs(scripted.events(), 3) + 4
    page = open_lab(put(store, upto=upto, end="cancelled"))
    said = text(page)
    assert page.header[0].value == "Use feature extraction"
    assert "partial results" in said and "recommended so far" in said
    assert page.dataframe[0].value.set_index("Strategy").loc["Full fine-tuning", "Standing"] == (
        "not run"
    )


def test_continue_puts_it_back_into_the_queue(store: Store) -> None:
    job = put(store, upto=after_runs(scripted.events(), 3), end="cancelled")
    page = open_lab(job)
    button(page, "Continue").click().run()
    assert not page.exception
    assert store.get(job).status == "queued"
    assert page.header[0].value.startswith("Waiting")


def test_a_failed_comparison_shows_its_reason_as_text(store: Store) -> None:
    reason = "The training process ended: **bold** <b>x</b> ![](http://example.org/x.png)"
    page = open_lab(put(store, upto=0, end="failed", reason=reason))
    assert page.header[0].value == "This comparison failed"
    shown = page.error[0].value
    assert r"\*\*bold" in shown and r"\!\[" in shown
    assert button(page, "Continue")
    assert not charts(page, "plotly_chart")


def test_failed_runs_are_shown_with_their_reason(store: Store) -> None:
    page = open_lab(put(store, scripted.Scenario(fails="full_fine_tuning", seeds=1)))
    assert "Full fine-tuning, seed 1 failed" in text(page)
    assert "not enough memory" in page.warning[0].value
    assert "some runs failed" in text(page)


def test_more_seeds_start_a_new_comparison_of_the_same_settings(store: Store) -> None:
    job = put(store)
    page = open_lab(job)
    more = next(one for one in page.button if one.label.startswith("2 more seeds, about "))
    more.click().run()
    newest = store.list()[0]
    assert newest.id != job and newest.config.seeds == 5
    assert newest.config.strategies == store.get(job).config.strategies


def test_a_given_split_is_not_offered_more_seeds(store: Store) -> None:
    page = open_lab(put(store, scripted.Scenario(given_split=True)))
    assert not [one for one in page.button if "more seeds" in one.label]


def test_change_one_thing_takes_the_settings_to_the_setup(store: Store, with_weights: None) -> None:
    sample = ingest.sample(next(iter(ingest.SAMPLES)))
    chosen = scripted.Scenario(fingerprint=sample.fingerprint)
    page = open_lab(put(store, chosen))
    button(page, "Change one thing").click().run()
    assert not page.exception
    assert "job" not in page.query_params
    assert "5 strategies, 3 seeds, quick budget" in text(page)


def test_hostile_names_stay_text(store: Store) -> None:
    name = "<img src=x onerror=alert(1)> ![x](http://example.org) $x$ :red[y]"
    page = open_lab(put(store, scripted.Scenario(name=name), upto=2, end=None))
    for element in (*page.header, *page.caption, *page.markdown):
        assert not re.search(r"(?<!\\)(<img|!\[|\]\(|\$|:red)", element.value)
    for element in page.get("html"):
        assert "<img" not in element.proto.body


def test_the_speed_of_a_finished_comparison_is_remembered(store: Store) -> None:
    open_lab(put(store))
    found = measured_speeds(record(scripted.events()))
    assert found and store.speeds("flops_per_second/resnet18/cpu") == found


# Data that were changed since.


def test_a_comparison_of_data_that_were_changed_says_so(store: Store) -> None:
    sample = ingest.sample(next(iter(ingest.SAMPLES)))
    job = put(store, scripted.Scenario(fingerprint=sample.fingerprint))
    assert "data changed since" not in text(open_lab(job))
    edits.drop(sample, [0])
    assert "data changed since" in text(open_lab(job))


# Rare classes.


def put_with(store: Store, **changes: object) -> str:
    """Put a finished comparison whose configuration and classes' sizes are changed."""
    scenario = scripted.Scenario(seeds=1)
    wanted = msgspec.structs.replace(scripted.config(scenario), **changes)
    started, *rest = scripted.events(scenario)
    counts = msgspec.structs.replace(started.dataset, class_counts=(90, *[30] * 9))
    started = msgspec.structs.replace(started, config=wanted, dataset=counts)
    job = store.create(wanted, scenario.name)
    store.claim()
    store.append(job, [started, *rest])
    store.finish(job, "done")
    return job


def test_classes_of_unequal_size_can_be_made_up_for_and_the_effect_is_measured(
    store: Store,
) -> None:
    plain = put_with(store)
    page = open_lab(plain)
    button(page, "Measure with every class drawn equally often").click().run()
    asked = next(job for job in store.list() if job.id != plain)
    assert asked.config.class_balance == "sampling"
    assert asked.config.seeds == 1
    store.finish(asked.id, "cancelled")
    put_with(store, class_balance="sampling")
    page = open_lab(plain)
    effect = next(frame.value for frame in page.dataframe if "Its recall" in frame.value)
    assert effect["Strategy"].iloc[0] == "Zero-shot transfer"
    assert set(effect["Accuracy"]) == {"0.0 (0.0 to 0.0)"}


def test_with_equal_classes_nothing_is_offered(store: Store) -> None:
    page = open_lab(put(store))
    assert not [one for one in page.button if one.label.startswith("Measure with")]


def test_an_adopted_comparison_keeps_what_it_fixes_until_told_otherwise(
    store: Store, with_weights: None
) -> None:
    sample = ingest.sample(next(iter(ingest.SAMPLES)))
    data = msgspec.structs.replace(
        scripted.config(scripted.Scenario()).data, fingerprint=sample.fingerprint
    )
    page = open_lab(
        put_with(store, data=data, steps=17, learning_rate=2e-3, class_balance="weights")
    )
    button(page, "Change one thing").click().run()
    assert "17 steps, learning rate 0.002, rare classes made up for" in text(page)
    button(page, "Use the budget's own").click().run()
    assert "quick budget, rare classes made up for" in text(page)
    chosen = page.session_state["choice"]
    assert (chosen.steps, chosen.learning_rate, chosen.class_balance) == (None, None, "weights")
