"""The data directory: `TL_HOME`, else the platform's user data directory."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the data directory, read anew from the environment at every call; it is created."""
    configured = os.environ.get("TL_HOME")
    path = Path(configured) if configured else Path(platformdirs.user_data_dir("transfer-lab"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def folder(name: str) -> Path:
    """Return a named folder of the data directory (`datasets`, `weights`, `cache` ...), created."""
    path = home() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def empty_home() -> Iterator[Path]:
    """Work in a data directory of its own, which is empty at first and gone afterwards."""
    before = os.environ.get("TL_HOME")
    with tempfile.TemporaryDirectory(prefix="tl-home-", ignore_cleanup_errors=True) as path:
        os.environ["TL_HOME"] = path
        try:
            yield Path(path)
        finally:
            if before is None:
                del os.environ["TL_HOME"]
            else:
                os.environ["TL_HOME"] = before
