"""What the user has chosen: ids and plain values in the session, data on disk."""

from dataclasses import dataclass, field, replace
from typing import cast

import streamlit as st

from tl_core import weights
from tl_core.config import DRAWN, BudgetName, ClassBalance
from tl_core.strategies import STRATEGIES


@dataclass(frozen=True)
class Choice:
    """The next comparison as it stands. Frozen: pages put a changed copy back.

    `frozen` (one flag per block, input to output) is the user's own strategy, None when unused.
    `class_map` holds only what the user edited; everything else follows the suggestion.
    `probe`: a data set's fingerprint, DRAWN for the model's own drawn images where it has some, or
    None to measure no forgetting. `steps` and `learning_rate` come with an adopted comparison and
    are None otherwise.
    """

    dataset: str | None = None
    probe: str | None = DRAWN
    backbone: str = weights.FIRST_MODEL
    weights: str | None = None
    strategies: tuple[str, ...] = tuple(STRATEGIES)
    frozen: tuple[bool, ...] | None = None
    class_map: dict[str, tuple[int, ...]] = field(default_factory=dict)
    seeds: int = 1
    budget: BudgetName = "quick"
    steps: int | None = None
    learning_rate: float | None = None
    class_balance: ClassBalance = "none"


_KEY = "choice"


def choice() -> Choice:
    """Return the session's choice."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Choice(backbone=weights.default_model())
    return cast(Choice, st.session_state[_KEY])


def choose(**changes: object) -> Choice:
    """Store and return a copy of the choice with `changes`; the previous one can be undone."""
    st.session_state["previous_choice"] = choice()
    st.session_state[_KEY] = replace(choice(), **changes)  # type: ignore[arg-type]
    return choice()
