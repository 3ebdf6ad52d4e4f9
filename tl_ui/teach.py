"""Teach with this: the set-up as a link, what it hides, and its picture for the wall."""

import io
from dataclasses import replace
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno
import streamlit as st

from tl_core import lesson_links
from tl_core.lesson_links import CONTROLS, Control
from tl_ui import big_screen, lesson_link, workshop
from tl_ui.widgets import safe_label

_NAMES: dict[Control, str] = {
    "data": "Data",
    "model": "Model",
    "layers": "Layers",
    "plan": "Plan",
    "guess": "Guess",
    "recorded": "Recorded result",
}
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def popover() -> None:
    """Show the button that opens it."""
    with st.popover("Teach with this", icon=":material/school:", type="tertiary"):
        _link()


def _link() -> None:
    st.markdown("**A link that opens just this set-up**")
    hide = st.pills(
        "Hide from participants",
        CONTROLS,
        selection_mode="multi",
        format_func=_NAMES.__getitem__,
        key="teach_hide",
        help="They can bring it back with Show everything. A recorded result tells the answer "
        "before the guess.",
    )
    code = st.text_input(
        "Class code (optional)",
        value=workshop.code(),
        key="teach_class",
        max_chars=32,
        placeholder="such as 7b-friday",
        help="Marks what is started with this link: the Lessons page shows a class side by side. "
        "Names and results are visible to everyone on this server.",
    )
    settings = replace(
        lesson_link.settings(), hide=tuple(hide), screen="big" if big_screen.on() else None
    )
    if code:
        try:
            settings = replace(settings, class_code=lesson_links.class_code(code.strip()))
        except ValueError as fault:
            st.info(f"A class code is {safe_label(fault)}.", icon=":material/info:")
    address = url(st.context.url or "", lesson_links.query(settings))
    st.code(address, language=None, wrap_lines=True)
    if settings.sample is None:
        st.caption(
            ":material/info: Images of your own cannot travel in a link: participants keep "
            "the images that they have chosen."
        )
    if urlsplit(address).hostname in _LOCAL:
        st.caption(
            ":material/info: This address works on this computer alone. For others, open the app "
            "under the name that they use, and copy the link then."
        )
    st.image(picture(address), width=200, alt="QR code of the lesson link")


def url(here: str, query: dict[str, str]) -> str:
    """Return the address of the Lab, which is the page this stands on, with another query."""
    parts = urlsplit(here)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(query), ""))


@st.cache_data(max_entries=64, show_spinner=False)
def picture(address: str) -> bytes:
    """Return an address as a QR code, PNG."""
    file = io.BytesIO()
    segno.make(address, error="m").save(file, kind="png", scale=6, border=2)
    return file.getvalue()
