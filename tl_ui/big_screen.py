"""Large, stronger text for the back of a room: one style rule that is there or not."""

import streamlit as st

_KEY, _TOGGLE = "big_screen", "big_screen_toggle"
SCALE = 1.35

# Sizes of widgets and text are in rem, so the root's size carries them all. Captions and quiet
# text of our own are paler than the rest: far from the wall that is too pale.
_STYLE = f"""<style>
html {{ font-size: {100 * SCALE:.0f}% !important; }}
[data-testid="stCaptionContainer"], [data-testid="stHtml"] * {{ opacity: 1 !important; }}
[data-testid="stCaptionContainer"] * {{ color: inherit !important; opacity: 1 !important; }}
</style>"""


def on() -> bool:
    """Return whether the session is shown large."""
    return bool(st.session_state.get(_KEY))


def scaled(height: float) -> int:
    """Return the height of a chart or table, whose text grows with the page's."""
    return round(height * (SCALE if on() else 1))


def switch(wanted: bool) -> None:
    """Turn it on or off."""
    st.session_state[_KEY] = wanted


def apply() -> None:
    """Enlarge the page that follows, if it is wanted."""
    if on():
        st.html(_STYLE)


def toggle() -> None:
    """Show the switch."""
    st.session_state[_TOGGLE] = on()
    st.toggle(
        "Big screen",
        key=_TOGGLE,
        on_change=lambda: switch(st.session_state[_TOGGLE]),
        help="Larger and stronger text, for a projector. Nothing else changes.",
    )
