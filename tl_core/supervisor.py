"""Keeps processes alive: one that ends is started again, later each time it ends at once."""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

# Seconds: how often is looked; before the first start anew, and at most; what counts as a good
# life; how long an ending process may take.
LOOK, FIRST_WAIT, LONGEST_WAIT, GOOD_LIFE, PATIENCE = 0.2, 0.5, 30.0, 60.0, 8.0


class Child(Protocol):
    """What is kept: a process, as far as it is needed."""

    def poll(self) -> int | None:
        """Return its exit code, None while it lives."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired."""


class Kept:
    """One process by its name. `start` starts it; `told` hears sentences for whoever watches."""

    def __init__(
        self,
        name: str,
        start: Callable[[], Child],
        told: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name: Final = name
        self._start, self._told, self._clock = start, told, clock
        self._child: Child | None = None
        self._since = self._again = clock()
        self._wait = FIRST_WAIT

    def look(self) -> None:
        """Start it if it is due; notice if it has ended, and set when it is due again."""
        now = self._clock()
        if self._child is None:
            if now >= self._again:
                self._child, self._since = self._start(), now
            return
        code = self._child.poll()
        if code is None:
            return
        if now - self._since >= GOOD_LIFE:
            self._wait = FIRST_WAIT
        self._told(f"The {self.name} ended ({ended(code)}) and is started again.")
        self._child, self._again = None, now + self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT)

    def ask_to_end(self) -> None:
        """Ask it to end."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def end(self) -> None:
        """Wait until it has ended; kill it if it takes too long."""
        if self._child is None:
            return
        try:
            self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child = None


def ended(code: int) -> str:
    """Return an exit code in words."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def keep(all_kept: Sequence[Kept], stopping: threading.Event) -> None:
    """Keep all of them alive until `stopping` is set, then end them, the last one first."""
    try:
        while not stopping.is_set():
            for one in all_kept:
                one.look()
            stopping.wait(LOOK)
    finally:
        for one in reversed(all_kept):
            one.ask_to_end()
        for one in reversed(all_kept):
            one.end()
