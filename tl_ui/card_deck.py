"""Cards to open, predict on and reveal: which is open, what was predicted, what may be seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import streamlit as st

from tl_core.lessons import LESSONS, Lesson
from tl_core.pitfalls import PITFALLS, Pitfall

_SEE = "see"


class Named(Protocol):
    """What a deck holds."""

    @property
    def name(self) -> str:
        """The name that stands in an address."""


Card = TypeVar("Card", bound=Named)


@dataclass(frozen=True)
class CardState:
    """`guess`: place of an option; `own`: on the user's data; `shown`: the result was asked for."""

    guess: int | None = None
    own: bool = False
    shown: bool = False


class Deck(Generic[Card]):
    """Cards of one kind; `word` names the kind in addresses and in the session."""

    def __init__(self, word: str, cards: Mapping[str, Card]) -> None:
        self.word, self.cards = word, cards

    def named(self, query: Mapping[str, str]) -> str | None:
        """Return the name of the card that an address opens, None if there is no such card."""
        name = query.get(self.word, "")
        return name if name in self.cards else None

    def opened(self) -> Card | None:
        """Return the card that the address names, None for the overview."""
        card = self.cards.get(self.named(st.query_params) or "")
        # A new session of an address at which a result was seen: it is still there.
        if card is not None and _SEE in st.query_params and not self.of(card).shown:
            self.change(card, shown=True)
        return card

    def of(self, card: Card) -> CardState:
        """Return the session's state of a card."""
        return self._states().get(card.name, CardState())

    def change(self, card: Card, **changes: object) -> None:
        """Put a changed state of a card into the session."""
        self._states()[card.name] = replace(self.of(card), **changes)  # type: ignore[arg-type]

    def go(self, card: Card | None) -> None:
        """Open a card, or none."""
        for name in (self.word, _SEE):
            st.query_params.pop(name, None)
        if card is not None:
            st.query_params[self.word] = card.name
            if self.of(card).shown:
                st.query_params[_SEE] = "1"

    def reveal(self, card: Card) -> None:
        """Let the result be seen as soon as it is there, also after a refresh."""
        self.change(card, shown=True)
        st.query_params[_SEE] = "1"

    def restart(self, card: Card) -> None:
        """Put a card back to its start; results stay in the store."""
        self._states().pop(card.name, None)
        st.query_params.pop(_SEE, None)

    def _states(self) -> dict[str, CardState]:
        states: dict[str, CardState] = st.session_state.setdefault(f"{self.word}_states", {})
        return states


PITFALL_DECK = Deck[Pitfall]("card", PITFALLS)
LESSON_DECK = Deck[Lesson]("lesson", LESSONS)
