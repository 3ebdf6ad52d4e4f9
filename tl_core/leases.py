"""A claimed job at the executor, from the start to the last message."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from tl_core import log, pipe
from tl_core.events import Event, Progress, RunEnded
from tl_core.executor import Executor, Lease, Lost
from tl_core.home import folder
from tl_core.store import Comparison, Store
from tl_core.store.queue import Ending

# How often events are written and cancel requests looked at.
TICK_SECONDS = 0.2
# A job may keep its place this long while somebody else waits.
SLICE_SECONDS = 20.0


class Leased:
    """Brings what one start of a job reports into the store; `over` once it has left the executor.

    Every change of the job's status is preceded by writing the events that led to it, and nothing
    is written once the job was started again.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        job: Comparison,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.job = job
        self.lease: Lease = (job.id, job.lease)
        self.over = False
        self.gives_way = False
        self._store, self._executor, self._clock = store, executor, clock
        # None until a worker has the job: until then nobody can be silent.
        self._started: float | None = None
        self._heard = 0.0
        self._written = 0.0
        self._pending: list[Event] = [Progress(message="Starting the training process")]
        log.note("job started", job=job.id, lease=job.lease, kind=job.kind)
        executor.submit(
            self.lease,
            pipe.Job(job.id, job.kind, job.config, job.request, job.owner, job.halvings),
        )

    def handle(self, message: pipe.FromWorker | Lost) -> None:
        """Act on what the worker said."""
        self.excuse()
        match message:
            case pipe.Ready():
                self._started = self._clock()
            case pipe.Happened(event):
                self._pending.append(event)
                self.write(now=isinstance(event, RunEnded))
            case pipe.Ask(run_id):
                found = self._store.finished_run(run_id, self.job.owner)
                self._executor.send(self.lease, pipe.Found(found))
            case pipe.Yielded():
                self.write(now=True)
                self._store.give_back(self.job.id, lease=self.job.lease)
                self._note("job gave way")
                self.over = True
            case pipe.Done():
                self._finish("done")
            case pipe.Failed(reason, details):
                self._finish("failed", reason)
                self._log(reason, details)
            case Lost():
                self._lose(message)

    def write(self, now: bool = False) -> None:
        """Write pending events, at most once a tick unless it must be now."""
        if self._pending and (now or self._clock() - self._written >= TICK_SECONDS):
            self._store.append(self.job.id, self._pending, lease=self.job.lease)
            self._pending.clear()
            self._written = self._clock()

    def excuse(self) -> None:
        """Count the worker's silence from now on."""
        self._heard = self._clock()

    def watch(self, lease_seconds: float) -> None:
        """Stop the job if that is wanted, or if nothing was heard of it for too long."""
        if self._store.cancel_requested(self.job.id, lease=self.job.lease):
            self.stop()
            self._finish("cancelled")
        elif self._started is not None and self._clock() - self._heard > lease_seconds:
            self.stop()
            self._lose(Lost("The training process stopped answering."))

    def had(self, seconds: float) -> bool:
        """Return whether a worker has had the job for so long."""
        return self._started is not None and self._clock() - self._started >= seconds

    def give_way(self) -> None:
        """Ask the job to leave after its next finished run."""
        self.gives_way = True
        self._executor.send(self.lease, pipe.GiveWay())

    def stop(self) -> None:
        """End the job's process; what becomes of the job is left open."""
        self._executor.stop(self.lease)
        self.over = True

    def _finish(self, status: Ending, reason: str = "") -> None:
        self.write(now=True)
        self._store.finish(self.job.id, status, reason, lease=self.job.lease)
        self._note("job ended", status=status)
        self.over = True

    def _lose(self, lost: Lost) -> None:
        self.write(now=True)
        self._store.lose(self.job.id, lost.reason, lease=self.job.lease, memory=lost.memory)
        self._note("job lost", memory=lost.memory)
        self.over = True
        self._log(lost.reason, lost.details)

    def _note(self, event: str, **fields: Any) -> None:
        began = self._started
        seconds = None if began is None else round(self._clock() - began, 1)
        log.note(event, job=self.job.id, lease=self.job.lease, seconds=seconds, **fields)

    def _log(self, reason: str, details: str) -> None:
        with contextlib.suppress(OSError):
            told = folder("logs") / f"{self.job.id}.txt"
            told.write_text(f"{reason}\n\n{details}\n", encoding="utf-8")
