"""What stands below every page: the glossary and the switch for a projector."""

import streamlit as st

from tl_ui import big_screen, glossary_view


def show() -> None:
    """Show it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="foot"):
        glossary_view.popover()
        big_screen.toggle()
