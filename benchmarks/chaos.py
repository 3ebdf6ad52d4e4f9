"""Kill the worker, the runner or the web process at random while comparisons run.

    python -m benchmarks.chaos [--kills 200] [--seed 0] [--write docs/server.md]

A room is opened as its command opens it, comparisons are queued, and every few seconds one of its
processes gets a `kill -9`. After each the history has to be intact and no finished training may be
gone or changed; at the end every comparison has to be complete, and all of its numbers the same bit
for bit as those of a comparison that nobody disturbed. Needs Linux.
"""

import argparse
import contextlib
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks.rows import ROOT, inserted, markdown
from tl_core import worker
from tl_core.config import ComparisonConfig
from tl_core.device import device_report
from tl_core.events import RunEnded
from tl_core.request import Request, resolve
from tl_core.store import Store
from tl_core.weights import FIRST_MODEL

KINDS = {"tl_core.worker": "worker", "tl_core.runner": "runner", "streamlit": "web"}
STRATEGIES = ("feature_extraction", "partial_fine_tuning", "full_fine_tuning")
# Long enough that the killed process had begun something, short enough that little is repeated.
SHORTEST, LONGEST = 0.5, 3.0
WAITING = 3
GIVE_UP_SECONDS = 900.0


# The room as its command opens it, but patient: it waits longer and longer for what dies at once.
_COMMAND = """
from tl_core import cli, supervisor
supervisor.GOOD_LIFE = 0.0
raise SystemExit(cli.main())
"""


@dataclass
class Found:
    """What the kills did."""

    killed: Counter[str] = field(default_factory=Counter)
    finished: dict[str, bytes] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    damaged: int = 0
    continued: int = 0
    back: list[float] = field(default_factory=list)


def main() -> int:
    """Kill, wait, compare, and say what was found; 0 if nothing was lost or changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tl-chaos-") as folder:
        os.environ["TL_HOME"] = folder
        found, configs = chaos(options.kills, random.Random(options.seed))
    with tempfile.TemporaryDirectory(prefix="tl-calm-") as folder:
        os.environ["TL_HOME"] = folder
        calm = undisturbed(configs)
    different = [run for run, body in calm.items() if found.finished.get(run) != body]
    text = table(found, configs, len(calm), different)
    print(text)
    if options.write is not None:
        page = options.write.read_text()
        options.write.write_text(inserted(page, text, "<!-- chaos -->", "<!-- /chaos -->"))
    return 1 if different or found.lost or found.damaged else 0


def chaos(kills: int, chance: random.Random) -> tuple[Found, list[ComparisonConfig]]:
    """Disturb a room until so many processes were killed; wait until every comparison is there."""
    found, configs, jobs = Found(), [], []
    with opened() as room, contextlib.closing(Store()) as store:
        while sum(found.killed.values()) < kills or any(store.get(job).active for job in jobs):
            disturbing = sum(found.killed.values()) < kills
            while disturbing and sum(store.get(job).active for job in jobs) < WAITING:
                configs.append(config(len(configs)))
                jobs.append(store.create(configs[-1], f"comparison {len(configs)}"))
            time.sleep(chance.uniform(SHORTEST, LONGEST) if disturbing else 1.0)
            if disturbing and not strike(room, chance, found):
                raise RuntimeError("The room did not bring its processes back.")
            look(store, jobs, found)
        look(store, jobs, found)
    return found, configs


def config(number: int) -> ComparisonConfig:
    """Return a comparison that none before is like, so that nothing is taken over."""
    rate = 0.002 * (1 + number / 1000)
    sample = ("signs", "digits")[number % 2]
    request = Request(
        data=f"sample:{sample}",
        backbone=FIRST_MODEL,
        strategies=STRATEGIES,
        steps=120,
        learning_rate=rate,
        threads=2,
    )
    return resolve(request, lambda *_: None)[0]


@contextlib.contextmanager
def opened() -> Iterator[int]:
    """Give the process id of an open room."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", _COMMAND, "room", "--yes", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as room:
        try:
            yield room.pid
        finally:
            room.terminate()


def strike(room: int, chance: random.Random, found: Found) -> bool:
    """Kill one process of the room, and note how long the room took until all were there."""
    waited = time.monotonic()
    while set(there := processes(room)) < {"web", "runner"}:
        if time.monotonic() - waited > 60:
            return False
        time.sleep(0.05)
    found.back.append(time.monotonic() - waited)
    kind = chance.choice(sorted(there))
    with contextlib.suppress(ProcessLookupError):
        os.kill(there[kind], signal.SIGKILL)
        found.killed[kind] += 1
    return True


def processes(room: int) -> dict[str, int]:
    """Return the processes below the room by kind; of several workers the newest."""
    found: dict[str, int] = {}
    below = [room]
    while below:
        parent = below.pop()
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            for child in map(int, children):
                below.append(child)
                words = Path(f"/proc/{child}/cmdline").read_bytes().decode()
                kind = next((kind for part, kind in KINDS.items() if part in words), None)
                if kind is not None:
                    found[kind] = max(child, found.get(kind, 0))
    return found


def look(store: Store, jobs: list[str], found: Found) -> None:
    """Check the file and what was finished before; continue what was lost too often."""
    with contextlib.closing(sqlite3.connect(store.path)) as file:
        if file.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            found.damaged += 1
    now = {
        event.run_id: numbers(event)
        for job in jobs
        for _, event in store.events(job)
        if isinstance(event, RunEnded)
    }
    found.lost += [run for run, body in found.finished.items() if now.get(run) != body]
    found.finished = now
    for job in jobs:
        if store.get(job).status == "failed":
            found.continued += 1
            store.resume(job)


def numbers(run: RunEnded) -> bytes:
    """Return all that a training gave, without how long it took."""
    timeless = {"train_seconds": 0.0, "peak_memory_mb": None}
    result = msgspec.structs.replace(run.result, **timeless)
    curve = tuple(msgspec.structs.replace(epoch, seconds=0.0) for epoch in run.curve)
    return msgspec.json.encode(
        msgspec.structs.replace(run, result=result, curve=curve, seconds=None)
    )


def undisturbed(configs: list[ComparisonConfig]) -> dict[str, bytes]:
    """Return the numbers of the same comparisons when nothing happens."""
    found = {}
    for number in range(len(configs)):
        for event in worker.compare(config(number), lambda run: None):
            if isinstance(event, RunEnded):
                found[event.run_id] = numbers(event)
    return found


def table(found: Found, configs: list[ComparisonConfig], runs: int, different: list[str]) -> str:
    """Return what was found as a table in Markdown."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.killed.items()))
    lines = [
        ("Processes killed", f"{sum(found.killed.values())} ({kinds})"),
        ("Comparisons, all complete in the end", f"{len(configs)}"),
        ("Continued by hand after three starts without a finished run", f"{found.continued}"),
        ("Checks of the history that found damage", f"{found.damaged}"),
        ("Finished trainings lost or changed", f"{len(found.lost)}"),
        (
            "Trainings that differ from an undisturbed one",
            f"{len(different)} of {runs}",
        ),
        ("Until web and runner were there again, longest", f"{max(found.back):.1f} s"),
    ]
    report = device_report()
    where = f"{report['device_name']}, {report['threads']} threads"
    return f"On {where}:\n\n{markdown(('', ''), lines)}"


if __name__ == "__main__":
    sys.exit(main())
