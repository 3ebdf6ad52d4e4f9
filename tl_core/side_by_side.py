"""A sweep in several processes side by side, each on its share of the cores.

One run on two cores does not take half as long as on one: two runs, each on a core of its own, are
done earlier. Every process goes through the whole sweep and takes whatever run nobody has taken.
"""

import contextlib
import errno
import functools
import queue
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from tl_core import catalog, device, memory, owners, pipe
from tl_core.claims import Claims
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.earlier import Finished
from tl_core.events import (
    ComparisonStarted,
    Event,
    MicroBatchHalved,
    PointFailed,
    SweepEnded,
    SweepStarted,
)
from tl_core.merged import Merged
from tl_core.sweep import Sweep
from tl_core.worker_process import WorkerProcess

# More processes than this would wait for memory rather than for cores.
MOST: Final = 8
# A process that works says that it does every few seconds.
SILENT_SECONDS: Final = 5 * pipe.ALIVE_SECONDS


class _Alone(Exception):
    """Memory is too short for several processes, or one of them has died."""


@dataclass(frozen=True)
class Shares:
    """How many processes work on a sweep, and the sweep as each of them executes it."""

    processes: int
    sweep: Sweep
    cores: int

    @property
    def note(self) -> str:
        """Say what it means for the seconds that are measured."""
        threads = self.sweep.points[0].config.threads
        return (
            f"{self.processes} runs at a time, each on {threads} of {self.cores} cores: the "
            "seconds of a run are those of its share."
        )


def shares(sweep: Sweep) -> Shares | None:
    """Return how a sweep is shared out, or None where it is better run in one process.

    That is on a graphics card, with one core, with a stated number of threads, where memory is
    short, and where points differ in what is opened for them: each process opens all of it.
    """
    configs = [point.config for point in sweep.points]
    first = configs[0]
    if first.threads or len({_opened(config) for config in configs}) > 1:
        return None
    trained = sum(s.solver == "steps" for config in configs for s in config.strategies)
    whole = device.resolve(first.device, first.precision, 0)
    processes = min(whole.threads, trained * first.seeds, MOST)
    row = catalog.catalog().get(first.backbone)
    if whole.device != "cpu" or processes < 2 or row is None:
        return None
    with contextlib.suppress(NotPossible):
        row = catalog.at_size(row, first.input_size)
    processes = min(processes, memory.free_bytes() // memory.training_bytes(row, whole))
    if processes < 2:
        return None
    share = device.resolve("cpu", first.precision, whole.threads // processes)
    # Settled here: processes that each measured which precision is faster could disagree.
    settled = {"device": "cpu", "precision": share.precision, "threads": share.threads}
    points = tuple(
        msgspec.structs.replace(point, config=msgspec.structs.replace(point.config, **settled))
        for point in sweep.points
    )
    return Shares(processes, msgspec.structs.replace(sweep, points=points), whole.threads)


def _opened(config: ComparisonConfig) -> tuple[object, ...]:
    return config.backbone, config.weights_sha256, config.input_size, config.data


def run_side_by_side(
    sweep: Sweep,
    shared: Shares,
    finished: Finished,
    alone: Callable[[Sweep], Iterator[Event]],
    halvings: int = 0,
) -> Iterator[Event]:
    """Yield the events of a sweep whose runs several processes execute.

    Those of different points may follow each other, each after its point's `PointStarted`.
    `finished` as in `run_sweep`. `alone` runs a sweep in this process: what is left where memory
    turns out to be too short for several. Raises NotPossible where a process cannot go on.
    """
    started = time.perf_counter()
    yield SweepStarted(sweep=msgspec.structs.replace(sweep, notes=(*sweep.notes, shared.note)))
    merged = Merged(shared.processes)
    try:
        with _Processes(shared, finished, halvings) as processes:
            for number, event in processes.events():
                yield from merged.add(number, event)
    except _Alone:
        merged.alone()
        for event in alone(shared.sweep):
            yield from merged.add(0, event)
    yield SweepEnded(seconds=time.perf_counter() - started)


class _Processes:
    """The processes, and what they say; they end with the block."""

    def __init__(self, shared: Shares, finished: Finished, halvings: int) -> None:
        self.shared, self.finished, self.halvings = shared, finished, halvings
        self._inbox: queue.SimpleQueue[tuple[int, pipe.FromWorker | None]] = queue.SimpleQueue()
        self._all: list[WorkerProcess] = []
        # When each that works was heard last, whether or not it is its turn to be listened to.
        self._heard: dict[int, float] = {}

    def __enter__(self) -> "_Processes":
        for number in range(self.shared.processes):
            hear = functools.partial(self._hear, number)
            self._all.append(WorkerProcess("tl_core.worker", hear))
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.stop()

    def events(self) -> Iterator[tuple[int, Event]]:
        """Yield events with the number of the process that sent them, until all are done.

        Raises _Alone, and NotPossible with the reason that a process gave.
        """
        claims = Claims(self.finished, lambda number, found: self._all[number].send(found))
        opened, ready, working = False, set[int](), set(range(len(self._all)))
        while working:
            number, message = self._next(working - ready)
            match message:
                case pipe.Ready():
                    ready.add(number)
                case pipe.Ask():
                    claims.asked(number, message)
                case pipe.Happened(event):
                    if isinstance(event, MicroBatchHalved):
                        raise _Alone
                    claims.happened(event)
                    yield number, event
                    opened = opened or isinstance(event, ComparisonStarted | PointFailed)
                case pipe.Done():
                    working.discard(number)
                    opened = True
                case pipe.Failed(reason, details):
                    print(details, file=sys.stderr)
                    raise NotPossible(reason)
                case pipe.Full():
                    raise OSError(errno.ENOSPC, "No space left on device")
                case None if number in working:
                    raise _Alone
            # What the first one opens, the others then find on the disk.
            for waits in sorted(ready if opened else ready & {0}):
                ready.discard(waits)
                self._heard[waits] = time.monotonic()
                self._all[waits].send(self._job())

    def _hear(self, number: int, _process: WorkerProcess, message: pipe.FromWorker | None) -> None:
        self._heard[number] = time.monotonic()
        self._inbox.put((number, message))

    def _next(self, working: Iterable[int]) -> tuple[int, pipe.FromWorker | None]:
        """Return what a process says next, and its number; raises _Alone if one has frozen."""
        while True:
            said = None
            with contextlib.suppress(queue.Empty):
                said = self._inbox.get(timeout=pipe.ALIVE_SECONDS)
            since = time.monotonic() - SILENT_SECONDS
            if any(self._heard.get(number, since) < since for number in working):
                raise _Alone
            if said is not None:
                return said

    def _job(self) -> pipe.Job:
        request = {"sweep": msgspec.to_builtins(self.shared.sweep)}
        return pipe.Job("", "share", None, request, owners.current(), self.halvings)
