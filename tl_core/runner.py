"""The queue's process: `python -m tl_core.runner`. No torch here; a crash of a job never hurts it.

It hands jobs to an executor, as many as that has places for, and alone writes what workers report
to the store. It ends when its standard input closes, so it never outlives the process that started
it, and leaves running jobs marked so: the next runner continues them.
"""

import contextlib
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import filelock

from tl_core import log, pipe
from tl_core.executor import Executor, Lease, Lost, NotReady
from tl_core.executors.choose import chosen
from tl_core.home import home
from tl_core.leases import SLICE_SECONDS, TICK_SECONDS, Leased
from tl_core.store import Store, StoreDamaged, StoreFull
from tl_core.tending import tended
from tl_core.vitals import Reporter

# A worker that says nothing for so long is taken for lost; it says something every few seconds.
LEASE_SECONDS = 25.0
# No job starts with less room than this: checkpoints and cached activations need it.
SMALLEST_ROOM_MB = 500


class Runner:
    """The queue of one data directory and who works on it; call `step` again and again.

    Raises NotReady if the executor cannot start.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        *,
        slice_seconds: float = SLICE_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        smallest_room_mb: float = SMALLEST_ROOM_MB,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.leases: dict[Lease, Leased] = {}
        self.displaced: list[Lease] = []
        self._executor, self._clock = executor, clock
        self._slice_seconds, self._lease_seconds = slice_seconds, lease_seconds
        self._smallest_room_mb = smallest_room_mb
        self._report: dict[str, Any] | None = None
        self._stepped = clock()
        self._shared = -slice_seconds
        store.requeue_running()
        executor.start()

    def step(self) -> None:
        """Do what is to be done now; waits for a message, at most a tick."""
        try:
            if self._has_room():
                self._start_waiting()
                self._share()
            self._hear()
            self._watch()
        except StoreFull:
            self._displace()
        self.leases = {lease: job for lease, job in self.leases.items() if not job.over}

    def close(self) -> None:
        """Stop all workers. Running jobs stay marked as running."""
        self._executor.close()
        with contextlib.suppress(StoreFull):
            for job in self.leases.values():
                job.write(now=True)
        self.leases = {}

    def _has_room(self) -> bool:
        free = shutil.disk_usage(self.store.path.parent).free / 1e6
        if free >= self._smallest_room_mb:
            self._announce(self._executor.trouble())
            return True
        self._announce(
            f"Only {free:.0f} MB are free on the disk that holds the data. Jobs wait until there "
            f"are {self._smallest_room_mb:.0f} MB."
        )
        return False

    def _announce(self, notice: str) -> None:
        if notice != self.store.notice():
            with contextlib.suppress(StoreFull):
                self.store.set_notice(notice)

    def _start_waiting(self) -> None:
        """Start jobs while there are places; what a full disk has displaced comes first."""
        while self.displaced:
            job_id, number = self.displaced[-1]
            self.store.give_back(job_id, front=True, lease=number)
            self.displaced.pop()
        for _ in range(self._executor.free()):
            job = self.store.claim()
            if job is None:
                return
            started = Leased(self.store, self._executor, job, self._clock)
            self.leases[started.lease] = started

    def _share(self) -> None:
        """Ask jobs to give way that have had their slice, as many as others would follow.

        Not at every step: with many slots and a long queue that would be all that the runner does.
        """
        if self._clock() - self._shared < self._slice_seconds / 10:
            return
        self._shared = self._clock()
        jobs = self.leases.values()
        served = [job for job in jobs if job.had(self._slice_seconds) and not job.gives_way]
        if not served:
            return
        line = self.store.line()
        for job in served:
            leaving = [other.job.owner for other in self.leases.values() if other.gives_way]
            own = leaving.count(job.job.owner)
            if line.due_before(job.job.owner, taken=len(leaving) - own) > own:
                job.give_way()

    def _hear(self) -> None:
        """Handle what workers have said; waits a tick for the first message."""
        for lease, message in self._executor.poll(TICK_SECONDS):
            job = self.leases.get(lease)
            if job is not None and not job.over:
                job.handle(message)
            elif not isinstance(message, (*pipe.LAST, Lost)):
                # It could not be reached when it was taken for lost, and works on for nobody.
                self._executor.stop(lease)
        report = self._executor.report()
        if report is not None and report is not self._report:
            self.store.set_device(report)
            self._report = report

    def _watch(self) -> None:
        """Write events; stop what is to be cancelled and what has fallen silent."""
        now = self._clock()
        # Where this process itself was held up, as on a machine put to sleep, nobody was silent.
        slept, self._stepped = now - self._stepped > self._lease_seconds / 2, now
        for job in self.leases.values():
            if slept:
                job.excuse()
            if not job.over:
                job.write()
                job.watch(self._lease_seconds)

    def _displace(self) -> None:
        """Stop all jobs on a full disk; they go to the front of the queue when there is room."""
        for lease, job in self.leases.items():
            if not job.over:
                job.stop()
                self.displaced.append(lease)
        time.sleep(TICK_SECONDS)


def main() -> int:
    """Run the queue until standard input closes; return at once if another runner does already."""
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    def wait_for_end() -> None:
        for _ in pipe.lines(0):
            pass
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=wait_for_end, daemon=True).start()
    lock = filelock.FileLock(home() / "runner.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return 0
    log.start("runner")
    try:
        with lock, tended() as (store, daily):
            return run(store, stopping, (daily.look, Reporter(store).look))
    except StoreDamaged as error:
        # The app says so, and what to do; nothing is written to what is left.
        log.warn("history damaged")
        print(error, file=sys.stderr)
        return 1


def run(store: Store, stopping: threading.Event, chores: Sequence[Callable[[], None]] = ()) -> int:
    """Work on the queue until told to stop; return 1 after saying why it cannot.

    `chores`: what else is to be looked at again and again.
    """
    try:
        runner = Runner(store, chosen(store.anyone_waits))
    except NotReady as error:
        log.warn("executor not ready")
        store.set_notice(str(error))
        print(error, file=sys.stderr)
        return 1
    log.note("runner started")
    with contextlib.closing(runner):
        while not stopping.is_set():
            for chore in chores:
                chore()
            runner.step()
    log.note("runner stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
