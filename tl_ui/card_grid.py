"""All cards of a deck as a grid, with how far one has come with each."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from tl_ui.card_deck import Card, Deck

_WIDTH = 250


def section(
    deck: Deck[Card],
    opened: Card | None,
    caption: Callable[[Card], str],
    stage: Callable[[Card], str],
) -> None:
    """Show a small card for every card of the deck.

    `stage`: `running`, `seen`, or nothing, in which case a prediction counts.
    """
    with st.grid(min_column_width=_WIDTH):
        for card in deck.cards.values():
            with st.container(border=True, gap="xsmall", height="stretch"):
                _small(deck, card, opened is card, caption(card), stage(card))


def _small(deck: Deck[Card], card: Any, is_open: bool, caption: str, stage: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{card.icon} **{card.title}**", width="content")
        _badge(stage, deck.of(card).guess is not None)
    st.caption(caption)
    st.button(
        "Open now" if is_open else "Open",
        key=f"open_{card.name}",
        disabled=is_open,
        on_click=deck.go,
        args=(card,),
        help="This one is open above." if is_open else f"Open {card.title}",
    )


def _badge(stage: str, predicted: bool) -> None:
    """Say how far one has come: running, seen, or predicted."""
    if stage == "running":
        st.badge("running", icon=":material/play_arrow:", color="blue")
    elif stage == "seen":
        st.badge("seen", icon=":material/check:", color="green")
    elif predicted:
        st.badge("predicted", icon=":material/lightbulb:", color="orange")
