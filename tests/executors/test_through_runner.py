"""Runner, executor and worker together: what is lost moves, and results are the same anywhere."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from tests import running
from tests.executors.conftest import machines
from tests.executors.talking import FAKE_WORKER, wait_for_all
from tests.executors.test_ray_cluster import family, raylet
from tests.factories import epoch_ended, run_ended, run_started
from tl_core.events import JobEnded, RunEnded
from tl_core.runner import Runner
from tl_core.store import Store

ROOT = Path(__file__).parents[2]
END_SECONDS = 120


@pytest.fixture
def store(home):
    with contextlib.closing(Store()) as store:
        yield store


def until(runner, condition):
    """As `running.until`, with time for a cluster's slower starts."""
    for _ in range(8):
        with contextlib.suppress(pytest.fail.Exception):
            return running.until(runner, condition)
    return pytest.fail("the runner did not get there")


def finish(runner, *jobs):
    until(runner, lambda: not any(runner.store.get(job).active for job in jobs))


def said(store, job):
    """What a job says now."""
    progress = store.get(job).progress
    return "" if progress is None else progress.message


def pid_of(runner, job):
    """Wait until a job has said its process id, and return it."""
    until(runner, lambda: said(runner.store, job).isdecimal())
    return int(said(runner.store, job))


def test_trap_1_a_lost_job_goes_on_before_those_that_wait(make, store):
    with contextlib.closing(Runner(store, make(start=False), smallest_room_mb=0)) as runner:
        jobs = [
            running.submit(store, "run r1", "pid", "hang"),
            running.submit(store, "pid", "hang"),
        ]
        waiting = running.submit(store, "say waited")
        lost, other = (pid_of(runner, job) for job in jobs)
        running.rewrite(store, jobs[0], "run r1", "run r2")
        os.kill(lost, signal.SIGKILL)
        until(runner, lambda: store.get(jobs[0]).lease == 2 or not store.get(waiting).active)
        assert store.get(waiting).status == "queued"
        finish(runner, jobs[0], waiting)
        os.kill(other, 0)
    assert [event for _, event in store.events(jobs[0])] == [
        *(run_started("r1"), epoch_ended("r1", 1), run_ended("r1")),
        *(run_started("r2"), epoch_ended("r2", 1), run_ended("r2")),
        JobEnded(status="done"),
    ]


@pytest.mark.ray
def test_trap_3_a_job_on_a_frozen_machine_moves_and_nothing_is_written_twice(
    on_ray, cluster, store, home
):
    with contextlib.closing(
        Runner(store, on_ray(start=False), lease_seconds=8, smallest_room_mb=0)
    ) as runner:
        script = ("run r1", "pid", "until_give_way", "say late", "run r2")
        jobs = [running.submit(store, *script), running.submit(store, *script)]
        pids = {job: pid_of(runner, job) for job in jobs}
        (other,) = cluster.worker_nodes
        frozen = family(raylet(other))
        (away,) = [job for job in jobs if pids[job] in frozen]
        (here,) = [job for job in jobs if job != away]
        running.rewrite(store, away, "run r1", "run r2")
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            until(runner, lambda: store.get(away).status == "queued")
            store.request_cancel(here)
            finish(runner, away)
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        # It thaws and finds that nobody listens.
        running.until(runner, lambda: running.has_left(pids[away]))
    assert store.get(away).status == "done" and store.get(away).lease == 2
    assert [event for _, event in store.events(away)] == [
        *(run_started("r1"), epoch_ended("r1", 1), run_ended("r1")),
        *(run_started("r2"), epoch_ended("r2", 1), run_ended("r2")),
        JobEnded(status="done"),
    ]


def start_runner(**environment):
    """Start the runner as the app does, with fake workers."""
    return subprocess.Popen(
        [sys.executable, "-m", "tl_core.runner"],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "TL_WORKER_MODULE": FAKE_WORKER, "TL_SLOTS": "1", **environment},
    )


def leave(process):
    process.stdin.close()
    assert process.wait(END_SECONDS) == 0


def wait_for(condition):
    """Wait until the store says something of a job that another process runs."""
    for _ in range(END_SECONDS * 20):
        if condition():
            return
        # There is no message to wait for in this process.
        threading.Event().wait(0.05)
    pytest.fail("the job did not get there")


@pytest.fixture(params=["processes", pytest.param("ray", marks=pytest.mark.ray)])
def chosen(request):
    """The environment that chooses an executor."""
    if request.param == "processes":
        return {"TL_EXECUTOR": "local"}
    address = request.getfixturevalue("cluster").address
    return {"TL_EXECUTOR": "ray", "TL_RAY_ADDRESS": address}


def test_trap_7_after_a_kill_of_the_runner_no_worker_is_left_and_the_next_one_goes_on(
    chosen, store, home
):
    job = running.submit(store, "run r1", "say hanging", "hang")
    first = start_runner(**chosen)
    wait_for(lambda: said(store, job) == "hanging")
    running.rewrite(store, job, "run r1", "run r2")
    first.kill()
    first.wait()
    wait_for_all(home)
    second = start_runner(**chosen)
    wait_for(lambda: not store.get(job).active)
    leave(second)
    assert store.get(job).status == "done" and store.get(job).lease == 2
    ended = [event.run_id for _, event in store.events(job) if isinstance(event, RunEnded)]
    assert ended == ["r1", "r2"]
    wait_for_all(home)


@pytest.mark.ray
def test_trap_4_when_the_control_process_dies_the_runner_ends_and_the_next_one_goes_on(
    _token, store, home, monkeypatch
):
    # Ray itself gives up after a minute.
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "5")
    job = running.submit(store, "run r1", "say hanging", "hang")
    with machines() as broken:
        runner = start_runner(TL_EXECUTOR="ray", TL_RAY_ADDRESS=broken.address)
        wait_for(lambda: said(store, job) == "hanging")
        broken.head_node.kill_gcs_server(check_alive=False)
        assert runner.wait(END_SECONDS) != 0
        runner.stdin.close()
    wait_for_all(home)
    assert store.get(job).status == "running"
    running.rewrite(store, job, "run r1", "run r2")
    with machines() as cluster:
        runner = start_runner(TL_EXECUTOR="ray", TL_RAY_ADDRESS=cluster.address)
        wait_for(lambda: not store.get(job).active)
        leave(runner)
    assert store.get(job).status == "done"
    ended = [event.run_id for _, event in store.events(job) if isinstance(event, RunEnded)]
    assert ended == ["r1", "r2"]


def numbers(event):
    """A run's end without what a clock or a memory counter said."""
    result = msgspec.structs.replace(event.result, train_seconds=0.0, peak_memory_mb=None)
    curve = tuple(msgspec.structs.replace(epoch, seconds=0.0) for epoch in event.curve)
    return msgspec.structs.replace(event, result=result, curve=curve, seconds=None)


@pytest.mark.ray
def test_results_are_bit_for_bit_those_of_processes_here(
    on_processes, on_ray, small_comparison, home, tmp_path_factory
):
    found = []
    strategies = small_comparison.strategies[:2]
    config = msgspec.structs.replace(small_comparison, strategies=strategies, threads=1)
    for make in (on_processes, on_ray):
        with contextlib.closing(Store(tmp_path_factory.mktemp("store") / "s.sqlite3")) as store:
            # What the other left there would be taken from there.
            shutil.rmtree(home / "cache", ignore_errors=True)
            executor = make("tl_core.worker", start=False)
            with contextlib.closing(Runner(store, executor, smallest_room_mb=0)) as runner:
                job = store.create(config, "small")
                finish(runner, job)
            assert store.get(job).status == "done", store.get(job).reason
            events = [event for _, event in store.events(job)]
            found.append([numbers(event) for event in events if isinstance(event, RunEnded)])
    assert len(found[0]) >= 2
    assert found[0] == found[1]
