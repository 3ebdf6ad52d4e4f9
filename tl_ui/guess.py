"""Guess first: one optional tap before a comparison, answered in one line after it."""

from collections.abc import Sequence

import streamlit as st

from tl_core import guessing
from tl_core.store import Comparison
from tl_core.strategies import Strategy
from tl_ui import shown
from tl_ui.follow import Followed
from tl_ui.widgets import safe_label

_KEY, _PILLS = "guess", "guess_pills"


def remember(name: str | None) -> None:
    """Keep a guess, the name of a strategy, for the next comparison of this session."""
    st.session_state[_KEY] = name


def current(strategies: Sequence[Strategy]) -> str:
    """Return the guess if it is one of these strategies, else an empty text."""
    name: str = st.session_state.get(_KEY) or ""
    return name if name in {strategy.name for strategy in strategies} else ""


def section(strategies: Sequence[Strategy]) -> None:
    """Show the chips, each in its strategy's colour; a second tap takes the guess back."""
    if len(strategies) < 2:
        return
    titles = {strategy.name: strategy.title for strategy in strategies}
    st.session_state[_PILLS] = current(strategies) or None
    st.pills(
        "Which will win? Tap a guess, if you like",
        list(titles),
        format_func=lambda name: shown.marked(name, titles[name]),
        key=_PILLS,
        on_change=lambda: remember(st.session_state[_PILLS]),
        wrap=True,
        help="A guess changes nothing that is computed. The result page answers it in one line.",
    )


def show(job: Comparison, followed: Followed) -> None:
    """Answer the guess that a comparison was started with, if there was one."""
    said = guessing.answer(job.tags.guess, followed.found, followed.rows, followed.said)
    if said is not None:
        st.markdown(f":material/lightbulb: {safe_label(said, 400)}")
