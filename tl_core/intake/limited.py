"""What the system is told about an intake process: how much it may take, and what it took."""

import os
import re
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from tl_core.cores import cores
from tl_core.limits import (
    INTAKE_NICENESS,
    MAX_INTAKE_BYTES,
    MAX_INTAKE_FILE_BYTES,
    MAX_INTAKE_SECONDS,
    MB,
)

# Eight threads with the usual 8 MB each would count as much as an image.
_STACK_BYTES: Final = MB

# Read when the libraries are loaded. A thread for every core, and an arena for every thread, would
# take memory that images need; large pieces go back to the system as soon as they are free.
ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(MB),
}


def limit() -> None:
    """Bound this process: memory, processor time, the size of a file, its turn at the processor.

    Windows has none of these; there only the time on the clock ends it, which the parent watches.
    """
    threading.stack_size(_STACK_BYTES)
    if os.name != "posix":
        return
    import resource

    # On Linux what is written to, also outside the heap; address space would count mapped files.
    memory = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    _bound(memory, MAX_INTAKE_BYTES)
    _bound(resource.RLIMIT_CPU, MAX_INTAKE_SECONDS * max(2, cores()))
    _bound(resource.RLIMIT_FSIZE, MAX_INTAKE_FILE_BYTES)
    _bound(resource.RLIMIT_CORE, 0)
    os.nice(INTAKE_NICENESS)


def _bound(what: int, most: int) -> None:
    import resource

    _, hard = resource.getrlimit(what)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # macOS refuses some of them; the clock holds there as well.
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (allowed, allowed))


def peak_mb() -> float | None:
    """Return the most physical memory that this process had, None where it is not known.

    On Linux not from `getrusage`, which a new process inherits from the one that started it.
    """
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) / 1024
    if os.name != "posix":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
