"""What was asked for and what happened: jobs, their queue and their events, in one SQLite file.

The runner (or a command, for its own job) writes events; everyone else reads. All SQL of the
project lives in this package.
"""

from pathlib import Path

from tl_core.home import home
from tl_core.store.database import StoreDamaged, StoreError, StoreFull
from tl_core.store.facts import Facts
from tl_core.store.jobs import NO_TAGS, QUEUE_LIMIT, Comparison, QueueFull, Status, Tags
from tl_core.store.log import Log
from tl_core.store.queue import MAX_ATTEMPTS, Queue
from tl_core.store.retention import Retention

__all__ = [
    "MAX_ATTEMPTS",
    "NO_TAGS",
    "QUEUE_LIMIT",
    "Comparison",
    "QueueFull",
    "Status",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "Tags",
    "store_path",
]


class Store(Queue, Log, Facts, Retention):
    """The store of one data directory; threads may share it, processes open their own.

    `path`: the SQLite file, by default `store.sqlite3` in the data directory. Raises StoreError if
    the file cannot be used, StoreDamaged if it is damaged: what is left of it may then be opened
    `read_only`.
    """

    def __init__(self, path: Path | None = None, *, read_only: bool = False) -> None:
        super().__init__(path or store_path(), read_only=read_only)


def store_path() -> Path:
    """Return where the data directory's store lies, or will lie."""
    return home() / "store.sqlite3"
