"""Talking to an executor as the runner does."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

from tl_core import pipe
from tl_core.events import Progress
from tl_core.executor import Executor, Lease, Lost

FAKE_WORKER = "tests.fake_worker"
# A poll waits a fifth of a second at most: limits for tests that would never end.
MOST_POLLS = 600
LOCK_SECONDS = 30


def job(name: str, *script: str) -> pipe.Job:
    """A job of the fake worker."""
    return pipe.Job(name, "compare", None, {"script": list(script)})


class Talk:
    """Everything that was told, by lease; answers questions with "never run before"."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.told: dict[Lease, list[Any]] = defaultdict(list)

    def start(self, name: str, *script: str, start: int = 1) -> Lease:
        """Submit a script when there is a place for it."""
        lease = (name, start)
        self.until(lambda: self.executor.free() > 0)
        self.executor.submit(lease, job(name, *script))
        return lease

    def step(self) -> None:
        for lease, message in self.executor.poll(0.2):
            self.told[lease].append(message)
            if isinstance(message, pipe.Ask):
                self.executor.send(lease, pipe.Found(None))

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(MOST_POLLS):
            if condition():
                return
            self.step()
        heard = {lease: [m for m in told if m != pipe.Alive()] for lease, told in self.told.items()}
        pytest.fail(f"the executor did not get there; told: {heard}")

    def last(self, lease: Lease) -> Any:
        """Wait for a lease's last message and return it."""
        self.until(lambda: bool(self.told[lease]) and is_last(self.told[lease][-1]))
        return self.told[lease][-1]

    def events(self, lease: Lease) -> list[Any]:
        return [told.event for told in self.told[lease] if isinstance(told, pipe.Happened)]

    def words(self, lease: Lease) -> list[str]:
        """What a lease's script said."""
        return [event.message for event in self.events(lease) if isinstance(event, Progress)]

    def pid(self, lease: Lease) -> int:
        """Wait for the process id, which the script says first, and return it."""
        self.until(lambda: bool(self.words(lease)))
        return int(self.words(lease)[0])


def is_last(message: Any) -> bool:
    return isinstance(message, (*pipe.LAST, Lost))


def wait_for_end(home: Path, pid: int) -> None:
    """Wait until a fake worker has ended; fails if it does not."""
    with filelock.FileLock(home / f"{pid}.alive").acquire(timeout=LOCK_SECONDS):
        pass


def wait_for_all(home: Path) -> None:
    """Wait until no fake worker of this data directory is left."""
    for path in home.glob("*.alive"):
        wait_for_end(home, int(path.stem))
