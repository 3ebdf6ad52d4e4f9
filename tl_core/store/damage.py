"""Whether a store's file is what the app wrote; looking changes nothing."""

import contextlib
import sqlite3
from pathlib import Path

from tl_core.store.database import StoreError, connected, is_damage
from tl_core.store.log import is_whole
from tl_core.store.schema import MIGRATIONS

UNREADABLE = "Parts of its file can no longer be read."
FOREIGN = "Its file holds something else."
EMPTY = "Its file is empty."


def fault(path: Path, *, thorough: bool = False) -> str:
    """Return in a sentence what is wrong with a store's file, empty if it is sound or not there.

    SQLite's quick check goes through all pages; `thorough` also holds every event against its sum.
    Raises StoreError where the file cannot be looked at now: it is no damage if another process
    keeps it busy.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return ""
    if not size:
        return EMPTY
    try:
        with contextlib.closing(connected(path, read_only=True)) as connection:
            connection.row_factory = sqlite3.Row
            return _looked(connection, thorough)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return UNREADABLE
        raise StoreError("The history cannot be looked at now. Try again in a moment.") from error


def _looked(connection: sqlite3.Connection, thorough: bool) -> str:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if tables and not tables >= {"jobs", "events", "facts", "speeds"}:
        return FOREIGN
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        return UNREADABLE
    if thorough and _version(connection) == len(MIGRATIONS):
        rows = connection.execute("SELECT body, sum FROM events")
        return "" if all(map(is_whole, rows)) else UNREADABLE
    return ""


def written_by(path: Path) -> int:
    """Return the schema version of a sound store's file."""
    with contextlib.closing(connected(path, read_only=True)) as connection:
        return _version(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
