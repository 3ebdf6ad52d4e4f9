"""Pictures that wait on disk, class by class, for as long as the session lasts."""

import uuid
from typing import cast

import streamlit as st

from tl_core.ingest import WaitingRoom
from tl_core.intake import spool

_KEY = "waiting"


def room() -> WaitingRoom:
    """Return what this session has collected, to be changed in place."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = WaitingRoom(spool.root() / uuid.uuid4().hex)
    return cast(WaitingRoom, st.session_state[_KEY])
