"""All pitfalls as a grid of cards, with how far one has come with each."""

import streamlit as st

from tl_core.pitfalls import PITFALLS, Pitfall
from tl_ui import pitfall_run, pitfall_state
from tl_ui.pitfall_run import Known

_WIDTH = 250


def section(opened: Pitfall | None, there: Known) -> None:
    """Show a small card for every pitfall."""
    with st.grid(min_column_width=_WIDTH):
        for pitfall in PITFALLS.values():
            _card(pitfall, opened is pitfall, there)


def _card(pitfall: Pitfall, is_open: bool, there: Known) -> None:
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{pitfall.icon} **{pitfall.title}**", width="content")
            _badge(pitfall, there)
        st.caption(pitfall.question)
        st.button(
            "Open now" if is_open else "Open",
            key=f"open_{pitfall.name}",
            disabled=is_open,
            on_click=pitfall_state.go,
            args=(pitfall,),
            help=None if is_open else f"Open the card {pitfall.title}",
        )


def _badge(pitfall: Pitfall, there: Known) -> None:
    """Say how far one has come: running, seen, or predicted."""
    state = pitfall_state.of(pitfall)
    found = pitfall_run.parts(pitfall, state.own, there)
    if pitfall_run.is_active(found):
        st.badge("running", icon=":material/play_arrow:", color="blue")
    elif state.shown and pitfall_run.is_done(found):
        st.badge("seen", icon=":material/check:", color="green")
    elif state.guess is not None:
        st.badge("predicted", icon=":material/lightbulb:", color="orange")
