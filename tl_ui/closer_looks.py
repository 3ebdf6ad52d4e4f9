"""Closer looks at a result, one at a time and made only when opened: a registry and its frame."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from tl_ui import (
    look_differences,
    look_disagreements,
    look_features,
    look_forgotten,
    look_interpolate,
    look_mistakes,
    look_models,
    look_predict,
    look_recall,
    look_tradeoff,
    look_try,
    redraw,
    shown,
)
from tl_ui.looked import Looked

LOOKS: Final[dict[str, tuple[str, Callable[[Looked], None]]]] = {
    "mistakes": ("Mistakes", look_mistakes.section),
    "recall": ("Per class", look_recall.section),
    "disagreements": ("Disagreements", look_disagreements.section),
    "tradeoff": ("Trade-off", look_tradeoff.section),
    "forgotten": ("What was forgotten", look_forgotten.section),
    "interpolate": ("Interpolate", look_interpolate.section),
    "differences": ("Only differences", look_differences.section),
    "features": ("Inside", look_features.section),
    "try": ("Try an image", look_try.section),
    "predict": ("Predict", look_predict.section),
    "models": ("Export", look_models.section),
}


def section(of: Looked) -> None:
    """Offer the closer looks, none of them open to begin with."""
    st.subheader("Look closer", anchor=False)
    name = st.segmented_control(
        "Look closer",
        list(LOOKS),
        format_func=lambda name: LOOKS[name][0],
        key="closer_look",
        persist_state="session",
        label_visibility="collapsed",
        wrap=True,
    )
    if name is None:
        st.caption("Choose what to look into: the images behind the numbers, and what they cost.")
        return
    shown.words(of.job.id, of.titles, key=f"_{name}")
    st.fragment(_drawn)(of, name)


def _drawn(of: Looked, name: str) -> None:
    """Draw one look; its widgets move nothing else unless they choose other strategies."""
    redraw.if_asked()
    LOOKS[name][1](of)
