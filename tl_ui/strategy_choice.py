"""Which strategies are compared: the textbook's five, those beyond them, and what cannot run."""

from collections.abc import Iterable, Mapping
from typing import Final

import streamlit as st

from tl_core import glossary
from tl_core.catalog import Model
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES
from tl_ui import shown
from tl_ui.state import choice, choose

BEYOND: Final = tuple(name for name in STRATEGIES if name not in TEXTBOOK_STRATEGIES)


def section(row: Model, refused: Mapping[str, str]) -> None:
    """Show the choice; `refused` are those that cannot run here, by name, with the reason."""
    _textbook(refused)
    with st.expander("Beyond the five", expanded=False, key="beyond_the_five"):
        for name in BEYOND:
            _one(name, refused)
    _count(refused)
    if choice().frozen is not None:
        st.caption(
            f"and **My layers**, your own choice of frozen blocks of {row.title} "
            "(turned on on the model page)"
        )


def _textbook(refused: Mapping[str, str]) -> None:
    """Offer the five as one row."""
    st.session_state["setup_strategies"] = [
        name for name in TEXTBOOK_STRATEGIES if name in choice().strategies
    ]
    st.pills(
        "Strategies",
        TEXTBOOK_STRATEGIES,
        selection_mode="multi",
        format_func=lambda name: STRATEGIES[name].title,
        key="setup_strategies",
        help=glossary.explain("strategy", "backbone", "head"),
        on_change=_keep,
        args=(refused,),
    )


def _one(name: str, refused: Mapping[str, str]) -> None:
    """Offer a strategy in one line, with what it does or why it cannot run."""
    strategy, key, reason = STRATEGIES[name], f"strategy_{name}", refused.get(name, "")
    st.session_state[key] = name in choice().strategies and not reason
    st.checkbox(
        f"**{shown.marked(name, strategy.title)}** :small[{reason or strategy.summary}]",
        key=key,
        disabled=bool(reason),
        help=f"Labels needed: {strategy.textbook.labels_needed}. Compute: "
        f"{strategy.textbook.compute}. Overfitting risk: {strategy.textbook.overfitting_risk}.",
        on_change=_keep,
        args=(refused,),
    )


def _count(refused: Mapping[str, str]) -> None:
    """Say how many are chosen, with the ways to the five and to all."""
    possible = tuple(name for name in STRATEGIES if name not in refused)
    chosen = tuple(name for name in possible if name in choice().strategies)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{len(chosen)} of {len(STRATEGIES)} chosen", width="content")
        st.button(
            "Only the five",
            key="strategies_five",
            type="tertiary",
            disabled=chosen == TEXTBOOK_STRATEGIES,
            on_click=_choose,
            args=(TEXTBOOK_STRATEGIES,),
        )
        st.button(
            "All that can run",
            key="strategies_all",
            type="tertiary",
            disabled=chosen == possible,
            on_click=_choose,
            args=(possible,),
        )


def _keep(refused: Mapping[str, str]) -> None:
    """Make what is ticked the choice; what cannot run now stays wished for."""
    wished = set(refused) & set(choice().strategies)
    ticked = {name for name in BEYOND if st.session_state[f"strategy_{name}"]}
    _choose({*st.session_state["setup_strategies"], *ticked, *wished})


def _choose(names: Iterable[str]) -> None:
    wanted = set(names)
    choose(strategies=tuple(name for name in STRATEGIES if name in wanted))
