"""What closer looks say to finished models: which runs, and what became of a question to them."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tl_core import finished_runs
from tl_core.config import ComparisonConfig
from tl_core.events import RunEnded
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label


def config(of: Looked) -> ComparisonConfig:
    """Return the comparison's configuration, as it was resolved."""
    assert of.found.started is not None
    return of.found.started.config


def first_runs(of: Looked, strategies: Sequence[str]) -> list[RunEnded]:
    """Return each strategy's run of the first seed that has one and did not diverge."""
    found = []
    for name in strategies:
        runs = of.found.final(name)
        sound = [seed for seed in sorted(runs) if not runs[seed].result.diverged]
        if sound:
            found.append(runs[sound[0]])
    return found


def request(runs: Sequence[RunEnded], **beside: Any) -> dict[str, Any]:
    """Return a request about runs."""
    return {**finished_runs.named(runs), **beside}


def choose(of: Looked, key: str, among: Sequence[str] | None = None) -> RunEnded | None:
    """Let the user choose a strategy, and a seed where there are several.

    The first of `among`, or the recommended one of all that are shown, is chosen to begin with.
    """
    names = among
    if names is None:
        names = sorted(of.measured, key=lambda name: name != of.recommended)
    if not first_runs(of, names):
        st.info("No strategy that is shown has a model to use.", icon=":material/info:")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Strategy",
            names,
            format_func=lambda one: of.titles[one] + _praise(of, one),
            key=of.key(f"{key}_strategy_{len(names)}"),
            width=320,
        )
        runs = of.found.final(name)
        seeds = sorted(seed for seed in runs if not runs[seed].result.diverged)
        if not seeds:
            st.caption(f"Every training of {safe_label(of.titles[name])} diverged.")
            return None
        seed = seeds[0]
        if len(seeds) > 1:
            seed = st.selectbox(
                "Seed",
                seeds,
                format_func=lambda one: f"{one + 1}",
                key=of.key(f"{key}_seed_{name}"),
                width=120,
                help="Each seed trained a model of its own, on its own split.",
            )
    return runs[seed]


def _praise(of: Looked, name: str) -> str:
    return " (recommended)" if name == of.recommended else ""
