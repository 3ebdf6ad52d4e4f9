"""The structured log: complete lines, no folders, rotation, and no harm from a full disk."""

import json
import logging

import pytest

from tl_core import log


@pytest.fixture(autouse=True)
def quiet_afterwards(home):
    yield
    for name in ("tl_core", "a library"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()


def test_a_line_says_when_who_what_and_with_what():
    log.start("runner")
    log.note("job ended", job="abc", seconds=1.5, status="done")
    (line,) = log.read("runner")
    assert line["event"] == "job ended" and line["level"] == "info"
    assert (line["job"], line["seconds"], line["status"]) == ("abc", 1.5, "done")
    assert line["time"].endswith("Z") and line["process"] > 0


def test_an_exception_is_named_with_its_frames_but_without_the_machines_folders():
    log.start("runner")
    try:
        raise RuntimeError("cannot open /home/ada/secret/cat.png")
    except RuntimeError:
        log.warn("job failed", job="abc")
    (line,) = log.read("runner")
    assert line["error"] == "RuntimeError" and line["level"] == "warning"
    assert line["at"][-1].startswith("tests/test_log.py:")
    assert "ada" not in json.dumps(line)


def test_of_a_library_only_warnings_are_kept():
    log.start("web", "a library")
    logging.getLogger("a library").setLevel(logging.INFO)
    logging.getLogger("a library").info("chatter")
    logging.getLogger("a library").error("broken")
    assert [line["event"] for line in log.read("web")] == ["broken"]


def test_starting_twice_writes_each_line_once():
    log.start("runner")
    log.start("runner")
    log.note("once")
    assert len(list(log.read("runner"))) == 1


def test_files_are_rotated_and_read_in_order(home, monkeypatch):
    monkeypatch.setattr(log, "LARGEST_BYTES", 300)
    log.start("runner")
    for number in range(30):
        log.note("count", number=number)
    kept = [line["number"] for line in log.read("runner")]
    assert kept == list(range(30))[-len(kept) :] and 1 < len(kept) < 30
    assert len(list((home / "logs").glob("runner.jsonl*"))) == log.KEPT_FILES + 1


def test_a_line_cut_off_by_a_crash_is_passed_over(home):
    log.start("runner")
    log.note("whole")
    with (home / "logs" / "runner.jsonl").open("a") as file:
        file.write('{"time": "20')
    assert [line["event"] for line in log.read("runner")] == ["whole"]


def test_a_log_that_cannot_be_written_stops_nothing(home):
    log.start("runner")
    (home / "logs" / "runner.jsonl").mkdir()
    log.note("lost")
    assert list(log.read("web")) == []
