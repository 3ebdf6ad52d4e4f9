"""Confidence: the reliability diagram, and calibration before and after a temperature."""

import streamlit as st

from tl_core import figures
from tl_core.calibration import TEMPERATURES
from tl_core.confidence import ConfidenceRow
from tl_core.wording import percent, points
from tl_ui import plots, trust_evidence, trust_parts
from tl_ui.trust_evidence import Subject

_HELP = {
    "Temperature": "Logits are divided by it; above 1 the strategy was too sure. Found on the "
    "validation images of each seed, the geometric mean is shown.",
    "Calibration error": "Expected calibration error in points, 15 bins: how far confidence and "
    "accuracy lie apart. Its 95% interval begins at 0 where chance alone gives as much.",
    "By chance, up to": "What a calibrated model with the same confidences stays under in 95 of "
    "100 cases, on as many images.",
    "Confidence minus accuracy": "In points; above 0 too sure, below 0 too modest.",
    "Log-loss": "Mean negative log-likelihood of the true class in nats: low is good.",
    "Brier score": "Squared error of the probabilities, summed over classes: 0 to 2, low is good.",
    "Error after": "Calibration error after the temperature.",
    "Log-loss after": "Log-loss after the temperature.",
}


def section(of: Subject) -> None:
    """Show whether confidence can be believed."""
    rows = trust_evidence.calibrated(of)
    if not rows:
        trust_parts.not_kept(of, "how sure each strategy was of each image")
        return
    order = [name for name in of.measured if name in {row.strategy for row in rows}]
    by_name = {row.strategy: row for row in rows}
    name = trust_parts.strategy(of, order, "confidence")
    left, right = st.columns([560, 660], gap="medium")
    with left:
        _diagram(of, name)
    with right:
        _words(of, by_name[name])
    _table(of, [by_name[name] for name in order])


def _diagram(of: Subject, name: str) -> None:
    before = trust_evidence.bins(of, name, False)
    figure = figures.reliability_diagram(before, trust_evidence.bins(of, name, True), name)
    plots.show(
        figure,
        key="chart_reliability",
        file="reliability",
        alt=figures.describe_reliability(before),
    )


def _words(of: Subject, row: ConfidenceRow) -> None:
    title, gap = of.titles[row.strategy], row.before.signed_gap
    error, chance = row.before.expected_calibration_error, row.before.if_calibrated
    size = f"{trust_parts.signed(gap)} points"
    if gap.contains_zero:
        st.markdown(f"**{title} is about as sure as it is right**: {size}.")
    elif gap.value > 0:
        st.markdown(f"**{title} is surer than it is right**: {size}.")
    else:
        st.markdown(f"**{title} is more modest than it has to be**: {size}.")
    st.markdown(
        f"Its calibration error is {trust_parts.percents(error)} points. A calibrated model would "
        f"show up to {points(100 * chance)} by chance, "
        + ("so this is more than chance." if error.value > chance else "so this may be chance.")
    )
    _temperature(row)
    st.caption(
        "Each dot is a bin of test images: how sure the strategy was of them, and how many it got "
        "right. On the dotted line both agree; below it the strategy is too sure. Filled: as it "
        "is. Hollow: after the temperature."
    )


def _temperature(row: ConfidenceRow) -> None:
    before, after = row.before.log_loss.value, row.after.log_loss.value
    change = f"the log-loss on the test images goes from {before:.2f} to {after:.2f}"
    found = f"With the temperature {row.temperature:.2f}, found on the validation images, {change}"
    if min(TEMPERATURES) < row.temperature < max(TEMPERATURES):
        st.markdown(f"{found}{'' if after < before else ': it does not help here'}.")
    else:
        st.markdown(
            f"{found}. That temperature is the lowest or highest allowed: the validation images "
            "are too few, or all right, so nothing useful can be learnt from them."
        )


def _table(of: Subject, rows: list[ConfidenceRow]) -> None:
    before, after = [row.before for row in rows], [row.after for row in rows]
    columns = {
        "Strategy": [of.titles[row.strategy] for row in rows],
        "Calibration error": [
            trust_parts.percents(one.expected_calibration_error) for one in before
        ],
        "By chance, up to": [percent(one.if_calibrated).removesuffix("%") for one in before],
        "Confidence minus accuracy": [trust_parts.signed(one.signed_gap) for one in before],
        "Log-loss": [trust_parts.plain(one.log_loss, 2) for one in before],
        "Brier score": [trust_parts.plain(one.brier, 2) for one in before],
        "Temperature": [f"{row.temperature:.2f}" for row in rows],
        "Error after": [trust_parts.percents(one.expected_calibration_error) for one in after],
        "Log-loss after": [trust_parts.plain(one.log_loss, 2) for one in after],
    }
    trust_parts.table(
        columns,
        _HELP,
        "Calibration of each strategy before and after a temperature",
        "confidence",
    )
    lacking = [s.title for s in of.found.strategies if s.solver == "none" and s.name in of.measured]
    if lacking and len(rows) < len(of.measured):
        st.caption(
            f"{lacking[0]} is left out: only some of your classes have a word in the source task, "
            "so its confidence is shared among those alone."
        )
