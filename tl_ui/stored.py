"""The store of the data directory, whole: looked through once, opened once, sound or damaged.

Pages take `current.store()`, a person's.
"""

from pathlib import Path

import streamlit as st

from tl_core.home import home
from tl_core.store import Store, replacing, store_path

# Which file it is: its number on the disk changes when a backup takes its place.
File = tuple[int, int]

# Files in which damage was found while they were in use.
_damaged: set[File] = set()


def whole_store() -> Store:
    """Return the store with everybody's jobs; for the teacher's page and what is nobody's.

    A damaged one can only be read. Raises StoreError where it cannot be opened at all.
    """
    return _opened(str(home()), _file(), bool(wrong()))


def wrong() -> str:
    """Return in a sentence what is wrong with the file, empty if it is sound."""
    file = _file()
    if file in _damaged:
        return "Parts of its file can no longer be read."
    return _looked_through(str(home()), file)


def damage_found() -> None:
    """Have the file in use only read from now on."""
    _damaged.add(_file())


def _file() -> File:
    path = store_path()
    if not path.exists():
        Store(path).close()
    about = Path(path).stat()
    return about.st_dev, about.st_ino


@st.cache_resource(show_spinner="Looking through the history", max_entries=4)
def _looked_through(data: str, file: File) -> str:
    return replacing.trouble(store_path())


@st.cache_resource(show_spinner=False, max_entries=4)
def _opened(data: str, file: File, read_only: bool) -> Store:
    return Store(read_only=read_only)
