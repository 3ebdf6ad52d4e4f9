"""What was asked for and what happened: jobs, their queue and their events, in one SQLite file.

The runner (or a command, for its own job) writes events; everyone else reads. All SQL of the
project lives in this package.
"""

from pathlib import Path

from tl_core.home import home
from tl_core.store.database import StoreError, StoreFull
from tl_core.store.facts import QUEUE_LIMIT, Limits
from tl_core.store.jobs import NO_TAGS, Comparison, QueueFull, Status, Tags
from tl_core.store.log import Log
from tl_core.store.queue import MAX_ATTEMPTS, Queue

__all__ = [
    "MAX_ATTEMPTS",
    "NO_TAGS",
    "QUEUE_LIMIT",
    "Comparison",
    "Limits",
    "QueueFull",
    "Status",
    "Store",
    "StoreError",
    "StoreFull",
    "Tags",
]


class Store(Queue, Log):
    """The store of one data directory; threads may share it, processes open their own.

    `path`: the SQLite file, by default `store.sqlite3` in the data directory. Raises StoreError if
    the file cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(path or home() / "store.sqlite3")
