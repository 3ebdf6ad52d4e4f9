"""Which pitfall is open, what was predicted, and whether its result may be seen."""

from dataclasses import dataclass, replace

import streamlit as st

from tl_core.pitfalls import PITFALLS, Pitfall

_KEY, _CARD, _SEE = "pitfalls", "card", "see"


@dataclass(frozen=True)
class CardState:
    """`guess`: place of an option; `own`: on the user's data; `shown`: the result was asked for."""

    guess: int | None = None
    own: bool = False
    shown: bool = False


def opened() -> Pitfall | None:
    """Return the card that the address names, None for the overview."""
    pitfall = PITFALLS.get(st.query_params.get(_CARD, ""))
    # A new session of an address at which a result was seen: it is still there.
    if pitfall is not None and _SEE in st.query_params and not of(pitfall).shown:
        change(pitfall, shown=True)
    return pitfall


def of(pitfall: Pitfall) -> CardState:
    """Return the session's state of a card."""
    states: dict[str, CardState] = st.session_state.setdefault(_KEY, {})
    return states.get(pitfall.name, CardState())


def change(pitfall: Pitfall, **changes: object) -> None:
    """Put a changed state of a card into the session."""
    changed = replace(of(pitfall), **changes)  # type: ignore[arg-type]
    st.session_state[_KEY][pitfall.name] = changed


def go(pitfall: Pitfall | None) -> None:
    """Open a card, or none."""
    for name in (_CARD, _SEE):
        st.query_params.pop(name, None)
    if pitfall is not None:
        st.query_params[_CARD] = pitfall.name
        if of(pitfall).shown:
            st.query_params[_SEE] = "1"


def reveal(pitfall: Pitfall) -> None:
    """Let the result be seen as soon as it is there, also after a refresh."""
    change(pitfall, shown=True)
    st.query_params[_SEE] = "1"


def restart(pitfall: Pitfall) -> None:
    """Put a card back to its start; results stay in the store."""
    st.session_state.setdefault(_KEY, {}).pop(pitfall.name, None)
    st.query_params.pop(_SEE, None)
