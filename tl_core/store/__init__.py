"""What was asked for and what happened: jobs, their queue and their events, in one SQLite file.

The runner (or a command, for its own job) writes events; everyone else reads. All SQL of the
project lives in this package.
"""

from pathlib import Path
from typing import TypeAlias

from tl_core.home import home
from tl_core.store.census import Census
from tl_core.store.database import StoreDamaged, StoreError, StoreFull
from tl_core.store.facts import QUEUE_LIMIT, Limits
from tl_core.store.jobs import NO_TAGS, Comparison, QueueFull, Status, Tags
from tl_core.store.people import People, Person, Room
from tl_core.store.queue import MAX_ATTEMPTS
from tl_core.store.retention import Retention
from tl_core.store.shared import Shared
from tl_core.store.view import View

__all__ = [
    "MAX_ATTEMPTS",
    "NO_TAGS",
    "QUEUE_LIMIT",
    "AnyStore",
    "Comparison",
    "Limits",
    "Person",
    "QueueFull",
    "Room",
    "Status",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "Tags",
    "View",
    "store_path",
]


# Whoever only reads jobs may do so for everyone, or for one person.
AnyStore: TypeAlias = "Store | View"


class Store(Shared, People, Census, Retention):
    """The store of one data directory; threads may share it, processes open their own.

    `path`: the SQLite file, by default `store.sqlite3` in the data directory. Raises StoreError if
    the file cannot be used, StoreDamaged if it is damaged: what is left of it may then be opened
    `read_only`.
    """

    def __init__(self, path: Path | None = None, *, read_only: bool = False) -> None:
        super().__init__(path or store_path(), read_only=read_only)

    def seen_by(self, owner: str, *, shares: bool = False, everyones: bool = False) -> View:
        """Return the store as a person sees it.

        `shares`: what others ask for alike runs once. `everyones`: the teacher opens any job.
        """
        return View(self, owner, shares=shares, everyones=everyones)


def store_path() -> Path:
    """Return where the data directory's store lies, or will lie."""
    return home() / "store.sqlite3"
