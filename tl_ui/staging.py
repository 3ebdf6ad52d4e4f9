"""Loose files that wait on disk, class by class, until a data set is made of them."""

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import streamlit as st

from tl_core import ingest
from tl_core.datasets import Dataset, Kind
from tl_core.datasets.limits import BadInput
from tl_core.home import folder

# What a closed browser tab left behind is removed after a day.
LEFTOVER_SECONDS = 24 * 3600.0

# Class -> (name of the upload, path of its copy) of each file.
Staged = dict[str, list[tuple[str, str]]]
Progress = Callable[[str, float | None], None]


def staged() -> Staged:
    """Return what this session has collected, to be changed in place."""
    return cast(Staged, st.session_state.setdefault("staged", {}))


def class_name_fault(name: str) -> str:
    """Return why a typed class name cannot be used, empty if it can."""
    if not name.strip():
        return "Type the name of the class first, then drop its images."
    if re.search(r"[/\\]|^\s*\.|^\s*[A-Za-z]:", name):
        return "A class name cannot contain a slash, start with a dot, or look like a drive (C:)."
    return ""


def stage(name: str, files: list[BinaryIO]) -> None:
    """Copy uploads of a class to disk, each under the hash of its content."""
    for file in files:
        content = file.read()
        path = _own_folder() / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        staged().setdefault(name.strip(), []).append((file.name, str(path)))


def ingest_staged(kind: Kind, name: str, show: Progress) -> Dataset:
    """Make a data set of what was collected, and forget that; raises BadInput as `ingest` does."""
    pairs = [
        (f"{label}/{file}", cast(BinaryIO, _StagedFile(Path(path))))
        for label, files in staged().items()
        for file, path in files
    ]
    try:
        dataset = ingest.ingest_files(pairs, name=name, kind=kind, progress=show)
    except FileNotFoundError as error:
        staged().clear()
        raise BadInput("The images waited too long and are gone. Drop them again.") from error
    staged().clear()
    shutil.rmtree(_own_folder(), ignore_errors=True)
    return dataset


def _own_folder() -> Path:
    root = folder("uploads")
    for left in root.iterdir():
        if left.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    own = root / str(st.session_state.setdefault("staging", uuid.uuid4().hex))
    own.mkdir(exist_ok=True)
    return own


class _StagedFile:
    """A staged upload, open only while it is read: there may be more of them than file handles."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._path.stat().st_size if whence == os.SEEK_END else 0

    def read(self, size: int = -1) -> bytes:
        with self._path.open("rb") as file:
            return file.read(size)
