"""Recorded comparisons on the Lab page: labelled, pale, replayed, and gone where something ran."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from tests import scripted
from tests.test_lab_page import after_runs, button, open_lab, store, text, with_weights
from tl_core import ingest, recording
from tl_core.store import Store
from tl_ui import recorded

__all__ = ["store", "with_weights"]  # fixtures

pytestmark = pytest.mark.usefixtures("with_weights")


class Seen:
    """What the page gave to the live chart and to the download buttons, the latest of each."""

    def __init__(self) -> None:
        self.charts: dict = {}
        self.files: dict = {}

    def kinds(self) -> dict[str, set[str]]:
        """Kind of mark -> strategies drawn so."""
        frame = self.charts["chart_live_accuracy"]
        return {kind: set(part["strategy"]) for kind, part in frame.groupby("kind")}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    found = Seen()
    draw, offer = streamlit.vega_lite_chart, streamlit.download_button

    def drawn(frame: object, *args: object, **options: object) -> object:
        found.charts[options["key"]] = frame
        return draw(frame, *args, **options)

    def offered(label: str, data: str, **options: object) -> object:
        found.files[options["file_name"]] = data
        return offer(label, data, **options)

    monkeypatch.setattr(streamlit, "vega_lite_chart", drawn)
    monkeypatch.setattr(streamlit, "download_button", offered)
    return found


@pytest.fixture
def scenario(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> scripted.Scenario:
    """A scenario on the default sample, and a recording of it."""
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    name = next(iter(ingest.SAMPLES))
    data = ingest.sample(name)
    found = scripted.Scenario(seeds=1, fingerprint=data.fingerprint, name=data.name)
    recording.write(scripted.recording(name, data, found), recording.path_of(name))
    return found


def cards(page: AppTest) -> dict[str, str]:
    """Strategy's title -> its card."""
    parts = text(page).split('role="listitem"')[1:]
    return {part.split('font-weight:600">')[1].split("<")[0]: part for part in parts}


def run_of(store: Store, scenario: scripted.Scenario, runs: int) -> str:
    script = scripted.events(scenario)
    job = store.create(scripted.config(scenario), scenario.name)
    store.claim()
    store.append(job, script[: after_runs(script, runs) if runs else 1])
    return job


def test_the_first_paint_shows_the_recording_and_says_so(store, scenario, seen):
    page = open_lab()
    said = text(page)
    assert "Recorded on CPU, 2 cores, 2 May 2026.** Press Compare strategies to run it here" in said
    assert page.header[0].value.startswith("Which way of reusing")
    assert "In this recording: use feature extraction." in said
    assert not button(page, "Compare strategies").disabled
    shown = cards(page)
    assert len(shown) == 5
    assert all("recorded:" in card and "dashed" in card for card in shown.values())
    # The floor is computed here; every curve and line of a strategy is of the recording.
    assert seen.kinds() == {
        "line": {"majority_class"},
        "recorded line": {"zero_shot", "feature_extraction"},
        "recorded curve": {"partial_fine_tuning", "full_fine_tuning", "from_scratch"},
    }
    assert not page.get("plotly_chart")
    assert "Nothing in this table was measured here" in said
    # The table's own menu has a download, so the table says it too.
    assert set(page.dataframe[0].value["Recorded"]) == {"2 May 2026"}
    assert store.list() == []


def test_its_files_say_recorded(store, scenario, seen):
    open_lab()
    assert set(seen.files) == {
        "recorded-report.html",
        "recorded-comparison.csv",
        "recorded-comparison.json",
    }
    made = json.loads(seen.files["recorded-comparison.json"]())
    assert made["recorded"]["label"].startswith("Recorded on CPU")
    assert seen.files["recorded-comparison.csv"]().startswith("recorded,")
    page = seen.files["recorded-report.html"]()
    assert "(recorded)</h1>" in page and made["recorded"]["label"] in page


def test_replay_follows_the_clock_and_ends_by_itself(store, scenario, seen, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(recorded, "monotonic", lambda: now)
    page = open_lab()
    whole = len(seen.charts["chart_live_accuracy"])
    button(page, "Replay").click().run()
    assert "Replaying the recording: 0 of" in text(page)
    assert seen.kinds() == {"line": {"majority_class"}}
    page.button_group(key="chart_view").set_value("change").run()
    assert "chart_live_drift" not in seen.charts
    page.button_group(key="chart_view").set_value("accuracy").run()
    assert all("replaying" in card and "%</b>" not in card for card in cards(page).values())
    counts = []
    for _ in range(3):
        now += recorded.REPLAY_SECONDS / 4
        page.run()
        counts.append(len(seen.charts["chart_live_accuracy"]))
    assert 1 < counts[0] < counts[1] < counts[2] < whole
    assert "%</b>" in cards(page)["Feature extraction"]
    assert "%</b>" not in cards(page)["Training from scratch"]
    assert button(page, "Stop")
    now += recorded.REPLAY_SECONDS
    page.run()
    assert len(seen.charts["chart_live_accuracy"]) == whole
    assert button(page, "Replay")
    assert "Replaying" not in text(page)
    assert store.list() == []


def test_replay_can_be_stopped(store, scenario, seen, monkeypatch):
    monkeypatch.setattr(recorded, "monotonic", lambda: 1000.0)
    page = open_lab()
    button(page, "Replay").click().run()
    button(page, "Stop").click().run()
    assert button(page, "Replay")
    assert "Replaying" not in text(page)


def test_other_settings_than_the_recorded_are_named(store, scenario):
    page = open_lab()
    page.button_group(key="setup_seeds").set_value(3).run()
    assert "other settings than yours: 5 strategies, 1 seed, quick budget" in text(page)


def test_without_a_recording_the_page_says_what_textbooks_say(store, scenario, tmp_path):
    for path in tmp_path.glob("*.jsonl"):
        path.unlink()
    said = text(open_lab())
    assert "What textbooks say" in said
    assert "ecorded" not in said


def test_a_comparison_draws_over_a_pale_copy_until_its_own_numbers_come(store, scenario, seen):
    page = open_lab(run_of(store, scenario, 0))
    assert "Pale: Recorded on CPU, 2 cores, 2 May 2026" in text(page)
    assert all("recorded:" in card for card in cards(page).values())
    page = open_lab(run_of(store, scenario, 3))
    for title, card in cards(page).items():
        own = title in ("Zero-shot transfer", "Feature extraction", "Partial fine-tuning")
        assert own == ("recorded:" not in card)
        assert own == ("dashed" not in card)
        assert card.count("%</b>") == 1
    kinds = seen.kinds()
    assert kinds["recorded curve"] == {"full_fine_tuning", "from_scratch"}
    assert "recorded line" not in kinds
    assert kinds["curve"] == {"partial_fine_tuning"}


def test_strategies_that_were_not_asked_for_stay_away(store, scenario, seen):
    fewer = replace(scenario, strategies=scenario.strategies[1:3])
    page = open_lab(run_of(store, fewer, 1))
    assert set(cards(page)) == {"Feature extraction", "Partial fine-tuning"}
    assert seen.kinds()["recorded curve"] == {"partial_fine_tuning"}
    assert "recorded line" not in seen.kinds()
    assert "Pale: Recorded" in text(page)
    store.append(store.list()[0].id, scripted.events(fewer))
    said = text(open_lab(store.list()[0].id))
    assert "Pale" not in said  # nothing is left to come


def test_a_waiting_comparison_shows_it_too(store, scenario):
    job = store.create(scripted.config(scenario), "waiting")
    page = open_lab(job)
    assert all("recorded:" in card and "waiting" in card for card in cards(page).values())


def test_numbers_that_will_not_come_are_not_promised(store, scenario, seen):
    troubled = replace(scenario, zero_shot=False, fails="full_fine_tuning")
    job = run_of(store, troubled, 3)  # both that succeed before it, and equal steps after it
    shown = cards(open_lab(job))
    assert "not applicable" in shown["Zero-shot transfer"]
    assert "%</b>" not in shown["Zero-shot transfer"]
    assert "%</b>" not in shown["Full fine-tuning"]
    assert "zero_shot" not in seen.kinds().get("recorded line", set())


def test_a_result_shows_nothing_recorded(store, scenario, seen):
    job = run_of(store, scenario, 5)
    store.append(job, scripted.events(scenario))
    store.finish(job, "done")
    page = open_lab(job)
    assert page.header[0].value == "Use feature extraction"
    assert "ecorded" not in text(page)
    assert {"comparison.csv", "comparison.json", "report.html"} <= set(seen.files)
    assert json.loads(seen.files["comparison.json"]())["recorded"] is None
