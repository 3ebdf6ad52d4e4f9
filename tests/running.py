"""Jobs on fake workers: what tests of the runner start it with and wait for."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import pytest

from tl_core.executor import Executor
from tl_core.executors.local import LocalExecutor
from tl_core.runner import Runner
from tl_core.store import Store

FAKE_WORKER = "tests.fake_worker"
# A step waits a fifth of a second at most: this is a limit for tests that would never end.
MOST_STEPS = 150
LOCK_SECONDS = 20

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@contextlib.contextmanager
def running(store: Store, executor: Executor | None = None, **options) -> Iterator[Runner]:
    """A runner on fake workers, by default one at a time."""
    options = {"smallest_room_mb": 0, **options}
    with contextlib.closing(
        Runner(store, executor or LocalExecutor(FAKE_WORKER), **options)
    ) as runner:
        yield runner


def submit(store: Store, *script: str, owner: str = "local") -> str:
    return store.create(None, script[0], owner=owner, request={"script": script})


def rewrite(store: Store, job: str, *script: str) -> None:
    """Change what a fake worker will do when it gets the job next time."""
    with store.writing() as db:
        request = json.dumps({"script": script})
        db.execute("UPDATE jobs SET request = ? WHERE id = ?", (request, job))


def until(runner: Runner, condition: Callable[[], bool]) -> None:
    for _ in range(MOST_STEPS):
        if condition():
            return
        runner.step()
    pytest.fail("the runner did not get there")


def finish(runner: Runner, *jobs: str) -> None:
    until(runner, lambda: not any(runner.store.get(job).active for job in jobs))


def says(runner: Runner, job: str, message: str) -> Callable[[], bool]:
    def said() -> bool:
        progress = runner.store.get(job).progress
        return progress is not None and progress.message == message

    return said


def has_left(pid: int) -> bool:
    """Return whether a fake worker's process is gone: it holds a lock while it lives."""
    lock = filelock.FileLock(Path(os.environ["TL_HOME"], f"{pid}.alive"))
    with contextlib.suppress(filelock.Timeout), lock.acquire(timeout=0):
        return True
    return False
