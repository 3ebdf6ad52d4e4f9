"""`record`: a sample's default comparison from nothing, kept as a file."""

import os
import re
from pathlib import Path

import pytest

from tests import scripted
from tl_core import cli, config, record_command, recording, worker
from tl_core.config import Budget
from tl_core.ingest import source_probe


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(source_probe, "COUNT", 100)
    # Steps of a model with small input count four times.
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=1, trials=1, scratch_extension=2))


def test_a_recording_is_a_fresh_run_of_the_samples_default(tmp_path, home, capsys):
    assert cli.main(["record", "sample:digits", "--into", str(tmp_path / "new")]) == 0
    made = recording.read(tmp_path / "new" / "digits.jsonl")
    assert made.label in capsys.readouterr().out
    found = made.found()
    assert found.finished is not None and not found.failed
    assert len(found.final("full_fine_tuning")) == 1
    assert not any(run.reused for run in found.runs.values())
    assert found.started.command == (
        "python -m tl_core compare sample:digits --seeds 1 --budget quick"
    )
    seconds = [at for at, _ in made.moments]
    assert seconds == sorted(seconds) and 0 < seconds[0] < made.seconds
    # The data directory was another one: nothing is left of the run, nothing was taken from here.
    assert os.environ["TL_HOME"] == str(home)
    assert not (home / "store").exists() and not list(home.glob("**/*.png"))
    facts = made.facts
    assert facts.configuration == record_command.configuration(
        record_command.default_request("digits")
    )
    assert facts.sample == "digits" and re.fullmatch(r"\d{4}-\d\d-\d\d", facts.date)
    assert str(home.parent) not in (tmp_path / "new" / "digits.jsonl").read_text()


def test_after_a_failed_run_nothing_is_kept(tmp_path, capsys, monkeypatch):
    script = scripted.events(scripted.Scenario(seeds=1, fails="full_fine_tuning"))
    monkeypatch.setattr(worker, "compare", lambda config, find: iter(script))
    monkeypatch.setattr(source_probe, "drawn", lambda row: None)
    assert cli.main(["record", "sample:digits", "--into", str(tmp_path)]) == 1
    assert not list(tmp_path.glob("*.jsonl"))
    assert "nothing is kept" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["sample:nonsense"], []])
def test_samples_that_there_are_not(arguments, tmp_path, capsys):
    assert cli.main(["record", *arguments, "--into", str(tmp_path / "none")]) == 2
    assert "sample:digits" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_the_version_of_the_code_is_a_commit():
    version = record_command.code_version()
    assert version == "unknown" or re.fullmatch(r"[0-9a-f]{12}\+?", version)
