"""Groups: which images are served worse, and did training help or hurt them?"""

import streamlit as st

from tl_core import figures
from tl_core.answers import Estimate
from tl_core.dots import Dot
from tl_core.slices import FEWEST_IMAGES, Slice, source_model
from tl_core.wording import lowered, number_of, percent
from tl_ui import plots, trust_evidence, trust_parts, trust_sources
from tl_ui.trust_evidence import Subject
from tl_ui.widgets import plain_label, safe_label

# Groups that the chart draws; the table has all.
DRAWN = 12

_HELP = {
    "Accuracy": "Share of the group's test images classified correctly, with its 95% interval.",
    "Behind the rest": "Accuracy of all other test images minus the group's, in points. The "
    "interval is widened for all groups judged at once (Holm).",
    "Since the source model": "That gap minus the same gap before training: did it narrow, or "
    "widen?",
}


def section(of: Subject) -> None:
    """Show accuracy by group of images."""
    known = trust_sources.attributes(of)
    trust_sources.section(of)
    if not known:
        st.caption("Nothing is known of your images yet by which to group them.")
        return
    name = trust_parts.strategy(of, of.measured, "groups")
    found = trust_evidence.grouped(of, known, name)
    if not found:
        st.info("The data set has changed since this comparison: its groups no longer match.")
        return
    _words(of, found, name)
    _chart(found, name)
    _table(of, found, name)


def _words(of: Subject, found: list[Slice], name: str) -> None:
    judged = [one for one in found if one.gap is not None]
    behind = [one for one in judged if one.behind]
    title = of.titles[name]
    if not judged:
        st.markdown(f"**Every group has too few test images** to be judged ({FEWEST_IMAGES}).")
    elif behind:
        worst = behind[0]
        st.markdown(
            f"**{safe_label(title)} serves {number_of(len(behind), 'group')} measurably worse than "
            f"the rest.** The worst: {_label(worst)}, {percent(worst.accuracy.value)} right, "
            f"{trust_parts.percents(worst.gap)} points behind."
        )
    else:
        st.markdown(
            f"**No group is measurably served worse** by {safe_label(lowered(title))}, of "
            f"{number_of(len(judged), 'group')} that are large enough to tell."
        )


def _label(one: Slice) -> str:
    return safe_label(f"{one.attribute}: {one.value}", 80)


def _chart(found: list[Slice], name: str) -> None:
    dots = [
        Dot(
            plain_label(f"{one.attribute}: {one.value}", 40),
            Estimate(value=100 * one.gap.value, low=100 * one.gap.low, high=100 * one.gap.high),
            strategy=name,
        )
        for one in found
        if one.gap is not None
    ][:DRAWN]
    if not dots:
        return
    figure = figures.interval_dots(dots, "Points behind the rest")
    plots.show(
        figure,
        key="chart_groups",
        file="accuracy-by-group",
        alt=f"Points behind the rest by group: {figures.described(dots)}",
    )


def _table(of: Subject, found: list[Slice], name: str) -> None:
    columns = {
        "Group": [plain_label(f"{one.attribute}: {one.value}", 80) for one in found],
        "Test images": [f"{one.images:,}" for one in found],
        "Accuracy": [trust_parts.percents(one.accuracy) for one in found],
        "Behind the rest": [
            trust_parts.signed(one.gap) if one.gap else "too few images" for one in found
        ],
    }
    source = source_model(of.found)
    if source is not None and source != name:
        columns["Since the source model"] = [_turn(one) for one in found]
    trust_parts.table(columns, _HELP, "Accuracy by group of test images", "groups")
    before = ""
    if source is not None and source != name:
        before = (
            f" The source model is {lowered(of.titles[source])}: what the features gave before "
            "they were trained."
        )
    st.caption(f"Groups under {FEWEST_IMAGES} test images are shown last and never judged.{before}")


def _turn(one: Slice) -> str:
    if one.change is None:
        return "–"
    return f"{one.turn}: {trust_parts.signed(one.change)}"
