"""What only a cluster can do wrong: machines die and freeze, tokens are wrong, demands unmet."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.executors.conftest import TOKEN
from tests.executors.talking import FAKE_WORKER, Talk, is_last, wait_for_end
from tests.factories import comparison_config
from tl_core import pipe
from tl_core.executor import Lost, NotReady

pytestmark = pytest.mark.ray
ROOT = Path(__file__).parents[2]


def family(pid: int) -> list[int]:
    """Return a process and all that it started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it has just ended
    members = [pid]
    for member in members:
        members += [child for child, parent in parents.items() if parent == member]
    return members


def raylet(node) -> int:
    """Return the process id of a simulated machine's own process."""
    return node.all_processes["raylet"][0].process.pid


def a_job_on_each(talk, cluster):
    """Start two jobs that hang; return the lease on the head, that on the other machine, pids."""
    leases = [talk.start(name, "say 0", "pid", "hang") for name in "ab"]
    talk.until(lambda: all(len(talk.words(lease)) == 2 for lease in leases))
    pids = {lease: int(talk.words(lease)[1]) for lease in leases}
    (other,) = cluster.worker_nodes
    there = family(raylet(other))
    (away,) = [lease for lease in leases if pids[lease] in there]
    (here,) = [lease for lease in leases if lease != away]
    return other, here, away, pids


def test_a_machine_that_dies_loses_only_its_own_job_which_finishes_elsewhere(on_ray, cluster, home):
    executor = on_ray()
    talk = Talk(executor)
    other, here, away, pids = a_job_on_each(talk, cluster)
    cluster.remove_node(other, allow_graceful=False)
    assert isinstance(talk.last(away), Lost)
    wait_for_end(home, pids[away])
    assert not any(is_last(message) for message in talk.told[here])
    executor.stop(here)
    again = talk.start("a", "run r1", start=2)
    assert talk.last(again) == pipe.Done()
    # Ray may notice a machine that is gone after the job has ended elsewhere.
    talk.until(lambda: executor.free() <= 1)


def test_trap_3_a_machine_that_freezes_is_silent_and_blocks_nothing(on_ray, cluster, home):
    executor = on_ray()
    talk = Talk(executor)
    other, here, away, pids = a_job_on_each(talk, cluster)
    frozen = family(raylet(other))
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        # Its lease has run out: the runner gives up what runs there and submits it again.
        executor.stop(away)
        executor.stop(here)
        again = talk.start("a", "say moved", "run r1", start=2)
        assert talk.last(again) == pipe.Done()
        assert not any(is_last(message) for message in talk.told[away])
        assert executor.free() <= 1, "the place on the frozen machine is not free"
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    wait_for_end(home, pids[away])
    talk.until(lambda: executor.free() == 2)


def test_a_machine_that_froze_before_a_job_came_does_not_keep_it(cluster, home):
    from tl_core.executors.ray_tasks import RayTasks

    executor = RayTasks(cluster.address, FAKE_WORKER)
    executor.start()
    talk = Talk(executor)
    (other,) = cluster.worker_nodes
    frozen = family(raylet(other))
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        executor._ready_seconds = 15.0
        first = [talk.start(name, "say hello", "until_give_way") for name in "ab"]
        talk.until(lambda: any(is_last(m) for lease in first for m in talk.told[lease]))
        (lost,) = [lease for lease in first if is_last(talk.told[lease][-1])]
        assert talk.told[lost] == [Lost("The training process did not get ready in time.")]
        (other_lease,) = set(first) - {lost}
        assert talk.words(other_lease) == ["hello"]
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        executor.close()


def test_trap_6_a_demand_that_nobody_can_meet_is_refused(on_ray):
    talk = Talk(on_ray())
    config = msgspec.structs.replace(comparison_config(), device="cuda")
    talk.executor.submit(("a", 1), pipe.Job("a", "compare", config, {}))
    assert talk.last(("a", 1)) == pipe.Failed(
        "No machine of the cluster has a graphics card. Choose the CPU as device."
    )
    assert talk.executor.free() == 2


def test_graphics_cards_are_the_places_where_there_are_any(cluster, home):
    from tl_core.executors.ray_tasks import RayTasks

    node = cluster.add_node(num_cpus=1, num_gpus=2)
    try:
        executor = RayTasks(cluster.address, FAKE_WORKER, slots=2)
        executor.start()
        try:
            assert executor.free() == 4
            talk = Talk(executor)
            leases = [talk.start(name, "say hello", "run r1") for name in "abcde"]
            assert {talk.last(lease) for lease in leases} == {pipe.Done()}
        finally:
            executor.close()
    finally:
        cluster.remove_node(node)


START = """
import sys
from tl_core.executor import NotReady
from tl_core.executors.ray_tasks import RayTasks
try:
    RayTasks(sys.argv[1], "tests.fake_worker").start()
except NotReady as error:
    sys.exit(str(error))
"""


def start_with(address, home, **environment):
    """Start an executor in a process with that token, and return what it says if it cannot."""
    bare = {name: value for name, value in os.environ.items() if name not in TOKEN}
    done = subprocess.run(
        [sys.executable, "-c", START, address],
        env={**bare, **environment, "HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


def test_trap_5_a_wrong_token_is_refused_and_a_missing_one_too(cluster, home):
    assert start_with(cluster.address, home, **TOKEN) == ""
    wrong = {**TOKEN, "RAY_AUTH_TOKEN": "f" * 64}
    assert "refuses this token" in start_with(cluster.address, home, **wrong)
    assert "no token for the cluster" in start_with(cluster.address, home, RAY_AUTH_MODE="token")
    assert "Set RAY_AUTH_MODE=token" in start_with(cluster.address, home)


def test_an_installation_that_cannot_start_a_worker_says_so(cluster, home):
    from tl_core.executors.ray_tasks import RayTasks

    with pytest.raises(NotReady, match=r"cannot run Transfer Lab.*no_such_module"):
        RayTasks(cluster.address, "tests.no_such_module").start()
