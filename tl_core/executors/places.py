"""One place for a job on this machine: the worker that has it, and the spare that is next."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from tl_core import pipe
from tl_core.cores import cores
from tl_core.events import ComparisonStarted, Event, RunEnded, RunFailed
from tl_core.executor import Lease
from tl_core.worker_process import WorkerProcess


class Place:
    """What happens at one place; the executor decides when.

    `waiting` is a submitted job that no worker has yet; `lease` is whose messages `worker` sends,
    None once it said its last or was stopped, though it may still be there.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.worker: WorkerProcess | None = None
        self.lease: Lease | None = None
        self.waiting: tuple[Lease, pipe.Job] | None = None
        self.spare: WorkerProcess | None = None
        self.report: dict[str, Any] | None = None
        self.kills: int | None = None
        self._stopping = False
        self._warmed = 0.0
        self._runs_left: int | None = None

    @property
    def free(self) -> bool:
        """Whether a job may come: none is here, and none is just being stopped."""
        return self.lease is None and self.waiting is None and not self._stopping

    def warm_up(self, start: Callable[[], WorkerProcess]) -> None:
        """Start a spare."""
        self.spare, self.report, self._warmed = start(), None, time.monotonic()

    def late(self, seconds: float) -> bool:
        """Return whether the spare should have been ready long ago."""
        waits = self.spare is not None and self.report is None
        return waits and time.monotonic() - self._warmed > seconds

    def drop_spare(self) -> None:
        """Do without the spare, whatever it is doing."""
        if self.spare is not None:
            stopped(self.spare)
        self.spare = self.report = None

    def hand_over(self) -> tuple[Lease, dict[str, Any]] | None:
        """Give the waiting job to the spare if it is ready and the worker before it is gone.

        Not earlier: what the old one still holds of the memory may be what the new one needs.
        """
        if self.waiting is None or self.spare is None or self.report is None or self.worker:
            return None
        (self.lease, job), self.waiting = self.waiting, None
        self.worker, report, self._runs_left = self.spare, self.report, None
        self.spare = self.report = None
        self.worker.send(job)
        return self.lease, report

    def stop(self) -> None:
        """End the job that is here; the place is free once its process is gone."""
        if self.worker is not None and self.lease is not None:
            self._stopping = True
            stopped(self.worker)
        self.lease = self.waiting = None

    def left(self) -> None:
        """Note that the worker's process is gone."""
        self.worker = self.lease = None
        self._stopping = False

    def ends_soon(self, event: Event) -> bool:
        """Return whether an event of the running job leaves it its last run."""
        if isinstance(event, ComparisonStarted):
            self._runs_left = event.planned_runs
        elif isinstance(event, RunEnded | RunFailed) and self._runs_left is not None:
            self._runs_left -= 1
        else:
            return False
        return self._runs_left == 1


def stopped(worker: WorkerProcess) -> threading.Thread:
    """Stop a worker without waiting for it: others have messages meanwhile."""
    thread = threading.Thread(target=worker.stop, daemon=True)
    thread.start()
    return thread


def environment(index: int, gpus: int, slots: int) -> dict[str, str]:
    """Return what a worker at a place has to know: its graphics card, and its share of the cores.

    `slots` is 0 where their number follows from the cards: then each may use all cores, as the
    very first worker did before it was known how many there are.
    """
    found = dict(os.environ)
    if gpus > 1:
        visible = [name for name in found.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
        names = visible or [str(number) for number in range(gpus)]
        found["CUDA_VISIBLE_DEVICES"] = names[index % len(names)]
    if slots > 1:
        found["TL_THREADS"] = str(max(1, cores() // slots))
    return found
