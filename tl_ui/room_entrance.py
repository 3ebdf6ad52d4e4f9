"""How people get into the room: link, picture and code, on the page and large on a wall."""

import os
from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from tl_core.store import Room
from tl_ui import teach, theme
from tl_ui.widgets import safe_label

# In the address of this page: nothing but the entrance is shown.
SEE, LARGE = "see", "entrance"


def link(code: str) -> str:
    """Return what participants open: as the room was opened, else as this browser came here."""
    base = os.environ.get("TL_ROOM_LINK") or _here()
    return f"{base}/?{urlencode({'room': code})}"


def _here() -> str:
    parts = urlsplit(st.context.url or "")
    return urlunsplit((parts.scheme, parts.netloc, "", "", ""))


def is_large() -> bool:
    """Return whether the address asks for the entrance alone."""
    return st.query_params.get(SEE) == LARGE


def section(room: Room) -> None:
    """Show how people get in, with the way to the large view."""
    address = link(room.code)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.image(teach.picture(address), width=180, alt="QR code of the room's link")
        with st.container(width=420, gap="small"):
            st.markdown(f"Code: **{safe_label(room.code)}**")
            st.code(address, language=None, wrap_lines=True)
            st.page_link(
                theme.ROOM,
                label="Show it large, for the wall",
                icon=":material/fullscreen:",
                query_params={SEE: LARGE},
            )


def large(room: Room) -> None:
    """Show nothing but how people get in, for the back row."""
    address = link(room.code)
    base, code = (escape(text) for text in (address.partition("/?")[0], room.code))
    with st.container(horizontal=True, gap="large", vertical_alignment="center"):
        st.image(teach.picture(address), width=460, alt="QR code of the room's link")
        st.html(
            f'<div style="font-size:1.6rem;overflow-wrap:anywhere">{base}</div>'
            f'<h1 style="font-size:clamp(2.2rem,5vw,4.5rem)">{code}</h1>',
            width="content",
        )
    st.page_link(theme.ROOM, label="Back to the room", icon=":material/arrow_back:")
