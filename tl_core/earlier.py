"""What is known of a run before it is executed: it has ended, or somebody else executes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tl_core.events import RunEnded


@dataclass(frozen=True)
class Elsewhere:
    """Another process executes the run, and reports it.

    `wait` returns how it ended, or None if it failed; it blocks until then.
    """

    wait: Callable[[], RunEnded | None]


# Asked by a run's id; None for a run that is this process's to execute.
Finished: TypeAlias = Callable[[str], RunEnded | Elsewhere | None]
