"""An Undo button beside the controls whose last change it takes back."""

import streamlit as st

from tl_ui.state import earlier, go_back


def button(key: str, what: str, *names: str) -> None:
    """Offer to take back the last change of these fields of the choice; `what` names them."""
    known = earlier(*names) is not None
    st.button(
        "Undo",
        key=f"undo_{key}",
        icon=":material/undo:",
        disabled=not known,
        help=f"Takes back the last change of {what}."
        if known
        else f"Nothing to take back: {what} did not change in this session.",
        on_click=go_back,
        args=names,
    )
