"""The SQLite file, which several processes and threads use at once."""

import contextlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from tl_core.store.schema import MIGRATIONS

BUSY_SECONDS = 10.0


class StoreError(RuntimeError):
    """The store cannot do what was asked; the text says why and what to do next."""


class StoreFull(StoreError):
    """The disk that holds the store has no room left; what was written before is intact."""


class Database:
    """A connection in WAL mode behind a lock: threads share it, processes open their own.

    Raises StoreError for a damaged file and for one that a newer version of the app has written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        # Autocommit: every transaction is opened by `writing`, none behind our back.
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        try:
            with _explained():
                self._connection.execute("PRAGMA journal_mode = WAL")
                # WAL's usual NORMAL may lose the last commits when the power goes.
                self._connection.execute("PRAGMA synchronous = FULL")
                self._migrate()
        except StoreError:
            self.close()
            raise

    def _migrate(self) -> None:
        if self._version() == len(MIGRATIONS):
            return
        with self.writing() as connection:
            # Read again: another process may have migrated while this one waited.
            version = self._version()
            if version > len(MIGRATIONS):
                raise StoreError(
                    "The history was written by a newer version of this app. Update the app, or "
                    "choose another data directory with TL_HOME."
                )
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for queries."""
        with self._lock, _explained():
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection for one transaction: all of the block, or nothing.

        IMMEDIATE, because a plain BEGIN that reads first and then writes fails under concurrency.
        """
        with self._lock, _explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # Some errors (a full disk) have already rolled back.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def backup(self, target: Path) -> None:
        """Write a complete copy; copying the file itself would lose what is still in the WAL."""
        with self.reading() as connection, contextlib.closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)

    def close(self) -> None:
        """Close the connection; the object cannot be used afterwards."""
        self._connection.close()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        # Without room for its shared memory file, SQLite reports an I/O error.
        if re.search("database or disk is full|disk I/O error", str(error)):
            raise StoreFull(
                "The disk that holds the history is full, or can no longer be written. Free some "
                "space: waiting jobs go on by themselves."
            ) from error
        if "malformed" in str(error) or "not a database" in str(error):
            raise StoreError(
                "The history file store.sqlite3 in the data directory is damaged. Put a backup in "
                "its place, or move it away to start with an empty history."
            ) from error
        raise
