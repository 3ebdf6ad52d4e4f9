"""The What-if page: before a sweep, while it runs, when it has ended, and all that was measured."""

from dataclasses import replace

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from tests import scripted, scripted_sweeps
from tests.scripted import Scenario
from tests.test_closer_looks import look
from tests.test_lab_page import APP, button, charts, store, text
from tl_core import ingest, sweep_points
from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.events import ComparisonEnded, PointStarted, RunStarted
from tl_core.ingest import source_probe
from tl_core.store import Store
from tl_core.sweep import SWEEP_NAMES, Sweep
from tl_ui import sweep_jobs
from tl_ui.look_change import FROM

__all__ = ["store"]  # a fixture

ROW = catalog()["resnet10_procedural"]


@pytest.fixture
def data() -> Dataset:
    return ingest.sample(next(iter(ingest.SAMPLES)))


@pytest.fixture
def scenario(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Comparisons of the sample with the bundled model, as the Lab has chosen them."""
    plain = scripted.config

    def config(of: Scenario) -> ComparisonConfig:
        made = plain(of)
        probe = source_probe.probe_of(ROW)
        return msgspec.structs.replace(
            made,
            data=msgspec.structs.replace(made.data, probe=probe, probe_name="Drawn"),
            backbone=ROW.name,
            weights_sha256=ROW.weights.sha256,
        )

    monkeypatch.setattr(scripted, "config", config)
    return Scenario(seeds=1, fingerprint=data.fingerprint, name=data.name)


def open_page(job: str | None = None) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    if job is not None:
        page.query_params["job"] = job
    page.switch_page("pages/what_if.py").run()
    assert not page.exception
    return page


def compared(store: Store, scenario: Scenario, **asked: object) -> str:
    job = store.create(scripted.config(scenario), "A comparison", queued=False, **asked)
    store.append(job, scripted.events(scenario))
    store.finish(job, "done")
    return job


# Before a sweep.


def test_it_asks_eight_questions_and_says_what_to_do(store: Store) -> None:
    page = open_page()
    said = text(page)
    assert page.title[0].value == "What if …?"
    assert set(page.button_group(key="sweep_name").options) == set(sweep_jobs.ASKED.values())
    assert tuple(sweep_jobs.ASKED) == SWEEP_NAMES
    assert "Starts from the Lab's plan" in said.replace("**", "")
    assert "Nothing yet. Choose a question above and press Measure it." in said
    assert "It needs two strategies with measured forgetting" in said


@pytest.mark.parametrize("name", [name for name in SWEEP_NAMES if name != "model"])
def test_every_question_can_be_asked_of_the_bundled_model(store: Store, name: str) -> None:
    page = open_page()
    page.button_group(key="sweep_name").set_value(name).run()
    assert not page.exception
    assert sweep_points.SWEEPS[name].question in [one.value for one in page.subheader]
    assert not button(page, "Measure it").disabled
    assert "about " in text(page)
    assert "stem blocks" not in text(page), "a name is not a number of anything"
    assert ("all images per class" in text(page)) == (name == "labels")


def test_one_model_alone_cannot_be_compared_and_says_why(store: Store) -> None:
    page = open_page()
    page.button_group(key="sweep_name").set_value("model").run()
    assert button(page, "Measure it").disabled
    assert "A sweep needs two points at least." in text(page)


def test_a_press_queues_the_sweep_that_is_shown(store: Store, data: Dataset) -> None:
    page = open_page()
    page.button_group(key="sweep_name").set_value("steps").run()
    button(page, "Measure it").click().run()
    (job,) = store.list(kind="sweep")
    assert job.config is not None and job.config.data.fingerprint == data.fingerprint
    made = msgspec.convert(job.request["sweep"], Sweep)
    assert made.name == "steps"
    # What no step trains is not changed by more of them.
    assert {s.solver for s in job.config.strategies} == {"steps"}
    assert page.query_params["job"] == job.id
    assert sweep_points.SWEEPS["steps"].question in [one.value for one in page.header]


def test_the_latest_comparison_gives_its_rates(store: Store, scenario: Scenario) -> None:
    compared(store, replace(scenario, trials=True))
    page = open_page()
    assert "Starts from A comparison, with the rates that it chose" in text(page).replace("**", "")
    page.button_group(key="sweep_name").set_value("steps").run()
    button(page, "Measure it").click().run()
    (job,) = store.list(kind="sweep")
    settings = {rate for point in sweep_jobs.sweep_of(job).points for rate in rates(point.config)}
    assert settings == {0.003}


def rates(config: ComparisonConfig) -> set[float]:
    return {one.learning_rate for name, one in config.settings.items() if name != "from_scratch"}


# While it runs.


def test_points_appear_as_they_are_measured(store: Store, scenario: Scenario) -> None:
    made, parts = scripted_sweeps.sweep(scenario)
    job = scripted_sweeps.stored(store, scenario, status="running", most=2)
    page = open_page(job)
    events = scripted_sweeps.events(made, parts)
    assert not drawn(page)
    half = len(events) // 2
    store.append(job, events[2:half])
    page.run()
    assert set(drawn(page)) == {0, 1, 2}
    assert "Point 3 of 5: 10 images per class" in page.get("progress")[0].proto.text
    button(page, "Cancel").click().run()
    assert store.cancel_requested(job)


def test_points_side_by_side_are_shown_as_one_after_the_other(
    store: Store, scenario: Scenario
) -> None:
    """Two runs at a time: the end of one point and the begin of the next take turns."""
    made, parts = scripted_sweeps.sweep(scenario)
    note = "2 runs at a time, each on 1 of 2 cores."
    made = msgspec.structs.replace(made, notes=(note,))
    events = scripted_sweeps.events(made, parts)
    starts = [place for place, event in enumerate(events) if isinstance(event, PointStarted)]
    first, second = events[: starts[1]], events[starts[1] : starts[2]]
    early = [event for event in first if not isinstance(event, ComparisonEnded)]
    last_run = max(place for place, event in enumerate(early) if isinstance(event, RunStarted))
    job = scripted_sweeps.stored(store, scenario, status="running", most=0)
    store.append(job, early[: last_run + 1])
    page = open_page(job)
    shares = []
    for told in (second[: len(second) // 2], [PointStarted(place=0), *early[last_run + 1 :]]):
        shares.append(page.get("progress")[0].proto.value)
        store.append(job, told)
        page.run()
        assert "Point 1 of 5" in page.get("progress")[0].proto.text
    assert note in text(page)
    store.append(job, [first[-1], PointStarted(place=1)])
    page.run()
    assert "Point 2 of 5" in page.get("progress")[0].proto.text
    shares.append(page.get("progress")[0].proto.value)
    assert shares == sorted(shares) and shares[0] < shares[-1]


def drawn(page: AppTest) -> list[int]:
    """The places of the points in the live chart."""
    found = page.session_state["followed_sweeps"]
    (followed,) = found.values()
    assert charts(page, "vega_lite_chart")
    return sorted(set(followed.frame["place"]))


def test_a_stopped_sweep_shows_what_it_has_and_can_go_on(store: Store, scenario: Scenario) -> None:
    job = scripted_sweeps.stored(store, scenario, status="cancelled", most=120)
    page = open_page(job)
    assert charts(page, "plotly_chart")
    button(page, "Go on").click().run()
    assert store.get(job).status == "queued"


# When it has ended.


def test_a_finished_sweep_says_what_it_found_and_how_to_repeat_it(
    store: Store, scenario: Scenario
) -> None:
    page = open_page(scripted_sweeps.stored(store, scenario))
    said = text(page)
    assert "20 more images per class buy about" in said
    assert "The textbook's thresholds" in said
    assert "python -m tl_core sweep labels dataset:" in page.code[0].value
    numbers = next(one for one in page.dataframe if "Point" in one.value)
    assert len(numbers.value) == 5 * len(scenario.strategies)
    page.button_group(key="sweep_measure_accuracy_forgetting_seconds").set_value("seconds").run()
    assert not page.exception


def test_a_point_opens_what_it_measured_and_the_lab(store: Store, scenario: Scenario) -> None:
    job = scripted_sweeps.stored(store, scenario)
    page = open_page(job)
    page.button_group(key=f"sweep_point_{job[:8]}").set_value(1).run()
    shown = next(one for one in page.dataframe if "Test accuracy" in one.value)
    assert set(shown.value["Strategy"]) == {s.title for s in scenario.strategies}
    page.button(key="sweep_open").click().run()
    (opened,) = store.list(kind="compare")
    assert opened.request == {"point_of": [job, 1]}
    assert "Waiting to compare" in page.header[0].value
    assert page.query_params["job"] == opened.id
    # The second time it is the same one.
    again = open_page(job)
    again.button_group(key=f"sweep_point_{job[:8]}").set_value(1).run()
    again.button(key="sweep_open").click().run()
    assert len(store.list(kind="compare")) == 1


def test_a_range_test_opens_as_what_it_is(store: Store, scenario: Scenario) -> None:
    job = scripted_sweeps.stored(store, scenario, first={"rate_range": (1e-4, 1.0)})
    page = open_page(job)
    page.button_group(key=f"sweep_point_{job[:8]}").set_value(0).run()
    assert not page.exception
    assert "Range test: the loss while the learning rate rises" in text(page)


def test_earlier_sweeps_are_listed_on_their_data_alone(store: Store, scenario: Scenario) -> None:
    scripted_sweeps.stored(store, scenario)
    scripted_sweeps.stored(store, replace(scenario, fingerprint="0" * 64))
    page = open_page()
    links = [one.proto.label for one in page.get("page_link")]
    assert links.count("**Would more data help?**") == 1


def test_an_address_that_leads_nowhere_says_so(store: Store, scenario: Scenario) -> None:
    assert "That sweep is no longer here" in text(open_page("f" * 32))
    assert "That sweep is no longer here" in text(open_page(compared(store, scenario)))


# Everything that was measured.


def test_all_comparisons_and_sweeps_on_these_data_stand_in_one_chart(
    store: Store, scenario: Scenario
) -> None:
    compared(store, scenario)
    compared(store, replace(scenario, fingerprint="0" * 64))
    scripted_sweeps.stored(store, scenario)
    page = open_page()
    # The sweep's last point is the comparison's own runs, counted once.
    assert "of 25 stand on the front" in text(page).replace("**", "")
    assert "from 2 comparisons and sweeps" in text(page)
    table = next(one for one in page.dataframe if "Standing" in one.value).value
    assert len(table) == 25
    assert {"on the front", "stands apart"} <= set(table["Standing"])
    page.session_state["front_point"] = 0
    page.run()
    assert "Open" in [one.proto.label for one in page.get("page_link")]


# One thing changed, in the Lab.


def test_one_setting_is_changed_and_only_the_difference_is_shown(
    store: Store, scenario: Scenario
) -> None:
    before = compared(store, scenario)
    page = look(before, "change")
    key = f"_{before[:8]}"
    page.button_group(key=f"change_what{key}").set_value("seeds").run()
    page.button_group(key=f"change_to_seeds{key}").set_value(0).run()
    assert "about " in text(page)
    page.button(key=f"change_run{key}").click().run()
    assert not page.exception
    (changed,) = store.list(kind="compare", active=True)
    assert changed.config.seeds == 3
    assert changed.request == {FROM: before}
    assert page.query_params["job"] == before
    store.claim()
    after = replace(scenario, seeds=3, shift=0.05)
    store.append(changed.id, scripted.events(after))
    store.finish(changed.id, "done")
    page = look(before, "change")
    assert "Seeds: 1 seed → 3 seeds" in text(page)
    table = next(one for one in page.dataframe if "Seconds before" in one.value).value
    assert set(table["Strategy"]) == {s.title for s in scenario.strategies}
    # The changed one leads back.
    page = look(changed.id, "change")
    assert "This comparison was changed from another one" in text(page)
