"""Per class: how many of its test images each strategy recognised, the worst class first."""

import numpy as np
import streamlit as st

from tl_core import figures
from tl_core.answers import Estimate
from tl_core.dots import Dot
from tl_core.recalls import Recalls
from tl_core.wording import number_of
from tl_ui import plots, trust_evidence, trust_parts
from tl_ui.looked import Looked
from tl_ui.widgets import plain_label, safe_label

# Classes that the chart draws at a time; the table has all.
DRAWN = 12


def section(of: Looked) -> None:
    """Show recall by class and strategy."""
    by_name = {one.strategy: one for one in trust_evidence.recalled(of.subject)}
    known = [by_name[name] for name in of.measured]
    order = worst_first(known)
    worst = of.facts.classes[order[0]]
    means = _means(known)
    st.markdown(
        f"**Hardest of {number_of(len(order), 'class', 'classes')}: {safe_label(worst, 60)}.** "
        f"Its test images are recognised in {100 * means[order[0]]:.0f}% of cases, on average over "
        "the shown strategies."
    )
    pages = -(-len(order) // DRAWN)
    page = st.pagination(pages, key=of.key("recall_page")) if pages > 1 else 1
    _chart(of, known, order[(page - 1) * DRAWN : page * DRAWN])
    st.caption(
        "Recall: the share of a class's test images that were recognised, over all seeds, with "
        "95% intervals (Wilson's; with several seeds the wider of it and a bootstrap)."
    )
    _table(of, known, order)


def worst_first(known: list[Recalls]) -> list[int]:
    """Return the tested classes (indices), that of the lowest mean recall first."""
    means = _means(known)
    return sorted(np.flatnonzero(~np.isnan(means)).tolist(), key=lambda label: means[label])


def _means(known: list[Recalls]) -> np.ndarray:
    values = [[one.value if one else np.nan for one in strategy.classes] for strategy in known]
    return np.mean(values, axis=0)


def _chart(of: Looked, known: list[Recalls], classes: list[int]) -> None:
    dots = [
        Dot(
            plain_label(of.facts.classes[label], 40),
            Estimate(value=100 * one.value, low=100 * one.low, high=100 * one.high),
            of.titles[strategy.strategy],
            strategy.strategy,
        )
        for label in classes
        for strategy in known
        if (one := strategy.classes[label]) is not None
    ]
    plots.show(
        figures.share_dots(dots, "Recall (%)"),
        key=of.key("chart_recall"),
        file="recall-by-class",
        alt=f"Recall by class, the worst first: {figures.described(dots)}",
    )


def _table(of: Looked, known: list[Recalls], order: list[int]) -> None:
    columns = {"Class": [plain_label(of.facts.classes[label], 60) for label in order]}
    for strategy in known:
        columns[of.titles[strategy.strategy]] = [
            trust_parts.percents(strategy.classes[label]) for label in order
        ]
    alt = "Recall of each class by strategy, the worst class first"
    trust_parts.table(columns, {}, alt, of.key("recall"))
