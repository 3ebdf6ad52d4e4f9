"""Several jobs at once: shared fairly, and whatever happens to one, the others go on."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.factories import comparison_config, comparison_started, run_ended, run_started
from tests.running import (
    FAKE_WORKER,
    finish,
    has_left,
    posix_only,
    rewrite,
    running,
    says,
    submit,
    until,
)
from tl_core.executor import Lease
from tl_core.executors import places
from tl_core.executors.local import LocalExecutor
from tl_core.executors.places import Place, environment
from tl_core.runner import LEASE_SECONDS
from tl_core.store import MAX_ATTEMPTS, Store

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("TL_HOME", str(tmp_path))
    monkeypatch.chdir(ROOT)
    store = Store()
    yield store
    store.close()


class Clock:
    """The usual clock, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class Unreachable(LocalExecutor):
    """Machines that cannot be reached any more: what is stopped there goes on all the same."""

    def stop(self, lease: Lease) -> None:
        pass


def running_now(store: Store) -> list[str]:
    return sorted(job.owner for job in store.list() if job.status == "running")


def test_several_run_at_once_one_of_each_owner_first(store):
    with running(store, LocalExecutor(FAKE_WORKER, "2")) as runner:
        jobs = [
            submit(store, "say there", "hang", owner=owner)
            for owner in ("ada", "ada", "bob", "ada")
        ]
        until(runner, lambda: all(says(runner, jobs[i], "there")() for i in (0, 2)))
        assert running_now(store) == ["ada", "bob"]
        store.request_cancel(jobs[2])
        until(runner, says(runner, jobs[1], "there"))
        assert running_now(store) == ["ada", "ada"]
        for job in jobs:
            store.request_cancel(job)
        finish(runner, *jobs)


def test_only_as_many_give_way_as_others_wait(store):
    with running(store, LocalExecutor(FAKE_WORKER, "2"), slice_seconds=0) as runner:
        for owner in ("ada", "bob"):
            submit(store, f"run {owner}", "until_give_way", "say leaving", "hang", owner=owner)
        until(runner, lambda: len(store.finished(["ada", "bob"])) == 2)
        assert not any(job.gives_way for job in runner.leases.values())
        submit(store, "run cem", owner="cem")
        until(runner, lambda: any(says(runner, job.id, "leaving")() for job in store.list()))
        runner.step()
        assert sum(job.gives_way for job in runner.leases.values()) == 1
        submit(store, "run dan", owner="dan")
        until(runner, lambda: all(job.gives_way for job in runner.leases.values()))


@posix_only
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("signal SIGSEGV", r"ended unexpectedly (signal 11, SIGSEGV"),
        ("exit SomeError: no /home/ada/secret/x.png", "exit code 3). SomeError: no x.png"),
    ],
)
def test_a_lost_job_is_started_three_times(store, line, reason):
    with running(store) as runner:
        broken, fine = submit(store, "run r1", line), submit(store, "run r2", owner="bob")
        finish(runner, broken, fine)
    job = store.get(broken)
    assert (job.status, job.attempts) == ("failed", MAX_ATTEMPTS)
    assert reason in job.reason and "started 3 times" in job.reason
    assert (store.get(fine).status, store.get(fine).attempts) == ("done", 1)
    assert store.get(fine).ended > job.ended, "each time it came back to the front"
    log = Path(os.environ["TL_HOME"], "logs", f"{broken}.txt").read_text(encoding="utf-8")
    assert reason in log


@posix_only
@pytest.mark.parametrize(
    ("counted", "reason"),
    [((5, 5), "signal 9, SIGKILL"), ((None, None), "most likely because memory ran out")],
)
def test_a_kill_without_evidence_changes_nothing(store, counted, reason):
    kills = iter(counted * MAX_ATTEMPTS)
    executor = LocalExecutor(FAKE_WORKER, kills=lambda: next(kills))
    with running(store, executor) as runner:
        job = submit(store, "signal SIGKILL")
        finish(runner, job)
    assert store.get(job).halvings == 0 and store.get(job).attempts == MAX_ATTEMPTS
    assert reason in store.get(job).reason


@posix_only
def test_a_kill_for_memory_halves_once_and_then_explains(store):
    counted = iter(range(100))
    executor = LocalExecutor(FAKE_WORKER, kills=lambda: next(counted))
    with running(store, executor) as runner:
        job = submit(store, "whose", "hang", owner="ada")
        until(runner, says(runner, job, "ada 0"))
        rewrite(store, job, "whose", "signal SIGKILL")
        os.kill(store.device()["pid"], signal.SIGKILL)
        finish(runner, job)
    assert (store.get(job).halvings, store.get(job).attempts) == (1, 2)
    assert "because memory ran out. " in store.get(job).reason
    assert "did not help" in store.get(job).reason


@posix_only
def test_one_kill_for_memory_explains_one_death(store):
    count = [7]
    executor = LocalExecutor(FAKE_WORKER, "2", kills=lambda: count[0])
    with running(store, executor) as runner:
        jobs = []
        for number in range(2):
            jobs.append(submit(store, f"say {number}", "hang", owner=str(number)))
            until(runner, says(runner, jobs[-1], str(number)))
        pids = [place.worker._process.pid for place in executor._places]
        count[0] += 1
        for job, pid in zip(jobs, pids, strict=True):
            rewrite(store, job, "run r1")
            os.kill(pid, signal.SIGKILL)
        finish(runner, *jobs)
    assert sorted(store.get(job).halvings for job in jobs) == [0, 1]


@posix_only
def test_a_frozen_worker_is_replaced_and_its_late_words_are_not_heard(store):
    clock = Clock()
    with running(store, Unreachable(FAKE_WORKER, "2"), clock=clock) as runner:
        job = submit(store, "say frozen", "freeze", "unfinished late")
        until(runner, says(runner, job, "frozen"))
        rewrite(store, job, "say again", "hang")
        frozen = next(p for p in runner._executor._places if p.lease == (job, 1))
        pid = frozen.worker._process.pid

        def moved() -> bool:
            clock.ahead += LEASE_SECONDS / 3
            return store.get(job).lease == 2

        until(runner, moved)
        until(runner, says(runner, job, "again"))
        os.kill(pid, signal.SIGCONT)
        until(runner, lambda: has_left(pid) and frozen.lease is None)
        assert store.events(job) == []
        assert store.get(job).status == "running"


@posix_only
def test_a_frozen_worker_is_ended(store):
    clock = Clock()
    with running(store, clock=clock) as runner:
        job = submit(store, "say frozen", "freeze")
        until(runner, says(runner, job, "frozen"))
        pid = store.device()["pid"]
        rewrite(store, job, "run r1")

        def lost() -> bool:
            clock.ahead += LEASE_SECONDS / 3
            return store.get(job).status != "running"

        until(runner, lost)
        finish(runner, job)
        assert (store.get(job).status, store.get(job).lease) == ("done", 2)
        assert has_left(pid)


def test_a_runner_that_slept_itself_takes_nobody_for_lost(store):
    clock = Clock()
    with running(store, clock=clock) as runner:
        job = submit(store, "say there", "hang")
        until(runner, says(runner, job, "there"))
        clock.ahead += 3600.0
        runner.step()
        assert store.get(job).status == "running" and runner.leases


@posix_only
def test_cancelling_what_does_not_listen_holds_nobody_up(store):
    """While the first worker is still being stopped, a whole job runs beside it."""
    with running(store, LocalExecutor(FAKE_WORKER, "2")) as runner:
        deaf = submit(store, "ignore_sigterm", "say deaf", "hang", owner="ada")
        until(runner, says(runner, deaf, "deaf"))
        place = next(p for p in runner._executor._places if p.lease)
        release = threading.Event()
        stop = place.worker.stop
        place.worker.stop = lambda: (release.wait(), stop())
        store.request_cancel(deaf)
        other = submit(store, "run r1", owner="bob")
        finish(runner, deaf, other)
        assert not place.free, "its process is not gone yet"
        release.set()
        until(runner, lambda: place.free)
    assert store.get(deaf).status == "cancelled"
    assert store.finished_run("r1") == run_ended("r1")


def test_nothing_starts_while_the_queue_is_held(store):
    with running(store) as runner:
        store.hold(True)
        until(runner, lambda: store.device() is not None)
        job = submit(store, "run r1")
        for _ in range(3):
            runner.step()
        assert store.get(job).status == "queued"
        store.hold(False)
        finish(runner, job)


def test_a_worker_acts_for_who_asked_and_is_told_only_of_their_runs(store):
    with running(store) as runner:
        first = submit(store, "run r1", owner="ada")
        finish(runner, first)
        for owner, reused in (("bob", False), ("ada", True)):
            job = submit(store, "run r1", owner=owner)
            finish(runner, job)
            assert store.events(job)[0][1].reused == reused
        job = submit(store, "whose", "hang", owner="bob")
        until(runner, says(runner, job, "bob 0"))


def test_a_spare_that_never_gets_ready_is_replaced(store, monkeypatch):
    monkeypatch.setenv("FAKE_NEVER_READY", "1")
    executor = LocalExecutor(FAKE_WORKER, ready_seconds=-1.0)
    with running(store, executor) as runner:
        until(runner, lambda: "did not get ready" in store.notice())
        monkeypatch.delenv("FAKE_NEVER_READY")
        executor._ready_seconds = 60.0
        job = submit(store, "run r1")
        finish(runner, job)
        assert store.get(job).status == "done"
        until(runner, lambda: store.notice() == "")


def test_the_next_worker_gets_ready_while_the_last_one_is_asked_to_leave(store):
    executor = LocalExecutor(FAKE_WORKER)
    with running(store, executor, slice_seconds=0) as runner:
        submit(store, "run r0", "until_give_way", "say leaving", "hang", owner="ada")
        until(runner, lambda: store.finished_run("r0") is not None)
        (place,) = executor._places
        assert place.spare is None, "no import beside what is being measured"
        submit(store, "run r1", owner="bob")
        until(runner, lambda: place.lease is not None and place.report is not None)


def test_a_job_in_its_last_run_is_about_to_leave():
    place = Place(0)
    started = replace(comparison_started(comparison_config()), planned_runs=2)
    seen = [started, run_started("r1"), run_ended("r1"), run_started("r2"), run_ended("r2")]
    assert [place.ends_soon(event) for event in seen] == [False, False, True, False, False]
    assert place.ends_soon(replace(started, planned_runs=1))


def test_each_graphics_card_gets_a_place(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("TL_THREADS", raising=False)
    monkeypatch.setattr(places, "cores", lambda: 8)
    cards = [environment(index, gpus=2, slots=0)["CUDA_VISIBLE_DEVICES"] for index in range(3)]
    assert cards == ["0", "1", "0"]
    assert "TL_THREADS" not in environment(0, gpus=2, slots=0)
    assert environment(1, gpus=0, slots=3)["TL_THREADS"] == "2"
    assert "CUDA_VISIBLE_DEVICES" not in environment(1, gpus=1, slots=3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    assert environment(1, gpus=2, slots=2)["CUDA_VISIBLE_DEVICES"] == "7"


def test_places_are_opened_once_the_cards_are_known(store, monkeypatch):
    executor = LocalExecutor(FAKE_WORKER, "auto")
    monkeypatch.setenv("FAKE_GPUS", "3")
    with running(store, executor) as runner:
        assert executor.free() == 1
        until(runner, lambda: executor.free() == 3)
        jobs = [submit(store, "say there", "hang", owner=str(i)) for i in range(3)]
        until(runner, lambda: all(says(runner, job, "there")() for job in jobs))
