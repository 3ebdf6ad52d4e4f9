"""Copies of the store: written whole, looked through before they count, the last few kept.

A copy holds the history: comparisons, their results and the queue. Data sets, weights and what can
be computed again lie beside the store and are not in it.
"""

import contextlib
import os
import shutil
import sqlite3
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tl_core.store.damage import fault
from tl_core.store.database import StoreError, connected

KEPT = 3
DAY_SECONDS = 24 * 3600.0
# Of two starts within this time only the first makes a copy: restarting must not push out the rest.
APART_SECONDS = 3600.0
# Left free beside a copy.
ROOM_BYTES = 500 * 1024**2


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of the store. `made`: Unix seconds; `comparisons`: how many it holds."""

    path: Path
    made: float
    comparisons: int
    megabytes: float


def known(store: Path) -> list[Backup]:
    """Return the automatic backups beside a store, newest first; unreadable ones are left out."""
    found = (_described(path) for path in sorted(_folder(store).glob("store-*.sqlite3")))
    return [backup for backup in found if backup][::-1]


def newest_sound(store: Path) -> Backup | None:
    """Return the newest automatic backup that nothing is wrong with."""
    return next((one for one in known(store) if not fault(one.path, thorough=True)), None)


def write(store: Path, target: Path) -> None:
    """Write a complete copy of a store to a file, at once or not at all, also while jobs run.

    What other processes write meanwhile is not in it. Raises StoreError if it cannot be written or
    the copy is damaged.
    """
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    try:
        _copy(store, part)
        if fault(part, thorough=True):
            raise StoreError(
                "The history is damaged, so no backup was written: the earlier ones are kept. "
                "Restore one with `python -m tl_core restore latest`."
            )
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"The backup cannot be written ({reason}). Choose another place."
        ) from error
    finally:
        for left in (part, part.with_name(f"{part.name}-journal")):
            left.unlink(missing_ok=True)


def _copy(store: Path, part: Path) -> None:
    with (
        contextlib.closing(connected(store, read_only=True)) as source,
        contextlib.closing(connected(part)) as copy,
    ):
        source.backup(copy)
        # One file, that can be read where nothing can be written.
        copy.execute("PRAGMA journal_mode = DELETE")
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def automatic(store: Path) -> Path | None:
    """Write a backup beside the store and return it, None if the disk has no room for it.

    Only the last KEPT stay, and only once the new one is complete.
    """
    folder = _folder(store)
    # What is in the log beside the file belongs to the copy too.
    size = sum(path.stat().st_size for path in store.parent.glob(f"{store.name}*"))
    if shutil.disk_usage(store.parent).free < size + ROOM_BYTES:
        return None
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    path = folder / f"store-{moment}.sqlite3"
    write(store, path)
    for old in sorted(folder.glob("store-*.sqlite3"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


class Daily:
    """Makes a backup at the start and then every day, in a thread beside the queue's work."""

    def __init__(self, store: Path) -> None:
        self._store = store
        newest = max((one.made for one in known(store)), default=0.0)
        self._next = max(time.time(), newest + APART_SECONDS)
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begin a backup if one is due; returns at once."""
        if time.time() < self._next:
            return
        self._next = time.time() + DAY_SECONDS
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for a backup that has begun."""
        if self._thread is not None:
            self._thread.join()

    def _make(self) -> None:
        # Neither a full disk nor damage that the queue is about to find may end its process.
        with contextlib.suppress(StoreError, OSError):
            automatic(self._store)


def _folder(store: Path) -> Path:
    path = store.parent / "backups"
    path.mkdir(exist_ok=True)
    return path


def _described(path: Path) -> Backup | None:
    try:
        with contextlib.closing(connected(path, read_only=True)) as connection:
            asked = "SELECT COUNT(*) FROM jobs WHERE kind = 'compare'"
            count = connection.execute(asked).fetchone()[0]
        about = path.stat()
    except (OSError, sqlite3.Error):
        return None
    return Backup(
        path=path, made=about.st_mtime, comparisons=count, megabytes=about.st_size / 1024**2
    )
