"""The verdict: one recommendation, its reasons, and the numbers behind every sentence."""

import streamlit as st

from tl_core.record import Record
from tl_core.verdict import Clause, Verdict
from tl_ui.widgets import safe_label

LONG = 1000


def headline(said: Verdict | None) -> tuple[str, str]:
    """Return the recommendation as a title, and the rest of its sentence."""
    if said is None or said.recommended is None:
        return "", said.clauses[0].text if said else ""
    title, _, rest = said.clauses[0].text.partition(". ")
    return title, rest


def show(found: Record, said: Verdict) -> None:
    """Show the reasons; every one opens the numbers it stands on and the reproducing command."""
    first = headline(said)[1]
    clauses = [(first, said.clauses[0]), *((clause.text, clause) for clause in said.clauses[1:])]
    clauses.append((said.certainty.text, said.certainty))
    if said.would_change_if:
        clauses.append((said.would_change_if.text, said.would_change_if))
    for number, (text, clause) in enumerate(clauses):
        _clause(found, text, clause, number)


def _clause(found: Record, text: str, clause: Clause, number: int) -> None:
    """Show a sentence and, beside it, what opens its numbers."""
    line = st.container(horizontal=True, vertical_alignment="top", gap="xsmall", wrap=False)
    line.markdown(safe_label(text, LONG))
    with line.popover(
        "Why?", type="tertiary", key=f"clause_{number}", help="The numbers behind this sentence"
    ):
        for name, value in clause.numbers:
            st.markdown(f"**{safe_label(name)}:** {safe_label(value)}")
        st.caption(
            "Accuracy is of the last step on held-out test images, with its 95% interval. "
            "Differences are paired: the same images, the same seeds. Tied means that the "
            "interval of the difference contains 0."
        )
        if found.started is not None:
            st.caption("The command that gives these numbers again:")
            st.code(found.started.command, language="bash", wrap_lines=True)
