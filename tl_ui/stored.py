"""The open store of the data directory, whole; pages take `current.store()`, a person's."""

import streamlit as st

from tl_core.home import home
from tl_core.store import Store


def whole_store() -> Store:
    """Return the store with everybody's jobs; for the teacher's page and what is nobody's."""
    return _store(str(home()))


@st.cache_resource(show_spinner=False, max_entries=4)
def _store(data: str) -> Store:
    return Store()
