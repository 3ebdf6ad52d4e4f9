"""Pictures that wait on disk, class by class, for as long as the session lasts."""

import shutil
import time
import uuid
from pathlib import Path
from typing import cast

import streamlit as st

from tl_core.ingest import WaitingRoom
from tl_core.owners import folder

# What a closed browser tab left behind is removed after a day.
LEFTOVER_SECONDS = 24 * 3600.0

_KEY = "waiting"


def room() -> WaitingRoom:
    """Return what this session has collected, to be changed in place."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = WaitingRoom(_swept() / uuid.uuid4().hex)
    return cast(WaitingRoom, st.session_state[_KEY])


def _swept() -> Path:
    root = folder("uploads")
    for left in root.iterdir():
        if left.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    return root
