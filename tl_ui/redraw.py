"""A part of a page redraws only itself: here it asks for the whole page when that has changed."""

import streamlit as st

_KEY = "redraw_all"


def ask() -> None:
    """Ask for the whole page to be drawn anew; for callbacks, which may be a part's."""
    st.session_state[_KEY] = True


def if_asked() -> None:
    """Draw the whole page anew if a callback asked for it; for the beginning of a part."""
    if st.session_state.pop(_KEY, False):
        st.rerun()


def settle() -> None:
    """Take note that the whole page is being drawn."""
    st.session_state.pop(_KEY, None)
