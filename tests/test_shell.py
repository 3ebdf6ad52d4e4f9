"""What surrounds the pages: the queue's process, a light web process, the theme."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import filelock
import pytest
import streamlit as st

from tl_core.weights import FIRST_MODEL
from tl_ui import runner, shell, theme

ROOT = Path(__file__).resolve().parents[1]


class FakeProcess:
    """Stands for the queue's process; `code` is its exit code, None while it runs."""

    started: ClassVar[list["FakeProcess"]] = []

    def __init__(self, command: list[str], **options: object) -> None:
        self.command, self.options, self.code = command, options, None
        FakeProcess.started.append(self)

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only the test moves, and processes that do nothing."""
    now = [0.0]
    monkeypatch.setattr(runner.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(runner.subprocess, "Popen", FakeProcess)
    monkeypatch.setattr(FakeProcess, "started", [])
    return now


def test_the_queue_is_started_once_and_again_when_it_ended(
    tmp_path: Path, clock, monkeypatch
) -> None:
    monkeypatch.setenv("TL_SLOTS", "2")
    process = runner.RunnerProcess(tmp_path)
    process.ensure()
    process.ensure()
    (first,) = FakeProcess.started
    assert first.options["env"]["TL_SLOTS"] == "2"
    assert first.command == [sys.executable, "-m", "tl_core.runner"]
    assert first.options["stdin"] == subprocess.PIPE
    assert first.options["env"]["TL_HOME"] == str(tmp_path)
    first.code = 1
    clock[0] += runner.RETRY_SECONDS
    process.ensure()
    assert len(FakeProcess.started) == 2


def test_no_queue_is_started_beside_one_that_works(tmp_path: Path, clock) -> None:
    process = runner.RunnerProcess(tmp_path)
    with filelock.FileLock(tmp_path / "runner.lock", thread_local=False):
        process.ensure()
        assert FakeProcess.started == []
    clock[0] += runner.RETRY_SECONDS
    process.ensure()
    assert len(FakeProcess.started) == 1


def test_a_queue_that_ends_at_once_is_not_started_at_every_click(tmp_path: Path, clock) -> None:
    process = runner.RunnerProcess(tmp_path)
    for _ in range(5):
        process.ensure()
        FakeProcess.started[-1].code = 0
        clock[0] += runner.RETRY_SECONDS / 10
    assert len(FakeProcess.started) == 1


@pytest.fixture
def fresh(home: Path) -> Iterator[Path]:
    """A data directory of which the server knows nothing yet."""
    st.cache_resource.clear()
    yield home
    st.cache_resource.clear()


def test_source_images_are_drawn_once_by_another_process(fresh: Path, clock) -> None:
    runner.keep_alive()
    runner.keep_alive()
    (drawing,) = [p for p in FakeProcess.started if "draw-source" in p.command]
    assert drawing.command[1:] == ["-m", "tl_core", "draw-source", FIRST_MODEL]
    assert drawing.options["env"]["TL_HOME"] == str(fresh)


def test_source_images_that_are_there_are_not_drawn_again(fresh: Path, clock, monkeypatch) -> None:
    monkeypatch.setattr(runner.source_probe, "known", lambda row: object())
    runner.keep_alive()
    assert [process.command[-1] for process in FakeProcess.started] == ["tl_core.runner"]


def test_no_page_imports_torch() -> None:
    modules = [f"tl_ui.{path.stem}" for path in (ROOT / "tl_ui").glob("*.py")]
    code = f"import sys, {', '.join(modules)}; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_theme_has_the_ten_colours_that_plotly_needs() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert len(set(config["theme"]["chartCategoricalColors"])) == 10
    assert {"light", "dark"} <= set(config["theme"])
    assert config["server"]["address"] == "127.0.0.1"
    assert config["client"]["showErrorDetails"] == "none"


def test_every_page_begins_with_the_guard() -> None:
    for path in (ROOT / "pages").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "shell.require_shell()" in text, path.name
    pages = {theme.LAB, theme.DATA, theme.MODEL, theme.TRUST, theme.HISTORY}
    assert all((ROOT / page).is_file() for page in pages)


def test_the_tab_picture_is_a_file_of_the_project() -> None:
    assert shell.ICON.is_file()
