"""Putting another file in the store's place: a backup, or nothing. What was there is kept."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import filelock

from tl_core.store import backups
from tl_core.store.damage import EMPTY, fault, written_by
from tl_core.store.database import Database, StoreError
from tl_core.store.schema import MIGRATIONS

# A runner that finds damage ends by itself: wait for it, not for one that works.
WAIT_SECONDS = 3.0


def trouble(store: Path) -> str:
    """Return in a sentence why a store's file is to be replaced, empty while it is sound.

    An empty file where no backup ever was is one that nobody has written to yet.
    """
    wrong = fault(store)
    return "" if wrong == EMPTY and not backups.known(store) else wrong


def restore(store: Path, source: Path) -> Path | None:
    """Put a copy of a backup in the store's place; return where the store that was there lies now.

    A backup of an older version is brought up to date. Raises StoreError, with the store as it
    was, if the file is no sound history, or if jobs run.
    """
    _refuse_bad(source)
    part = store.with_name(f"{store.name}.{uuid.uuid4().hex}.part")
    with _alone(store):
        try:
            backups.write(source, part)
            # Also brings it up to date before it counts.
            Database(part).close()
            aside = _set_aside(store)
            part.replace(store)
        finally:
            for end in ("", "-wal", "-shm"):
                part.with_name(part.name + end).unlink(missing_ok=True)
        _sync(store.parent)
    return aside


def begin_empty(store: Path) -> Path | None:
    """Move the store away, so that the next to open it begins an empty one; return its new place.

    Raises StoreError while jobs run.
    """
    with _alone(store):
        return _set_aside(store)


def _refuse_bad(source: Path) -> None:
    if not source.is_file():
        raise StoreError(f"There is no file {source.name}.")
    wrong = fault(source, thorough=True)
    if wrong:
        raise StoreError(f"{source.name} cannot be restored. {wrong} Choose another backup.")
    version = written_by(source)
    if not 0 < version <= len(MIGRATIONS):
        raise StoreError(
            f"{source.name} was written by a newer version of this app, or is no backup. Update "
            "the app, or choose another backup."
        )


@contextlib.contextmanager
def _alone(store: Path) -> Iterator[None]:
    """Keep the queue's process away; raises StoreError where it, or a command, is at work."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(filelock.FileLock(store.parent / "runner.lock", WAIT_SECONDS))
            for path in (store.parent / "locks").glob("*.lock"):
                held.enter_context(filelock.FileLock(path, 0))
        except filelock.Timeout as error:
            raise StoreError(
                "The app, or a command, is working with this history. Close it first: what runs "
                "goes on when it is started again."
            ) from error
        yield


def _set_aside(store: Path) -> Path | None:
    """Move the store with the log beside it into a folder of its own."""
    if not store.exists():
        return None
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    folder = store.parent / "replaced" / moment
    folder.mkdir(parents=True)
    # The log first: beside another file it would be taken for that one's.
    for end in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            store.with_name(store.name + end).rename(folder / (store.name + end))
    return folder / store.name


def _sync(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
