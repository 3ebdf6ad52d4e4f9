"""`status`: how the server is, for a person, a script or a monitor."""

import argparse
import contextlib

import msgspec

from tl_core.store import Store
from tl_core.vitals import Vitals, exposition, vitals
from tl_core.wording import duration, number_of

HEALTHY, UNHEALTHY = 0, 1


def status(options: argparse.Namespace) -> int:
    """Print the state of the data directory; return 0 if jobs are executed, else 1."""
    with contextlib.closing(Store()) as store:
        now = vitals(store)
    if options.json:
        told = {**msgspec.to_builtins(now), "healthy": now.healthy}
        print(msgspec.json.format(msgspec.json.encode(told), indent=1).decode())
    elif options.prometheus:
        print(exposition(now), end="")
    else:
        print("\n".join(lines(now)))
    return HEALTHY if now.healthy else UNHEALTHY


def lines(now: Vitals) -> list[str]:
    """Return the state in words, a line for each part."""
    at_work = "A runner works on the queue" if now.runner else "Nobody works on the queue"
    how = " (paused by hand)" if now.held else ""
    waits = f", the oldest for {duration(now.oldest_wait)}" if now.waiting else ""
    ended = ", ".join(f"{now.jobs.get(name, 0)} {name}" for name in ("done", "failed", "cancelled"))
    found = [
        f"{at_work}{how}{'' if now.runner else ': start the app, or python -m tl_core room'}.",
        f"Jobs: {now.running} running, {now.waiting} waiting{waits}; {ended}.",
        f"History {now.store_bytes / 1e6:.1f} MB, {now.free_bytes / 1e9:.0f} GB free on its disk.",
        f"Device: {now.device or 'not looked at yet'}.",
    ]
    if now.people:
        found.append(f"The room knows {number_of(now.people, 'person', 'people')}.")
    return [*found, *([now.notice] if now.notice else [])]
