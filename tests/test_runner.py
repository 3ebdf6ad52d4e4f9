"""The runner: jobs reach the store, and whatever a worker does, only its own job suffers."""

import collections
import errno
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest

from tests.factories import epoch_ended, run_ended, run_started
from tests.running import (
    FAKE_WORKER,
    LOCK_SECONDS,
    finish,
    posix_only,
    rewrite,
    running,
    says,
    submit,
    until,
)
from tl_core.events import JobEnded
from tl_core.executor import NotReady
from tl_core.executors.local import LocalExecutor
from tl_core.runner import Runner, run
from tl_core.store import MAX_ATTEMPTS, Store
from tl_core.worker import filled_up
from tl_core.worker_process import plain

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("TL_HOME", str(tmp_path))
    monkeypatch.chdir(ROOT)
    store = Store()
    yield store
    store.close()


@pytest.fixture
def runner(store: Store) -> Iterator[Runner]:
    with running(store) as runner:
        yield runner


def test_events_reach_the_store_in_order(store, runner):
    job = submit(store, "run r1")
    finish(runner, job)
    assert [event for _, event in store.events(job)] == [
        run_started("r1"),
        epoch_ended("r1", 1),
        run_ended("r1"),
        JobEnded(status="done"),
    ]
    assert store.get(job).status == "done" and store.get(job).seconds > 0
    assert store.device()["device"] == "fake"


def test_each_job_has_a_process_of_its_own(store, runner):
    seen = set()
    for _ in range(2):
        finish(runner, submit(store, "say hello"))
        seen.add(store.device()["pid"])
    assert len(seen) == 2


def test_finished_runs_are_taken_from_the_store(store, runner):
    first, second = submit(store, "run r1"), submit(store, "run r1")
    finish(runner, first, second)
    assert [event for _, event in store.events(second)][:2] == [
        run_started("r1", reused=True),
        run_ended("r1"),
    ]


def test_prints_do_not_disturb_the_pipe(store, runner):
    job = submit(store, "print hello", "run r1")
    finish(runner, job)
    assert store.get(job).status == "done"


@posix_only
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("raise a sentence for the user", "^a sentence for the user$"),
        ("garbage", "unreadable"),
    ],
)
def test_a_job_that_fails_is_not_tried_again(store, runner, line, reason):
    broken, fine = submit(store, "run r1", line), submit(store, "run r2")
    finish(runner, broken, fine)
    job = store.get(broken)
    assert job.status == "failed"
    assert re.search(reason, job.reason) and job.attempts == 1
    assert store.finished_run("r1") is not None
    assert store.get(fine).status == "done"
    log = Path(os.environ["TL_HOME"], "logs", f"{broken}.txt")
    assert log.read_text(encoding="utf-8").startswith(job.reason)


@posix_only
@pytest.mark.parametrize("manner", ["say polite", "ignore_sigterm"])
def test_cancelling_a_running_job_frees_the_slot(store, runner, manner):
    job, waiting = submit(store, manner, "say hanging", "hang"), submit(store, "run r1")
    until(runner, says(runner, job, "hanging"))
    store.request_cancel(job)
    finish(runner, job, waiting)
    assert store.get(job).status == "cancelled"
    assert store.events(job)[-1][1] == JobEnded(status="cancelled")
    assert store.get(waiting).status == "done"


@posix_only
def test_a_job_survives_the_death_of_the_waiting_spare(store, runner):
    until(runner, lambda: store.device() is not None)
    os.kill(store.device()["pid"], 9)
    lock = filelock.FileLock(Path(os.environ["TL_HOME"], f"{store.device()['pid']}.alive"))
    lock.acquire(timeout=LOCK_SECONDS)
    job = submit(store, "run r1")
    finish(runner, job)
    assert store.get(job).status == "done"


def test_an_installation_that_cannot_start_says_so(store):
    with running(store, LocalExecutor("tests.no_such_module", "2")) as runner:
        until(runner, lambda: "No module named tests.no_such_module" in store.notice())
        jobs = submit(store, "run r1"), submit(store, "run r2")
        finish(runner, *jobs)
        for job in jobs:
            assert "No module named tests.no_such_module" in store.get(job).reason
            assert store.get(job).attempts == MAX_ATTEMPTS


@pytest.mark.parametrize("slots", ["", "0", "-1", "many"])
def test_a_number_of_slots_that_is_none_is_refused(store, slots, monkeypatch):
    with pytest.raises(NotReady, match="TL_SLOTS"):
        Runner(store, LocalExecutor(FAKE_WORKER, slots))
    monkeypatch.setenv("TL_SLOTS", slots)
    assert run(store, threading.Event()) == 1
    assert "TL_SLOTS" in store.notice()


def test_the_next_runner_continues_an_interrupted_job_first(store, runner):
    job = submit(store, "run r1", "unfinished r2", "say hanging", "hang")
    waiting = submit(store, "run r3")
    until(runner, says(runner, job, "hanging"))
    runner.close()
    assert store.get(job).status == "running"
    rewrite(store, job, "run r1", "run r2")
    with running(store) as second:
        assert store.position(job) == 1
        finish(second, job, waiting)
    assert store.get(job).lease == 2
    # The log reads as if the job had never stopped.
    assert [event for _, event in store.events(job)] == [
        *(run_started("r1"), epoch_ended("r1", 1), run_ended("r1")),
        *(run_started("r2"), epoch_ended("r2", 1), run_ended("r2")),
        JobEnded(status="done"),
    ]


def test_a_long_job_gives_way_to_another_owner(store):
    with running(store, slice_seconds=0) as runner:
        long = submit(store, "run r0", "until_give_way", "run r1", "run r2", owner="ada")
        until(runner, lambda: store.finished_run("r0") is not None)
        short = submit(store, "run s1", owner="bob")
        until(runner, lambda: store.get(short).status == "done")
        assert store.finished_run("r1") is None
        rewrite(store, long, "run r0", "run r1", "run r2")
        finish(runner, long)
    assert store.get(long).attempts == 1
    ends = [event.run_id for _, event in store.events(long) if hasattr(event, "result")]
    assert ends == ["r0", "r1", "r2"]


def test_an_owner_alone_keeps_the_slot(store):
    with running(store, slice_seconds=0) as runner:
        first, second = submit(store, "run r1", "run r2"), submit(store, "run r3")
        finish(runner, first)
        assert store.get(first).status == "done" and store.get(second).active


def test_a_full_disk_pauses_the_job_until_there_is_room(store, runner):
    job = submit(store, *(f"run r{i}" for i in range(60)))
    with store.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 4}")
    until(runner, lambda: runner.displaced)
    assert store.get(job).status == "running"
    with store.reading() as db:
        db.execute("PRAGMA max_page_count = 100000")
    finish(runner, job)
    assert (store.get(job).status, store.get(job).attempts) == ("done", 1)
    assert len(store.finished(f"r{i}" for i in range(60))) == 60


def test_a_job_that_fills_the_disk_waits_for_room_and_goes_on(store, monkeypatch):
    free = collections.namedtuple("free", "total used free")
    with running(store, smallest_room_mb=500) as runner:
        job = submit(store, "run r1", "full_disk no room", "run r2")
        monkeypatch.setattr("shutil.disk_usage", lambda _: free(1, 1, 501e6))
        until(runner, lambda: store.get(job).status == "running")
        monkeypatch.setattr("shutil.disk_usage", lambda _: free(1, 1, 1e6))
        until(runner, lambda: store.get(job).status == "queued" and store.notice() != "")
        assert store.finished_run("r1") is not None
        rewrite(store, job, "run r1", "run r2")
        monkeypatch.setattr("shutil.disk_usage", lambda _: free(1, 1, 501e6))
        finish(runner, job)
        assert store.get(job).status == "done" and store.notice() == ""
        assert store.finished_run("r2") is not None


def test_a_disk_that_never_has_the_room_ends_in_a_sentence(store, runner):
    job = submit(store, "run r1", "full_disk no room")
    finish(runner, job)
    assert (store.get(job).status, store.get(job).attempts) == ("failed", MAX_ATTEMPTS)
    assert "clean --cache" in store.get(job).reason
    assert store.finished_run("r1") is not None


def test_jobs_wait_while_the_disk_has_little_room(store):
    with running(store, smallest_room_mb=1e12) as runner:
        job = submit(store, "run r1")
        until(runner, lambda: store.notice() != "")
        assert "are free on the disk" in store.notice()
        assert store.get(job).status == "queued"


def start_runner() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tl_core.runner"],
        stdin=subprocess.PIPE,
        env={**os.environ, "TL_WORKER_MODULE": FAKE_WORKER},
    )


def wait_for(store: Store, job: str, message: str) -> None:
    """Wait for a job's progress; polls, since only the store tells."""
    for _ in range(100_000):
        progress = store.get(job).progress
        if progress is not None and progress.message == message:
            return
    pytest.fail("the job did not get there")


def wait_for_worker_to_leave(store: Store) -> None:
    lock = filelock.FileLock(Path(os.environ["TL_HOME"], f"{store.device()['pid']}.alive"))
    lock.acquire(timeout=LOCK_SECONDS)
    lock.release()


@posix_only
@pytest.mark.parametrize("way", ["stdin", "SIGTERM", "SIGKILL"])
def test_a_runner_leaves_no_process_and_loses_no_job(store, way):
    job = submit(store, "run r1", "say hanging", "hang")
    process = start_runner()
    wait_for(store, job, "hanging")
    second = start_runner()
    assert second.wait(LOCK_SECONDS) == 0, "a second runner leaves at once"
    second.stdin.close()
    if way == "stdin":
        process.stdin.close()
    elif way == "SIGTERM":
        process.terminate()
    else:
        process.kill()
    process.wait(LOCK_SECONDS)
    wait_for_worker_to_leave(store)
    process.stdin.close()
    assert store.get(job).status == "running"
    store.requeue_running()
    assert store.position(job) == 1


def test_the_runner_does_not_import_torch():
    code = "import sys, tl_core.runner; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot open /home/ada/my/cat.png", "cannot open cat.png"),
        (r"cannot open 'C:\Users\ada\cat.png'", "cannot open 'cat.png'"),
        ("two\nlines", "two lines"),
        ("1/2 of and/or", "1/2 of and/or"),
        ("x" * 500, "x" * 299 + "…"),
    ],
)
def test_reasons_name_no_folder_of_the_machine(text, shown):
    assert plain(text) == shown


def test_the_real_worker_reports_its_device_and_names_what_it_cannot_do(store):
    with running(store, LocalExecutor()) as runner:
        job = store.create(None, "x", kind="dance")
        finish(runner, job)
        assert "'dance' cannot be run by this version" in store.get(job).reason
        expected = {"device", "devices", "gpus", "precision", "threads", "versions"}
        assert expected <= store.device().keys()
        assert store.device()["versions"]["torch"][0].isdigit()


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError("100000 requested and 25584 written"), True),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (ValueError("3 images requested"), False),
    ],
)
def test_a_full_disk_is_known_by_what_writers_say(error, full):
    assert filled_up(error) == full
