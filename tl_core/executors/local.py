"""Jobs in worker processes of this machine, with spares that have torch imported already."""

import contextlib
import queue
from collections.abc import Callable, Sequence
from typing import Any

from tl_core import pipe
from tl_core.executor import Lease, Lost, NotReady, Told
from tl_core.executors.memory_kills import memory_kills
from tl_core.executors.places import Place, environment, stopped
from tl_core.worker_process import WorkerProcess

# Importing takes a few seconds, a minute from a cold and slow disk.
READY_SECONDS = 180.0


class LocalExecutor:
    """`slots` places for jobs: a number, or "auto" for one on each graphics card.

    `worker_module` is what a worker process executes: anything that speaks `pipe`. `jobs_wait`
    says whether a job would start if there were a place for it.

    A spare is started once its place has no job: importing torch beside a job would slow what is
    being measured. With one exception: where the job is about to leave to others that wait, its
    last run is slowed a little, and the others get those seconds at every change of slices.
    """

    def __init__(
        self,
        worker_module: str = "tl_core.worker",
        slots: str = "1",
        *,
        jobs_wait: Callable[[], bool] = lambda: False,
        ready_seconds: float = READY_SECONDS,
        kills: Callable[[], int | None] = memory_kills,
    ) -> None:
        self._module, self._slots = worker_module, slots
        self._jobs_wait, self._ready_seconds, self._kills = jobs_wait, ready_seconds, kills
        self._inbox: queue.SimpleQueue[tuple[WorkerProcess, pipe.FromWorker | None]]
        self._inbox = queue.SimpleQueue()
        self._told: list[Told] = []
        self._places = [Place(index) for index in range(int(slots) if slots.isdecimal() else 1)]
        self._report: dict[str, Any] | None = None
        self._gpus: int | None = None
        self._trouble = ""

    def start(self) -> None:
        """Start the first spare, whose report says how many places there are to be."""
        if not self._places or not (self._slots == "auto" or self._slots.isdecimal()):
            raise NotReady(
                f"TL_SLOTS is '{self._slots}': give a whole number from 1, or 'auto' for one job "
                "on each graphics card."
            )
        self._settle(self._places[0])

    def report(self) -> dict[str, Any] | None:
        """Return what the latest worker that got ready reported."""
        return self._report

    def trouble(self) -> str:
        """Return why the latest spare could not start; it is tried again with the next job."""
        return self._trouble

    def free(self) -> int:
        """Return how many places have no job."""
        return sum(place.free for place in self._places)

    def submit(self, lease: Lease, job: pipe.Job) -> None:
        """Give a job to a free place, one whose spare is ready if there is one."""
        free = [place for place in self._places if place.free]
        place = max(free, key=lambda place: (place.report is not None, place.spare is not None))
        place.waiting = lease, job
        self._settle(place)

    def send(self, lease: Lease, message: pipe.ToWorker) -> None:
        """Pass a message on; a worker that is to give way gets its successor ready."""
        for place in self._places:
            if place.lease == lease and place.worker is not None:
                place.worker.send(message)
                if isinstance(message, pipe.GiveWay):
                    self._warm_up(place)

    def stop(self, lease: Lease) -> None:
        """End a lease's process; returns at once, the process is gone within 2 seconds."""
        for place in self._places:
            if lease in (place.lease, place.waiting and place.waiting[0]):
                place.stop()
                self._settle(place)
        self._told = [told for told in self._told if told[0] != lease]

    def poll(self, seconds: float) -> Sequence[Told]:
        """Return what workers said; waits for the first message, whoever sent it."""
        with contextlib.suppress(queue.Empty):
            if self._told:
                seconds = 0.0
            self._handle(*self._inbox.get(timeout=seconds) if seconds else self._inbox.get_nowait())
            for _ in range(self._inbox.qsize()):
                self._handle(*self._inbox.get_nowait())
        for place in self._places:
            if place.late(self._ready_seconds):
                place.drop_spare()
                self._no_spare(place, "The training process did not get ready in time.")
        told, self._told = self._told, []
        return told

    def close(self) -> None:
        """Stop all workers and return when they are gone."""
        workers = [w for place in self._places for w in (place.worker, place.spare) if w]
        for thread in [stopped(worker) for worker in workers]:
            thread.join()
        self._places = []

    def _settle(self, place: Place) -> None:
        """Have a spare where it is time for one, and a job where a spare is ready."""
        if place.lease is None and (place.waiting or not self._trouble):
            self._warm_up(place)
        handed = place.hand_over()
        if handed is not None:
            lease, report = handed
            place.kills = self._kills()
            self._told.append((lease, pipe.Ready(report)))

    def _warm_up(self, place: Place) -> None:
        # Which card a place has is not known before the first report.
        too_early = place.index and self._gpus is None and not self._trouble
        if place.spare is not None or too_early:
            return
        slots = 0 if self._slots == "auto" else int(self._slots)
        variables = environment(place.index, self._gpus or 0, slots)
        try:
            place.warm_up(
                lambda: WorkerProcess(self._module, lambda *said: self._inbox.put(said), variables)
            )
        except OSError as error:
            self._no_spare(place, f"No training process could be started ({error.strerror}).")

    def _no_spare(self, place: Place, reason: str, details: str = "") -> None:
        # Not tried again before there is a job: an installation that cannot start a worker would
        # do nothing else.
        self._trouble = reason
        if place.waiting is not None:
            lease, place.waiting = place.waiting[0], None
            self._told.append((lease, Lost(reason, details=details)))
        for other in self._places:
            if other.waiting is not None:
                self._settle(other)

    def _handle(self, worker: WorkerProcess, message: pipe.FromWorker | None) -> None:
        for place in self._places:
            if worker is place.spare:
                self._hear_spare(place, worker, message)
            elif worker is place.worker:
                self._hear(place, worker, message)

    def _hear_spare(
        self, place: Place, worker: WorkerProcess, message: pipe.FromWorker | None
    ) -> None:
        if isinstance(message, pipe.Ready):
            place.report = self._report = message.report
            self._trouble = ""
            if self._gpus is None:
                self._grow(int(message.report.get("gpus", 0)))
            self._settle(place)
        elif message is None:
            was_ready, place.spare, place.report = place.report is not None, None, None
            if not was_ready:
                self._no_spare(place, worker.death(), worker.errors)
            self._settle(place)

    def _hear(self, place: Place, worker: WorkerProcess, message: pipe.FromWorker | None) -> None:
        lease = place.lease
        if message is None:
            memory = self._ended_for_memory(place, worker)
            place.left()
            if lease is not None:
                lost = Lost(worker.death(memory), bool(memory), worker.errors)
                self._told.append((lease, lost))
            self._settle(place)
        elif lease is not None:
            self._told.append((lease, message))
            if isinstance(message, pipe.LAST):
                place.lease = None
                self._settle(place)
            elif (
                isinstance(message, pipe.Happened)
                and place.ends_soon(message.event)
                and self._jobs_wait()
            ):
                self._warm_up(place)

    def _ended_for_memory(self, place: Place, worker: WorkerProcess) -> bool | None:
        """Return whether a worker died for want of memory, None where that cannot be known."""
        now = self._kills()
        if now is None or place.kills is None:
            return None
        if not worker.was_killed or now <= place.kills:
            return False
        # One kill explains one death.
        for other in self._places:
            other.kills = None if other.kills is None else other.kills + 1
        return True

    def _grow(self, gpus: int) -> None:
        """Open the other places once it is known how many graphics cards there are."""
        self._gpus = gpus
        if self._slots == "auto":
            self._places += [Place(index) for index in range(1, gpus)]
        for place in self._places[1:]:
            self._settle(place)
