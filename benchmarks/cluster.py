"""What does an executor cost, and how does a queue of 1,000 jobs grow with the slots?

    python -m benchmarks.cluster [--executors local,ray] [--jobs 1000] [--slots 1,2,4,8,16,32,64]
                                 [--owners 80] [--idle-jobs 40] [--write docs/cluster.md]

First, measured here: start, first word of a real worker and seconds per job that does nothing, on
two places each; Ray's are two machines simulated on this one. Then, simulated: the real runner and
the real store deal out jobs as long as the recorded comparisons of the samples were, to slots that
only count time, each start as slow as it was measured for Ray (or without it, for processes).
"""

import argparse
import contextlib
import itertools
import math
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks.rows import inserted, markdown
from benchmarks.simulated_slots import SimulatedSlots
from tl_core import pipe, recording
from tl_core.events import RunEnded
from tl_core.executor import Executor, Lost
from tl_core.runner import Runner
from tl_core.store import Store

# An owner in four brings as much as the queue takes from one person.
MANY: Final = 20
IDLE: Final = "benchmarks.idle_worker"
REAL: Final = "tl_core.worker"


class Cost(NamedTuple):
    """What an executor costs, in seconds; memory in MB of the cluster's own processes."""

    name: str
    start: float
    first_word: float
    per_idle_job: float
    memory: float | None = None


class Growth(NamedTuple):
    """What became of the queue on so many slots, in seconds; `runner`: of a real processor."""

    slots: int
    makespan: float
    few: tuple[float, float]
    many: tuple[float, float]
    starts: int
    runner: float


def main() -> int:
    """Measure, simulate, print, and write the tables if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--executors", default="local,ray", metavar="A,B")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--owners", type=int, default=80)
    parser.add_argument("--slots", default="1,2,4,8,16,32,64", metavar="A,B")
    parser.add_argument("--idle-jobs", type=int, default=40)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    costs = [cost(name, options.idle_jobs) for name in options.executors.split(",")]
    slots = [int(count) for count in options.slots.split(",")]
    overhead = costs[-1].first_word
    growth = [simulate(options.jobs, options.owners, count, overhead) for count in slots]
    texts = {"costs": cost_table(costs), "growth": growth_table(growth, options, overhead)}
    for name, text in texts.items():
        print(f"\n{text}")
        if options.write is not None:
            page = options.write.read_text(encoding="utf-8")
            page = inserted(page, text, f"<!-- {name} -->", f"<!-- /{name} -->")
            options.write.write_text(page, encoding="utf-8")
    return 0


def cost(name: str, idle_jobs: int) -> Cost:
    """Measure an executor, `local` or `ray`, in an empty data directory."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["TL_HOME"] = home
        if name == "local":
            from tl_core.executors.local import LocalExecutor

            return _cost("processes here", lambda module: LocalExecutor(module, "2"), idle_jobs)
        with _cluster() as address:
            from tl_core.executors.ray_tasks import RayTasks

            memory = _memory_mb(os.getpid())
            measured = _cost("Ray tasks", lambda module: RayTasks(address, module), idle_jobs)
            return measured._replace(memory=memory)


@contextlib.contextmanager
def _cluster() -> Iterator[str]:
    """Have a cluster of two machines, a processor each, and return its address."""
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    # Else its workers would wait for whatever else this machine does.
    os.environ |= {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()


def _cost(name: str, make: Callable[[str], Executor], idle_jobs: int) -> Cost:
    began = time.perf_counter()
    with _started(make(REAL)) as executor:
        start = time.perf_counter() - began
        while executor.report() is None:
            executor.poll(0.2)
        first_words = [_first_word(executor, number) for number in range(3)]
    with _started(make(IDLE)) as executor:
        while executor.report() is None:
            executor.poll(0.2)
        began = time.perf_counter()
        _finish(executor, idle_jobs)
        per_job = (time.perf_counter() - began) / idle_jobs
    return Cost(name, start, statistics.median(first_words), per_job)


@contextlib.contextmanager
def _started(executor: Executor) -> Iterator[Executor]:
    executor.start()
    with contextlib.closing(executor):
        yield executor


def _first_word(executor: Executor, number: int) -> float:
    """Return the seconds from submitting a job until its worker, with torch, is ready."""
    lease = (f"real{number}", 1)
    while not executor.free():
        executor.poll(0.01)
    began, heard = time.perf_counter(), math.nan
    executor.submit(lease, pipe.Job(lease[0], "nothing", None, {}))
    while True:
        for _, message in executor.poll(0.2):
            if isinstance(message, pipe.Ready):
                heard = time.perf_counter() - began
            elif isinstance(message, (*pipe.LAST, Lost)):
                return heard


def _finish(executor: Executor, jobs: int) -> None:
    """Have jobs done that do nothing, as many at a time as there are places."""
    waiting, ended = [(f"idle{number}", 1) for number in range(jobs)], 0
    while ended < jobs:
        while waiting and executor.free():
            lease = waiting.pop()
            executor.submit(lease, pipe.Job(lease[0], "nothing", None, {}))
        for _, message in executor.poll(0.02):
            if isinstance(message, Lost):
                raise RuntimeError(message.reason)
            ended += isinstance(message, pipe.LAST)


def _memory_mb(pid: int) -> float:
    """Return the memory of all that a process started, shared pages counted once."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    total = 0
    for member in family[1:]:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def job_lengths() -> list[list[float]]:
    """Return the seconds of each run in the recorded comparison of each sample."""
    lengths = []
    for path in sorted(recording.FOLDER.glob(f"*{recording.SUFFIX}")):
        moments = recording.read(path).moments
        ends = [0.0, *(at for at, event in moments if isinstance(event, RunEnded))]
        lengths.append([later - earlier for earlier, later in itertools.pairwise(ends)])
    return lengths


def simulate(jobs: int, owners: int, slots: int, overhead: float) -> Growth:
    """Queue the jobs at once and let the runner deal them out until all are done."""
    lengths = job_lengths()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["TL_HOME"] = home
        with contextlib.closing(Store()) as store:
            names: dict[str, str] = {}
            for number, owner in enumerate(_owner_of_each(jobs, owners)):
                names[store.create(None, f"job {number}", owner)] = owner
            runs = {job: lengths[index % len(lengths)] for index, job in enumerate(names)}
            simulated = SimulatedSlots(slots, runs, overhead)
            began = time.process_time()
            runner = Runner(
                store,
                simulated,
                lease_seconds=math.inf,
                smallest_room_mb=0,
                clock=lambda: simulated.now,
            )
            while len(simulated.last) < jobs:
                runner.step()
            runner.close()
            busy = time.process_time() - began
    waits = {True: [], False: []}
    for owner, own in itertools.groupby(sorted(names, key=names.__getitem__), names.__getitem__):
        waits[owner.startswith("many")].append(min(simulated.first[job] for job in own))
    few, many = ((_at(waits[kind], 50), _at(waits[kind], 95)) for kind in (False, True))
    return Growth(slots, max(simulated.last.values()), few, many, simulated.starts, busy)


def _owner_of_each(jobs: int, owners: int) -> list[str]:
    """Return whose each job is: a quarter of the owners have MANY, who came first, others share."""
    many = [f"many{number}" for number in range(owners // 4)]
    few = [f"few{number}" for number in range(owners - len(many))]
    first = [owner for owner in many for _ in range(MANY)][: jobs // 2]
    rest = list(itertools.islice(itertools.cycle(few), jobs - len(first)))
    return first + rest


def _at(values: Sequence[float], percentile: float) -> float:
    return float(np.percentile(values, percentile)) if values else math.nan


def cost_table(costs: Sequence[Cost]) -> str:
    """Return the measured costs as Markdown."""
    heads = ["executor", "start s", "submit → ready s", "job that does nothing s", "memory MB"]
    lines = [
        [
            row.name,
            f"{row.start:.1f}",
            f"{row.first_word:.2f}",
            f"{row.per_idle_job:.2f}",
            "–" if row.memory is None else f"{row.memory:.0f}",
        ]
        for row in costs
    ]
    return markdown(heads, lines)


def growth_table(growth: Sequence[Growth], options: argparse.Namespace, overhead: float) -> str:
    """Return the simulated queues as Markdown, with what was assumed."""
    heads = [
        "slots",
        "all done after",
        "times one slot",
        "first slice: few jobs, p50 / p95",
        "first slice: many jobs, p50 / p95",
        "starts",
        "runner's processor time a job",
    ]
    base = growth[0].makespan * growth[0].slots
    lines = [
        [
            str(row.slots),
            _clock(row.makespan),
            f"{base / row.makespan:.1f}",
            " / ".join(map(_clock, row.few)),
            " / ".join(map(_clock, row.many)),
            str(row.starts),
            f"{1000 * row.runner / options.jobs:.0f} ms",
        ]
        for row in growth
    ]
    mean = statistics.mean(sum(runs) for runs in job_lengths())
    return (
        f"{options.jobs} jobs of {options.owners} people, {mean:.0f} s each on average, queued at "
        f"once; a quarter of the people, who came first, have {MANY} each. Every start costs "
        f"{overhead:.1f} s.\n\n{markdown(heads, lines)}"
    )


def _clock(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    sys.exit(main())
