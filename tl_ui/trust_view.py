"""The Trust page's frame: a sentence, the flags, then one closer look at a time."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from tl_core import advice
from tl_core.answers import Soundness
from tl_core.store import Comparison
from tl_ui import (
    theme,
    trust_balance,
    trust_confidence,
    trust_costs,
    trust_evidence,
    trust_flags,
    trust_groups,
    trust_learning,
    trust_outside,
    trust_sources,
)
from tl_ui.follow import follow
from tl_ui.trust_evidence import Subject, subject
from tl_ui.widgets import safe_label

VIEWS: Final[dict[str, tuple[str, Callable[[Subject], None]]]] = {
    "confidence": ("Confidence", trust_confidence.section),
    "groups": ("Groups", trust_groups.section),
    "balance": ("Class balance", trust_balance.section),
    "costs": ("Cost of mistakes", trust_costs.section),
    "outside": ("None of these", trust_outside.section),
    "learning": ("Learning", trust_learning.section),
}


def show(job: Comparison) -> None:
    """Show what can be said of a comparison."""
    of = subject(job, follow(job.id))
    if not of.measured:
        st.info(
            "No strategy of this comparison has a result yet. This page fills once one has.",
            icon=":material/hourglass_empty:",
        )
        st.page_link(
            theme.LAB,
            label="See how far it is",
            icon=":material/experiment:",
            query_params={"job": job.id},
        )
        return
    if job.status != "done":
        st.caption(":material/incomplete_circle: Partial results: about the runs that have ended.")
    trust_flags.show(of, trust_evidence.judged(of, trust_sources.attributes(of)))
    _textbook(of)
    st.subheader("Look closer", anchor=False)
    view = st.segmented_control(
        "Look closer",
        list(VIEWS),
        default="confidence",
        required=True,
        format_func=lambda name: VIEWS[name][0],
        key="trust_view",
        persist_state="session",
        label_visibility="collapsed",
        wrap=True,
    )
    section = VIEWS[view][1]
    # A slider moves its own section alone; a table of groups concerns the flags too.
    (section if view == "groups" else st.fragment(section))(of)


def _textbook(of: Subject) -> None:
    soundness = trust_evidence.answer("check", Soundness, of.job.config)
    said = advice.advice(of.found, of.followed.rows, soundness)
    if said is None:
        return
    with st.expander("What would a textbook have said?", icon=":material/menu_book:"):
        for sentence in said.sentences:
            st.markdown(safe_label(sentence.text, 800))
            st.caption(advice.BASES[sentence.basis])
