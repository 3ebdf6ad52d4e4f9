"""The SQLite file, which several processes and threads use at once."""

import contextlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from tl_core.store.schema import MIGRATIONS

BUSY_SECONDS = 10.0
# The log beside the file is cut to this once its content has reached the file.
LOG_BYTES = 16 * 1024**2


DAMAGED = (
    "The history is damaged: its file can no longer be read, or not all of it. Open the app, or "
    "run `python -m tl_core restore latest`, to go back to the newest backup."
)
READ_ONLY = (
    "The history is damaged and is only read: nothing can be changed or started before a backup is "
    "restored or an empty history is begun."
)


class StoreError(RuntimeError):
    """The store cannot do what was asked; the text says why and what to do next."""


class StoreFull(StoreError):
    """The disk that holds the store has no room left; what was written before is intact."""


class StoreDamaged(StoreError):
    """The file cannot be read, or not all of it; it may be opened to read what is left."""


class Database:
    """A connection in WAL mode behind a lock: threads share it, processes open their own.

    Raises StoreDamaged for a damaged file and StoreError for one that a newer version of the app
    has written. `read_only`: nothing is written, neither to the file nor to the log beside it.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        with _explained():
            self._connection = connected(path, read_only=read_only)
        self._connection.row_factory = sqlite3.Row
        try:
            with _explained():
                self._open()
        except StoreError:
            self.close()
            raise

    def _open(self) -> None:
        if self.read_only:
            if self._version() != len(MIGRATIONS):
                raise StoreDamaged(DAMAGED)
            return
        # Of a new file, before anything is in it: what is deleted can be given back to the disk.
        self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._connection.execute("PRAGMA journal_mode = WAL")
        # WAL's usual NORMAL may lose the last commits when the power goes.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        self._migrate()

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
        if self.read_only:
            raise StoreError(READ_ONLY)
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

    def shrink(self) -> None:
        """Give the room of what was deleted back to the disk."""
        with self.reading() as connection:
            # A script: as a query it would free a single page.
            connection.executescript("PRAGMA incremental_vacuum")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def make_shrinkable(self) -> None:
        """Have a file of an earlier version written anew once, so that `shrink` works.

        Not part of the migrations: it cannot be in a transaction. It is one itself, so whoever
        interrupts it finds the file as it was. Raises StoreFull without room for a second copy.
        """
        with self._lock, _explained():
            if self._connection.execute("PRAGMA auto_vacuum").fetchone()[0] == 0:
                self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._connection.execute("VACUUM")

    def close(self) -> None:
        """Close the connection; the object cannot be used afterwards."""
        with self._lock:
            self._connection.close()


def connected(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Return a connection in autocommit: every transaction is opened by us, none behind our back.

    Threads may share it. `read_only`: the file has to be there, and stays as it is.
    """
    mode = "ro" if read_only else "rwc"
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


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
        if is_damage(error):
            raise StoreDamaged(DAMAGED) from error
        if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
            raise StoreError("The history has just been replaced. Load the page again.") from error
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite found that the file is not what it wrote."""
    return "malformed" in str(error) or "not a database" in str(error)
