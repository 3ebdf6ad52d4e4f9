"""Class balance: the accuracy if classes came in other shares than in the test part."""

import numpy as np
import streamlit as st

from tl_core import figures, pairing
from tl_core.answers import Estimate
from tl_core.dots import Dot
from tl_core.label_shift import class_shares
from tl_core.recalls import Recalls
from tl_core.stats import Interval
from tl_core.wording import percent
from tl_ui import plots, trust_evidence, trust_parts
from tl_ui.trust_evidence import Subject
from tl_ui.widgets import plain_label

_HELP = {
    "As tested": "Accuracy with the classes' shares of the test part.",
    "With these shares": "Accuracy if classes came in the shares chosen above, each recognised as "
    "often as here, with its 95% interval.",
    "Balanced accuracy": "Accuracy if all classes came equally often.",
}


def section(of: Subject) -> None:
    """Show accuracy under class shares that the user chooses."""
    known = trust_evidence.recalled(of)
    known.sort(key=lambda one: of.measured.index(one.strategy))
    assert of.found.started is not None
    names = of.found.started.dataset.classes
    tested = class_shares(pairing.test_labels(of.found), len(names))
    st.caption(
        "Where will the model be used, and how often does each class occur there? Only the shares "
        "change: images of each class are taken to look as they do here."
    )
    shares = _choose(of, names, tested)
    rows = [one.under(shares) for one in known]
    _chart(of, known, rows)
    trust_parts.table(
        {
            "Strategy": [of.titles[one.strategy] for one in known],
            "With these shares": [trust_parts.percents(row) for row in rows],
            "As tested": [trust_parts.percents(one.under(tested)) for one in known],
            "Balanced accuracy": [trust_parts.percents(one.balanced) for one in known],
        },
        _HELP,
        "Accuracy of each strategy under the chosen class shares",
        "balance",
    )
    _classes(of, known, names, shares)


def _choose(of: Subject, names: tuple[str, ...], tested: np.ndarray) -> np.ndarray:
    """Show a class and its share; the others keep their proportions to each other."""
    there = [label for label in range(len(names)) if tested[label] > 0]
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="bottom")
    label: int = left.selectbox(
        "Class",
        there,
        index=int(np.argmin(tested[there])),
        format_func=lambda one: plain_label(names[one], 60),
        key=f"trust_balance_class_{of.job.id[:8]}",
    )
    share = right.slider(
        "Its share of the images",
        0,
        100,
        round(100 * tested[label]),
        format="%d%%",
        key=f"trust_balance_share_{of.job.id[:8]}_{label}",
        help="The other classes share the rest as they do in the test part.",
    )
    others = np.where(np.arange(len(names)) == label, 0.0, tested)
    if others.sum() == 0:
        return tested
    if share == round(100 * tested[label]):
        return tested  # a slider has whole percents, the test part has not
    shares = others / others.sum() * (1 - share / 100)
    shares[label] = share / 100
    return shares


def _chart(of: Subject, known: list[Recalls], rows: list[Interval]) -> None:
    dots = [
        Dot(
            of.titles[one.strategy],
            Estimate(value=100 * row.value, low=100 * row.low, high=100 * row.high),
            strategy=one.strategy,
        )
        for one, row in zip(known, rows, strict=True)
    ]
    figure = figures.share_dots(dots, "Accuracy with these shares (%)")
    plots.show(
        figure,
        key="chart_balance",
        file="accuracy-by-class-balance",
        alt=f"Accuracy with these class shares: {figures.described(dots)}",
    )


def _classes(of: Subject, known: list[Recalls], names: tuple[str, ...], shares: np.ndarray) -> None:
    """Show what each class contributes: its share, and how often it is recognised."""
    columns: dict[str, list[str]] = {
        "Class": [plain_label(name, 60) for name in names],
        "Share": [percent(float(share)) for share in shares],
    }
    for one in known:
        columns[f"Recall, {of.titles[one.strategy]}"] = [
            trust_parts.percents(recall) for recall in one.classes
        ]
    trust_parts.table(columns, {}, "Recall of each class by strategy", "recalls")
    st.caption("Recall: how many of a class's test images were recognised, in percent.")
