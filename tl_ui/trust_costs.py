"""Cost of mistakes: what if missing one class is worse than a false alarm?"""

import numpy as np
import streamlit as st

from tl_core import figures, pairing
from tl_core.answers import Estimate
from tl_core.costs import PER, Cost
from tl_core.dots import Dot
from tl_core.wording import listed, lowered
from tl_ui import plots, trust_evidence, trust_parts
from tl_ui.trust_evidence import Subject
from tl_ui.widgets import plain_label, safe_label

FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_CONSTANT = {"always": "Always raise an alarm", "never": "Never raise an alarm"}

_HELP = {
    "Cost": f"Per {PER:,} test images: false alarms, and misses times their price, with a 95% "
    "interval.",
    "Difference": "To the cheapest strategy, paired on the same images, widened for several "
    "comparisons (Holm).",
    "Threshold": "An image raises an alarm if its probability of the class reaches it. Chosen on "
    "the validation images of all seeds, never on test images.",
    "Misses": f"Images of the class without an alarm, per {PER:,} images.",
    "False alarms": f"Alarms for images of other classes, per {PER:,} images.",
}


def section(of: Subject) -> None:
    """Show which strategy is cheapest when misses and false alarms have a price."""
    assert of.found.started is not None
    names = of.found.started.dataset.classes
    counts = np.bincount(pairing.test_labels(of.found), minlength=len(names))
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="bottom")
    there = [label for label in range(len(names)) if counts[label]]
    label: int = left.selectbox(
        "Class that must not be missed",
        there,
        index=int(np.argmin(counts[there])),
        format_func=lambda one: plain_label(names[one], 60),
        key=f"trust_cost_class_{of.job.id[:8]}",
    )
    factor: float = right.select_slider(
        "A miss costs as much as this many false alarms",
        FACTORS,
        value=10.0,
        format_func=lambda value: f"{value:g}",
        key="trust_cost_factor",
        persist_state="session",
    )
    found = trust_evidence.priced(of, label, factor)
    if not found:
        trust_parts.not_kept(of, "every image's probabilities")
        return
    _words(of, found, names[label])
    _chart(of, found)
    _table(of, found)
    st.caption(
        f"{counts[label]:,} test images are {safe_label(names[label], 60)}. The class is held "
        "against all others; where it is rarer than in your test part, it costs less."
    )


def _title(of: Subject, one: Cost) -> str:
    return _CONSTANT.get(one.strategy) or of.titles[one.strategy]


def _words(of: Subject, found: list[Cost], name: str) -> None:
    best = found[0]
    tied = [lowered(_title(of, one)) for one in found[1:] if one.tied]
    guess = min((one for one in found if one.tied is None), key=lambda one: one.expected.value)
    with_it = f", tied with {listed(tied)}" if tied else ""
    st.markdown(
        f"**{_title(of, best)} costs least**{with_it}: {trust_parts.plain(best.expected)} per "
        f"{PER:,} images. Of {PER:,} images it misses {best.misses.value:,.0f} of "
        f"{safe_label(name, 60)} and raises {best.false_alarms.value:,.0f} false alarms."
    )
    if guess.difference.low <= 0:
        st.markdown(
            f":material/warning: To {lowered(_title(of, guess))} needs no model and is not clearly "
            f"dearer: {trust_parts.plain(guess.difference)} more per {PER:,} images."
        )


def _chart(of: Subject, found: list[Cost]) -> None:
    dots = [
        Dot(
            _title(of, one),
            Estimate(value=one.expected.value, low=one.expected.low, high=one.expected.high),
            strategy="" if one.threshold is None else one.strategy,
        )
        for one in found
    ]
    figure = figures.interval_dots(dots, f"Cost per {PER:,} images (false alarms)")
    plots.show(
        figure,
        key="chart_costs",
        file="cost-of-mistakes",
        alt=f"Cost per {PER:,} images: {figures.described(dots)}",
    )


def _table(of: Subject, found: list[Cost]) -> None:
    trust_parts.table(
        {
            "Strategy": [_title(of, one) for one in found],
            "Cost": [trust_parts.plain(one.expected) for one in found],
            "Difference": [_difference(one) for one in found],
            "Misses": [trust_parts.plain(one.misses) for one in found],
            "False alarms": [trust_parts.plain(one.false_alarms) for one in found],
            "Threshold": [
                "–" if one.threshold is None else f"{one.threshold:.3f}" for one in found
            ],
        },
        _HELP,
        "What mistakes cost with each strategy",
        "costs",
    )


def _difference(one: Cost) -> str:
    if one.difference.low == one.difference.high == 0:
        return "cheapest"
    return f"{trust_parts.plain(one.difference)}{', tied' if one.tied else ''}"
