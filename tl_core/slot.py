"""A claimed job in its worker process, from the first message to the last."""

import contextlib
import time

from tl_core import pipe
from tl_core.events import Event, Progress, RunEnded
from tl_core.home import folder
from tl_core.store import Comparison, Store
from tl_core.worker_process import WorkerProcess

# How often events are written and cancel requests looked at.
TICK_SECONDS = 0.2


class Slot:
    """Brings one job's events into the store; `free` once the job has left the worker.

    Every change of the job's status is preceded by writing the events that led to it.
    """

    def __init__(self, store: Store, job: Comparison, worker: WorkerProcess) -> None:
        self.job = job
        self.worker = worker
        self.free = False
        self._store = store
        self._started = time.monotonic()
        self._asked_to_give_way = False
        self._written = 0.0
        self._pending: list[Event] = [Progress(message="Starting the training process")]

    def send_job(self) -> None:
        """Hand the job to its worker, which has to be ready."""
        self._started = time.monotonic()
        job = self.job
        self.worker.send(pipe.Job(job.id, job.kind, job.config, job.request, job.owner))

    def handle(self, message: pipe.FromWorker | None) -> None:
        """Act on a message of the worker; None says that its process is gone."""
        match message:
            case pipe.Ready():
                self.send_job()
            case pipe.Happened(event):
                self._pending.append(event)
                self.write(now=isinstance(event, RunEnded))
            case pipe.Ask(run_id):
                self.worker.send(pipe.Found(self._store.finished_run(run_id)))
            case pipe.Yielded():
                self.write(now=True)
                self._store.give_back(self.job.id)
                self.free = True
            case pipe.Done():
                self.write(now=True)
                self._store.finish(self.job.id, "done")
                self.free = True
            case pipe.Failed(reason):
                self._fail(reason)
            case None:
                self._fail(self.worker.death())

    def _fail(self, reason: str) -> None:
        self.write(now=True)
        self._store.finish(self.job.id, "failed", reason)
        self.free = True
        with contextlib.suppress(OSError):
            log = folder("logs") / f"{self.job.id}.txt"
            log.write_text(f"{reason}\n\n{self.worker.errors}\n", encoding="utf-8")

    def write(self, now: bool = False) -> None:
        """Write pending events, at most once a tick unless it must be now."""
        if self._pending and (now or time.monotonic() - self._written >= TICK_SECONDS):
            self._store.append(self.job.id, self._pending)
            self._pending.clear()
            self._written = time.monotonic()

    def watch(self, slice_seconds: float) -> None:
        """Cancel the job if that is wanted; ask it to give way when its slice is over."""
        if self._store.cancel_requested(self.job.id):
            self.worker.stop()
            self.write(now=True)
            self._store.finish(self.job.id, "cancelled")
            self.free = True
        elif (
            not self._asked_to_give_way
            and time.monotonic() - self._started >= slice_seconds
            and self._store.others_wait(self.job.owner)
        ):
            self._asked_to_give_way = True
            self.worker.send(pipe.GiveWay())
