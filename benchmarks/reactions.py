"""How fast the queue reacts: to a cancel, to a worker that dies or freezes, to its own restart.

    python -m benchmarks.reactions [--times 3] [--write docs/jobs.md]

A runner process with workers that play a script (`tests/fake_worker.py`): stuck in C with the
interpreter's lock held and SIGTERM ignored, killed, or stopped. Seconds are from the deed until the
store says what follows and, where a process was to end, until it has. Needs Linux.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.rows import ROOT, inserted, markdown
from tl_core.store import Store

WORKER = "tests.fake_worker"
PATIENCE = 90.0


def main() -> int:
    """Measure each reaction some times and print, or write, the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    died, froze = (partial(missed, deed=one) for one in (signal.SIGKILL, signal.SIGSTOP))
    deeds: Sequence[tuple[str, str, Callable[[Store], float], int]] = (
        ("Cancel of a job stuck in C: its process is gone", "2 s", cancelled, options.times),
        ("A killed worker's job is back in the queue", "1 s", died, options.times),
        ("A frozen worker's job is back in the queue", "30 s", froze, options.times),
        ("Runner killed, started again: the job runs", "30 s", restarted, options.times),
    )
    lines = []
    for title, wanted, deed, times in deeds:
        seconds = sorted(fresh(deed) for _ in range(times))
        middle = seconds[len(seconds) // 2]
        lines.append((title, f"{middle:.2f} s", f"{seconds[-1]:.2f} s", f"under {wanted}"))
        print(lines[-1], file=sys.stderr)
    text = markdown(("", "median", f"longest of {options.times}", "wanted"), lines)
    print(text)
    if options.write is not None:
        page = options.write.read_text()
        marks = "<!-- reactions -->", "<!-- /reactions -->"
        options.write.write_text(inserted(page, text, *marks))
    return 0


def fresh(deed: Callable[[Store], float]) -> float:
    """Return what a deed measures in a data directory of its own."""
    with tempfile.TemporaryDirectory(prefix="tl-react-", ignore_cleanup_errors=True) as folder:
        os.environ["TL_HOME"] = folder
        with contextlib.closing(Store()) as store:
            return deed(store)


@contextlib.contextmanager
def runner() -> Iterator["subprocess.Popen[bytes]"]:
    """Give a runner process, which ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tl_core.runner"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        env={**os.environ, "TL_WORKER_MODULE": WORKER},
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def submitted(store: Store, *script: str) -> tuple[str, int]:
    """Return a job that is doing the last thing of its script, and its worker's process."""
    words = ["ignore_sigterm", "pid", *script]
    job = store.create(None, "reaction", request={"script": words})
    until(lambda: (said := store.get(job).progress) is not None and said.message.isdigit())
    return job, int(store.get(job).progress.message)


def until(reached: Callable[[], bool]) -> float:
    """Return the seconds until something is so; raises TimeoutError if it never is."""
    begun = time.monotonic()
    while not reached():
        if time.monotonic() - begun > PATIENCE:
            raise TimeoutError("It did not happen.")
        time.sleep(0.005)
    return time.monotonic() - begun


def gone(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def cancelled(store: Store) -> float:
    """Return how long a cancelled job's process goes on."""
    with runner():
        job, pid = submitted(store, "stuck")
        store.request_cancel(job)
        return until(lambda: gone(pid) and store.get(job).status == "cancelled")


def missed(store: Store, deed: signal.Signals) -> float:
    """Return when it is known that a worker got a signal after which it says nothing."""
    with runner():
        job, pid = submitted(store, "hang")
        lease = store.get(job).lease
        os.kill(pid, deed)
        return until(lambda: (now := store.get(job)).status == "queued" or now.lease > lease)


def restarted(store: Store) -> float:
    """Return how long after a restart of the runner a job runs again."""
    with runner() as first:
        job, pid = submitted(store, "hang")
        first.kill()
        until(lambda: gone(pid))
    lease = store.get(job).lease
    begun = time.monotonic()
    with runner():
        until(lambda: (now := store.get(job)).status == "running" and now.lease > lease)
        return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
