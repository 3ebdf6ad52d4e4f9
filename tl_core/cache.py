"""The cache folder: entries appear only when complete; under one cap, oldest use goes first."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tl_core.home import folder
from tl_core.room_on_disk import MIN_FREE_BYTES

CAPACITY_BYTES = 10 * 1024**3


def entry(kind: str, key: str) -> Path:
    """Return where an entry lies, or will lie; `key` is a hash of all that decides its content."""
    root = folder("cache") / kind
    root.mkdir(exist_ok=True)
    return root / key[:32]


def is_ready(path: Path) -> bool:
    """Return whether an entry is complete, and note that it is used now."""
    if not path.is_dir():
        return False
    os.utime(path)
    return True


def has_room(expected_bytes: int) -> bool:
    """Return whether an entry fits a quarter of the cap, and the disk once old ones are gone."""
    return expected_bytes <= min(CAPACITY_BYTES // 4, _limit(sum(_sizes().values())))


@contextlib.contextmanager
def building(path: Path, expected_bytes: int) -> Iterator[Path]:
    """Give a folder that becomes the entry when the block ends without an error.

    The longest unused entries are deleted until `expected_bytes` fit under the cap and on the disk.
    """
    _make_room(expected_bytes)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        try:
            part.replace(path)
        except OSError:
            # Another process may have been faster, even in this moment.
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _limit(used: int) -> int:
    """Return how large the cache may grow on this disk: what it uses, and what is free to take."""
    return used + shutil.disk_usage(folder("cache")).free - MIN_FREE_BYTES


def _sizes() -> dict[Path, int]:
    found = {}
    for path in folder("cache").glob("*/*"):
        with contextlib.suppress(OSError):  # another process may evict what is looked at
            found[path] = sum(file.stat().st_size for file in path.iterdir())
    return found


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _make_room(needed: int) -> None:
    sizes = _sizes()
    total = sum(sizes.values())
    limit = min(CAPACITY_BYTES, _limit(total))
    for path in sorted(sizes, key=_last_used):
        if total + needed <= limit:
            return
        total -= sizes[path]
        shutil.rmtree(path, ignore_errors=True)
