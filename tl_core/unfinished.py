"""Names of what is being written, by which it is found again if its process dies."""

import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

PREFIX: Final = ".unfinished-"

_mark = ""


def mark(word: str) -> None:
    """Let all further names of this process begin with a word of its own."""
    global _mark
    _mark = word


def name() -> str:
    """Return a new name, of a file or a folder, that no listing takes for something finished."""
    return f"{PREFIX}{_mark}{uuid.uuid4().hex}"


def remove(root: Path, word: str) -> None:
    """Remove what a process with this mark left behind in a folder, or in folders within it."""
    for pattern in (f"{PREFIX}{word}*", f"*/{PREFIX}{word}*"):
        for path in root.glob(pattern):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
