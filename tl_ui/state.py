"""What the user has chosen: ids and plain values in the session, data on disk."""

from dataclasses import dataclass, field, replace
from typing import cast

import streamlit as st

from tl_core import weights
from tl_core.config import DRAWN, Augmentation, BudgetName, ClassBalance, Regularisation
from tl_core.strategies import TEXTBOOK_STRATEGIES


@dataclass(frozen=True)
class Choice:
    """The next comparison as it stands. Frozen: pages put a changed copy back.

    `frozen` (one flag per block, input to output) is the user's own strategy, None when unused.
    `class_map` holds only what the user edited; everything else follows the suggestion.
    `probe`: a data set's fingerprint, DRAWN for the model's own drawn images where it has some, or
    None to measure no forgetting. `steps`, `learning_rate` and what `unusual` tells come with an
    adopted comparison or a link, and are as usual otherwise.
    """

    dataset: str | None = None
    probe: str | None = DRAWN
    backbone: str = weights.FIRST_MODEL
    weights: str | None = None
    strategies: tuple[str, ...] = TEXTBOOK_STRATEGIES
    frozen: tuple[bool, ...] | None = None
    class_map: dict[str, tuple[int, ...]] = field(default_factory=dict)
    seeds: int = 1
    budget: BudgetName = "quick"
    steps: int | None = None
    learning_rate: float | None = None
    class_balance: ClassBalance = "none"
    labels_per_class: int | None = None
    input_size: int | None = None
    augmentation: Augmentation = "crops"
    regularisation: Regularisation = "usual"
    rate_range: tuple[float, float] | None = None


_KEY, _EARLIER, _KEPT = "choice", "earlier_choices", 20


def choice() -> Choice:
    """Return the session's choice."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Choice(backbone=weights.default_model())
    return cast(Choice, st.session_state[_KEY])


def choose(**changes: object) -> Choice:
    """Store and return a copy of the choice with `changes`; earlier ones can be gone back to."""
    before, after = choice(), replace(choice(), **changes)  # type: ignore[arg-type]
    if after != before:
        _set_earlier([*_earlier(), before][-_KEPT:])
    st.session_state[_KEY] = after
    return after


def earlier(*names: str) -> Choice | None:
    """Return the latest earlier choice that had other values of these fields, if any is known."""
    now = _values(choice(), names)
    return next((one for one in reversed(_earlier()) if _values(one, names) != now), None)


def go_back(*names: str) -> None:
    """Take back the last change of these fields; all others stay as they are."""
    before = earlier(*names)
    if before is None:
        return
    own = {name: getattr(before, name) for name in names}
    kept = list(_earlier())
    place = len(kept) - 1 - kept[::-1].index(before)
    # What came later differs in other fields alone: those can still be taken back.
    _set_earlier([*kept[:place], *(replace(one, **own) for one in kept[place + 1 :])])
    st.session_state[_KEY] = replace(choice(), **own)


def _values(one: Choice, names: tuple[str, ...]) -> list[object]:
    return [getattr(one, name) for name in names]


def _earlier() -> list[Choice]:
    return cast(list[Choice], st.session_state.get(_EARLIER, []))


def _set_earlier(choices: list[Choice]) -> None:
    st.session_state[_EARLIER] = choices
