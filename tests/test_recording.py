"""Recordings: files of events, found again, told from measurements, and of today's defaults."""

import re
from pathlib import Path

import msgspec
import pytest

from tests import scripted
from tl_core import ingest, record_command, recording
from tl_core.columns import export_frame
from tl_core.csv_export import csv_text
from tl_core.datasets import Dataset
from tl_core.document import document
from tl_core.ingest import SAMPLES
from tl_core.record import record
from tl_core.recording import Recording
from tl_core.strategies import TEXTBOOK_STRATEGIES
from tl_core.tables import rows

SCENARIO = scripted.Scenario(seeds=1)
DATA = Dataset(
    name="digits",
    fingerprint="f" * 64,
    kind="target",
    classes=scripted.CLASSES,
    images=(),
    signature="sample:digits:1",
)


@pytest.fixture
def made() -> Recording:
    return scripted.recording("digits", DATA, SCENARIO)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    return tmp_path


def test_a_recording_is_read_back_as_it_was_written(made, folder):
    path = recording.path_of("digits")
    recording.write(made, path)
    assert path.parent == folder
    assert recording.read(path) == made
    other = Recording(msgspec.structs.replace(made.facts, commit="ffff"), made.moments)
    recording.write(other, path)
    assert recording.read(path) == other


def test_it_folds_like_the_log_of_a_job(made):
    assert made.found() == record(scripted.events(SCENARIO))


def test_it_can_be_cut_at_any_second(made):
    assert made.found(0.0).started is None
    half = made.found(made.seconds / 2)
    assert half.started is not None
    assert 0 < len(half.ended) < len(made.found().ended)
    assert made.found(made.seconds) == made.found()


def test_the_label_says_where_and_when(made):
    assert made.label == "Recorded on CPU, 2 cores, 2 May 2026"


def test_it_is_found_by_data_model_and_weights(made, folder):
    recording.write(made, recording.path_of("digits"))
    facts = made.facts
    assert recording.matching(DATA, facts.backbone, facts.weights_sha256) == made
    renewed = msgspec.structs.replace(DATA, signature="sample:digits:2")
    assert recording.matching(renewed, facts.backbone, facts.weights_sha256) is None
    assert recording.matching(DATA, "resnet50", facts.weights_sha256) is None
    assert recording.matching(DATA, facts.backbone, "b" * 64) is None


def test_files_of_another_version_are_passed_over(made, folder):
    recording.write(made, recording.path_of("digits"))
    (folder / "a.jsonl").write_text("")
    (folder / "b.jsonl").write_text('{"sample": "digits", "something": "new"}\n')
    lines = recording.path_of("digits").read_text().splitlines()
    (folder / "c.jsonl").write_text(f'{lines[0]}\n[0.1, {{"event": "Unheard"}}]\n')
    facts = made.facts
    assert recording.matching(DATA, facts.backbone, facts.weights_sha256) == made


def test_the_configuration_hash_tells_what_changes_numbers():
    config = scripted.config(SCENARIO)
    before = recording.configuration_hash(config, [DATA])
    replace = msgspec.structs.replace
    elsewhere = replace(config, data=replace(config.data, fingerprint="0" * 64, name="other"))
    assert recording.configuration_hash(elsewhere, [DATA]) == before
    others = [
        recording.configuration_hash(replace(config, seeds=3), [DATA]),
        recording.configuration_hash(replace(config, budget="standard"), [DATA]),
        recording.configuration_hash(replace(config, weights_sha256="b" * 64), [DATA]),
        recording.configuration_hash(replace(config, class_map={}), [DATA]),
        recording.configuration_hash(replace(config, strategies=config.strategies[1:]), [DATA]),
        recording.configuration_hash(config, [replace(DATA, signature="sample:digits:2")]),
        recording.configuration_hash(config, [DATA, replace(DATA, signature="photographs")]),
        recording.configuration_hash(
            replace(config, data=replace(config.data, probe=None)), [DATA]
        ),
    ]
    assert len({before, *others}) == len(others) + 1


def test_exports_of_a_recording_say_so(made):
    found = made.found()
    measured = rows(found)
    plain = document(found, measured)
    kept = document(found, measured, made)
    assert plain["recorded"] is None
    assert kept["recorded"]["label"] == made.label
    assert kept["recorded"]["commit"] == made.facts.commit
    assert {**kept, "recorded": None} == plain
    lines = csv_text(export_frame(found, measured, made)).splitlines()
    assert lines[0].startswith("recorded,title,")
    assert all(made.label in line for line in lines[1:])
    assert "recorded" not in csv_text(export_frame(found, measured)).lower()


# The recordings that come with the app.


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_has_a_recording_of_todays_default(name, shared_home, monkeypatch):
    again = f"Record it again: python -m tl_core record sample:{name}"
    path = recording.path_of(name)
    assert path.is_file(), f"There is no recording of sample:{name}. {again}"
    try:
        found = recording.read(path)
    except ValueError as error:
        pytest.fail(f"The recording of sample:{name} is of another version ({error}). {again}")
    monkeypatch.setenv("TL_HOME", str(shared_home))
    today = record_command.configuration(record_command.default_request(name))
    assert found.facts.configuration == today, (
        f"sample:{name} is no longer compared as its recording was. {again}"
    )
    # What the app looks it up by.
    data = ingest.sample(name)
    assert recording.matching(data, found.facts.backbone, found.facts.weights_sha256) == found


@pytest.mark.parametrize("path", sorted(recording.FOLDER.glob("*")), ids=lambda path: path.name)
def test_a_recording_is_whole_small_and_names_no_machine(path):
    assert path.stem in SAMPLES, f"There is no sample for {path.name}"
    assert path.stat().st_size <= recording.LIMIT_BYTES
    made = recording.read(path)
    found = made.found()
    assert found.finished is not None and not found.failed
    assert [strategy.name for strategy in found.strategies] == list(TEXTBOOK_STRATEGIES)
    assert not any(run.reused for run in found.runs.values())
    assert found.started.command.startswith(f"python -m tl_core compare sample:{path.stem} ")
    assert re.fullmatch(r"[0-9a-f]{12}", made.facts.commit), "recorded with changed or unknown code"
    text = path.read_text()
    assert not re.search(r"/(home|root|tmp|work|Users)/|[A-Z]:\\\\", text)
