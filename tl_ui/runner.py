"""The queue's process, kept alive from the web process; and the web process kept light.

Neither training nor drawing ever runs here, and torch is never imported: each rerun of a page ends
in a full garbage collection, whose cost grows with everything that is loaded.
"""

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import streamlit as st

from tl_core import catalog, log, owners
from tl_core.home import home
from tl_core.ingest import source_probe
from tl_core.vitals import runner_is_there
from tl_core.weights import FIRST_MODEL

# A runner that ends at once found another one at work on the same data: look again later.
RETRY_SECONDS = 15.0


class RunnerProcess:
    """`python -m tl_core.runner` for one data directory.

    It ends when its standard input closes, so it never outlives this process. Two of them are
    harmless: the second finds the first one's lock and ends.
    """

    def __init__(self, data: Path) -> None:
        self._data = data.resolve()
        self._process: subprocess.Popen[bytes] | None = None
        self._tried = float("-inf")
        self._lock = threading.Lock()

    def ensure(self) -> None:
        """Start it unless it runs, or was started only a moment ago."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            if time.monotonic() - self._tried < RETRY_SECONDS:
                return
            self._tried = time.monotonic()
            if runner_is_there(self._data):  # one that is not ours, as in a room
                return
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tl_core.runner"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=environment(self._data),
            )


def environment(data: Path) -> dict[str, str]:
    """Return what a process of this code has to be started with to work on a data directory."""
    code = str(Path(__file__).resolve().parents[1])
    paths = [code, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "TL_HOME": str(data), "PYTHONPATH": os.pathsep.join(paths)}


@st.cache_resource(show_spinner=False, max_entries=4)
def _process(data: str) -> RunnerProcess:
    return RunnerProcess(Path(data))


@st.cache_resource(show_spinner=False)
def _settle() -> bool:
    """Load what pages need, then exempt it from the collection that ends every rerun."""
    import altair  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401

    # What goes wrong in a page is told its visitor without details: here they are kept.
    log.start("web", "streamlit.error_util")
    log.note("web process started")
    gc.collect()
    gc.freeze()
    return True


@st.cache_resource(show_spinner=False, max_entries=4)
def _drawing(data: str) -> subprocess.Popen[bytes] | None:
    """Have the first model's source images drawn, so that no comparison has to wait for them."""
    row = catalog.find(FIRST_MODEL)
    # For all: whoever comes first may still be at the door.
    with owners.acting(owners.EVERYBODY):
        if not row.weights.drawn or source_probe.known(row) is not None:
            return None
    return subprocess.Popen(
        [sys.executable, "-m", "tl_core", "draw-source", row.name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(Path(data)),
    )


def keep_alive() -> None:
    """Make sure that somebody works on the queue; call on every run of the app."""
    data = str(home().resolve())
    _process(data).ensure()
    _settle()
    drawing = _drawing(data)
    if drawing is not None:
        drawing.poll()  # an ended process that nobody asks for stays in the system's table
