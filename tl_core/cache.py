"""The cache folder: entries appear only when complete; under one cap, oldest use goes first."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tl_core.home import folder

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


@contextlib.contextmanager
def building(path: Path, expected_bytes: int) -> Iterator[Path]:
    """Give a folder that becomes the entry when the block ends without an error.

    The longest unused entries are deleted until `expected_bytes` fit under the cap.
    """
    _make_room(expected_bytes)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        if not path.exists():
            part.replace(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _make_room(needed: int) -> None:
    entries = [path for path in folder("cache").glob("*/*") if path.is_dir()]
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in entries}
    total = sum(sizes.values())
    for path in sorted(entries, key=lambda path: path.stat().st_mtime):
        if total + needed <= CAPACITY_BYTES:
            return
        total -= sizes[path]
        shutil.rmtree(path, ignore_errors=True)
