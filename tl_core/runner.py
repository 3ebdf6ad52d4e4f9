"""The queue's process: `python -m tl_core.runner`. No torch here; a crash of a job never hurts it.

It keeps one warm spare worker, gives it the next job, and alone writes what workers report to the
store. It ends when its standard input closes, so it never outlives the process that started it,
and leaves running jobs marked so: the next runner continues them.
"""

import contextlib
import os
import queue
import shutil
import signal
import sys
import threading
import time
from types import FrameType

import filelock

from tl_core import pipe
from tl_core.home import home
from tl_core.slot import TICK_SECONDS, Slot
from tl_core.store import Store, StoreDamaged, StoreFull
from tl_core.tending import tended
from tl_core.worker_process import WorkerProcess

# A job may keep its slot this long while somebody else waits.
SLICE_SECONDS = 20.0
# No job starts with less room than this: checkpoints and cached activations need it.
SMALLEST_ROOM_MB = 500


class Runner:
    """Queue and workers of one data directory; call `step` again and again.

    `worker_module` is what a worker process executes: anything that speaks `pipe`.
    """

    def __init__(
        self,
        store: Store,
        worker_module: str = "tl_core.worker",
        *,
        slice_seconds: float = SLICE_SECONDS,
        smallest_room_mb: float = SMALLEST_ROOM_MB,
    ) -> None:
        self.store = store
        self.slot: Slot | None = None
        self._module = worker_module
        self._slice_seconds = slice_seconds
        self._smallest_room_mb = smallest_room_mb
        self._inbox: queue.SimpleQueue[tuple[WorkerProcess, pipe.FromWorker | None]]
        self._inbox = queue.SimpleQueue()
        self._spare: WorkerProcess | None = None
        self._spare_is_ready = False
        # Why the last spare could not start.
        self._broken = ""
        self._displaced: str | None = None
        store.requeue_running()
        self._warm_up()

    def step(self) -> None:
        """Do what is to be done now; waits for a message, at most a tick."""
        try:
            if self.slot is None:
                self._start_next()
            self._receive()
            if self.slot is not None:
                self.slot.write()
                self.slot.watch(self._slice_seconds)
        except StoreFull:
            self._displace()
        if self.slot is not None and self.slot.free:
            self.slot = None
        if self.slot is None and self._spare is None and not self._broken:
            self._warm_up()

    def close(self) -> None:
        """Stop all workers. A running job stays marked as running."""
        if self.slot is not None:
            self.slot.worker.stop()
            with contextlib.suppress(StoreFull):
                self.slot.write(now=True)
        if self._spare is not None:
            self._spare.stop()
        self._spare = self.slot = None

    def _warm_up(self) -> None:
        """Start the next spare.

        Only while no job runs: importing torch beside it would slow what is being measured.
        """
        self._broken, self._spare_is_ready = "", False
        self._spare = WorkerProcess(self._module, lambda *message: self._inbox.put(message))

    def _start_next(self) -> None:
        if not self._has_room():
            return
        if self._displaced is not None:
            self.store.give_back(self._displaced, front=True)
            self._displaced = None
        job = self.store.claim()
        if job is None:
            return
        if self._spare is None:
            self._warm_up()
        assert self._spare is not None
        self.slot, self._spare = Slot(self.store, job, self._spare), None
        if self._spare_is_ready:
            self.slot.send_job()

    def _has_room(self) -> bool:
        free = shutil.disk_usage(self.store.path.parent).free / 1e6
        if free >= self._smallest_room_mb:
            self._announce(self._broken)
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

    def _receive(self) -> None:
        """Handle the messages that are there; waits a tick for the first one."""
        with contextlib.suppress(queue.Empty):
            self._handle(*self._inbox.get(timeout=TICK_SECONDS))
            for _ in range(self._inbox.qsize()):
                self._handle(*self._inbox.get_nowait())

    def _handle(self, worker: WorkerProcess, message: pipe.FromWorker | None) -> None:
        if isinstance(message, pipe.Ready):
            self.store.set_device(message.report)
            self._spare_is_ready = self._spare_is_ready or worker is self._spare
        if self.slot is not None and worker is self.slot.worker and not self.slot.free:
            self.slot.handle(message)
        elif worker is self._spare and message is None:
            # Not started again before there is a job: an installation that cannot start a worker
            # would do nothing else.
            self._spare, self._broken = None, worker.death()

    def _displace(self) -> None:
        """Stop the job on a full disk; it goes to the front of the queue when there is room."""
        if self.slot is not None:
            self.slot.worker.stop()
            self._displaced, self.slot = self.slot.job.id, None
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
    module = os.environ.get("TL_WORKER_MODULE", "tl_core.worker")
    lock = filelock.FileLock(home() / "runner.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return 0
    try:
        with lock, tended() as (store, daily):
            runner = Runner(store, module)
            with contextlib.closing(runner):
                while not stopping.is_set():
                    daily.look()
                    runner.step()
    except StoreDamaged as error:
        # The app says so, and what to do; nothing is written to what is left.
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
