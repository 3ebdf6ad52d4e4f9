"""The verdict: one recommendation, its reasons, and the numbers behind every sentence."""

import streamlit as st

from tl_core.record import Record
from tl_core.source_images import measured_on
from tl_core.tables import source_summary
from tl_core.verdict import Clause, Verdict
from tl_core.wording import number_of, percent
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
    _clause(found, safe_label(headline(said)[1], LONG), said.clauses[0], 0)
    reasons(found, said)


def lead(found: Record, said: Verdict) -> None:
    """Show what a recording recommends, in one sentence."""
    title, rest = headline(said)
    strong = f"**In this recording: {safe_label(title[:1].lower() + title[1:])}.** "
    strong = strong if title else "In this recording: "
    _clause(found, f"{strong}{safe_label(rest, LONG)}", said.clauses[0], 0)


def reasons(found: Record, said: Verdict) -> None:
    """Show all that follows the recommendation."""
    clauses = [*said.clauses[1:], said.certainty]
    if said.would_change_if:
        clauses.append(said.would_change_if)
    for number, clause in enumerate(clauses, start=1):
        _clause(found, safe_label(clause.text, LONG), clause, number)


def _clause(found: Record, text: str, clause: Clause, number: int) -> None:
    """Show a sentence (Markdown) and, beside it, what opens its numbers."""
    line = st.container(horizontal=True, vertical_alignment="top", gap="xsmall", wrap=False)
    line.markdown(text)
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


def source(found: Record) -> None:
    """Say what forgetting was measured on, or why only drift is shown."""
    assert found.started is not None
    probe, summary = found.started.source, source_summary(found.started)
    if probe is None or summary is None:
        st.caption(
            ":material/info: No labelled source images: what training changed is called drift "
            "(predictions that differ from the original model's), never forgetting. Bring a few "
            "labelled images of source classes on the data page to measure forgetting."
        )
        return
    classes = number_of(probe.source_classes, "source class", "source classes")
    images = measured_on(probe)
    said = f"Source skill measured on {probe.classes:,} of {classes}, {images}"
    if not probe.rated:
        st.caption(
            f":material/info: {said}: too few for a rate (20 are needed), so drift is shown."
        )
        return
    ends = f"{percent(summary['ci_low'])} to {percent(summary['ci_high'])}"
    st.caption(
        f":material/info: {said}; the original model gets {percent(summary['accuracy_before'])} "
        f"of them right ({ends})."
    )
