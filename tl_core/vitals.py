"""How the server is: its queue, its people, its room on disk; for a person or for a monitor."""

import contextlib
import shutil
import time
from pathlib import Path
from typing import Final

import filelock
import msgspec

from tl_core.home import home
from tl_core.room_on_disk import MIN_FREE_BYTES
from tl_core.store import Store, StoreError

# Where the runner writes them for a monitor that collects text files.
FILE: Final = "vitals.prom"
EVERY_SECONDS: Final = 10.0


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one data directory at one moment.

    `runner`: whether somebody works on the queue. `oldest_wait`: seconds since the job was asked
    for that has waited longest, 0 without any. `jobs` counts all jobs by status.
    """

    runner: bool
    held: bool
    notice: str
    waiting: int
    running: int
    oldest_wait: float
    jobs: dict[str, int]
    people: int
    store_bytes: int
    free_bytes: int
    device: str

    @property
    def healthy(self) -> bool:
        """Whether jobs are executed: a runner is there, and nothing keeps it from starting them."""
        return self.runner and not self.notice and self.free_bytes >= MIN_FREE_BYTES


def vitals(store: Store, runner: bool | None = None) -> Vitals:
    """Return the state of a store's data directory; `runner` where the caller knows it."""
    counts = store.counts()
    report = store.device() or {}
    return Vitals(
        runner=runner_is_there(store.path.parent) if runner is None else runner,
        held=store.held(),
        notice=store.notice(),
        waiting=counts.get("queued", 0),
        running=counts.get("running", 0),
        oldest_wait=max(0.0, time.time() - (store.oldest_waiting() or time.time())),
        jobs=counts,
        people=len(store.people()),
        store_bytes=sum(file.stat().st_size for file in store.path.parent.glob("store.sqlite3*")),
        free_bytes=shutil.disk_usage(store.path.parent).free,
        device=str(report.get("device", "")),
    )


class Reporter:
    """Writes the state for a monitor, every few seconds, for the process that runs the queue."""

    def __init__(self, store: Store) -> None:
        self._store, self._next = store, 0.0

    def look(self) -> None:
        """Write it if it is time; a disk that is full has no monitor."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        with contextlib.suppress(OSError, StoreError):
            write(vitals(self._store, runner=True), self._store.path.parent)


def runner_is_there(data: Path | None = None) -> bool:
    """Return whether a process works on the queue of a data directory."""
    lock = filelock.FileLock((data or home()) / "runner.lock")
    try:
        with lock.acquire(timeout=0):
            return False
    except filelock.Timeout:
        return True


def exposition(now: Vitals) -> str:
    """Return the state in the text format that Prometheus and its relatives collect."""
    single = {
        "runner_up": ("Whether a process works on the queue.", now.runner),
        "healthy": ("Whether jobs are executed.", now.healthy),
        "queue_held": ("Whether the queue is paused by hand.", now.held),
        "queue_oldest_seconds": ("How long the oldest waiting job has waited.", now.oldest_wait),
        "people": ("People that the room knows.", now.people),
        "store_bytes": ("Size of the history.", now.store_bytes),
        "disk_free_bytes": ("Free space for the data directory.", now.free_bytes),
    }
    lines = []
    for name, (text, value) in single.items():
        lines += [f"# HELP transferlab_{name} {text}", f"# TYPE transferlab_{name} gauge"]
        lines.append(f"transferlab_{name} {float(value):.15g}")
    lines += ["# HELP transferlab_jobs Jobs by status.", "# TYPE transferlab_jobs gauge"]
    for status in ("queued", "running", "done", "failed", "cancelled"):
        lines.append(f'transferlab_jobs{{status="{status}"}} {now.jobs.get(status, 0)}')
    return "\n".join(lines) + "\n"


def write(now: Vitals, data: Path) -> None:
    """Write the state beside the store, whole or not at all."""
    part = data / f"{FILE}.part"
    part.write_text(exposition(now), encoding="utf-8")
    part.replace(data / FILE)
