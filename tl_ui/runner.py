"""The queue's process, kept alive from the web process; and the web process kept light.

Training never runs here, and torch is never imported: each rerun of a page ends in a full garbage
collection, whose cost grows with everything that is loaded.
"""

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import streamlit as st

from tl_core.home import home

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
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tl_core.runner"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        code = str(Path(__file__).resolve().parents[1])
        paths = [code, *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**os.environ, "TL_HOME": str(self._data), "PYTHONPATH": os.pathsep.join(paths)}


@st.cache_resource(show_spinner=False, max_entries=4)
def _process(data: str) -> RunnerProcess:
    return RunnerProcess(Path(data))


@st.cache_resource(show_spinner=False)
def _settle() -> bool:
    """Load what pages need, then exempt it from the collection that ends every rerun."""
    import altair  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401

    gc.collect()
    gc.freeze()
    return True


def keep_alive() -> None:
    """Make sure that somebody works on the queue; call on every run of the app."""
    _process(str(home())).ensure()
    _settle()
