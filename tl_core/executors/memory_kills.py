"""Whether the system ended a process because memory ran out: its own count says so."""

import contextlib
import re
from pathlib import Path


def memory_kills() -> int | None:
    """Return how many processes were ended for want of memory; None where nobody counts.

    A container's own count where there is one: the whole machine's holds those of its neighbours.
    The system counts before it sends the signal.
    """
    for path in (_of_own_group(), Path("/proc/vmstat")):
        with contextlib.suppress(OSError, ValueError):
            found = re.search(r"^oom_kill (\d+)$", path.read_text(), re.MULTILINE)
            if found:
                return int(found.group(1))
    return None


def _of_own_group() -> Path:
    path = ""
    with contextlib.suppress(OSError):
        found = re.search(r"^0::/(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
        path = found.group(1) if found else ""
    return Path("/sys/fs/cgroup") / path / "memory.events"
