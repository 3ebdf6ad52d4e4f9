"""Learning: what the curves say, how soon it was as good as done, what came to nothing."""

import streamlit as st

from tl_core import curves, figures, learning
from tl_core.learning import Curve, Trials
from tl_core.wording import percent
from tl_ui import chart, plots, trust_parts
from tl_ui.trust_evidence import Subject

_HELP = {
    "Best epoch": "Highest validation accuracy, mean over seeds. It is only marked: the last step "
    "is what is reported everywhere.",
    "Since then": "What validation has lost from the best epoch to the last, in points, and one "
    "standard error. Less than that is noise.",
    "Steps to 95%": "First step with 95% of the final validation accuracy, mean over seeds.",
    "Came to nothing": "Trainings that failed, diverged or stayed at guessing.",
    "Rates tried": "Validation accuracies of the trials with other learning rates and decays.",
    "Spread": "Best minus worst trial in points, paired on the same images.",
}


def section(of: Subject) -> None:
    """Show how training went."""
    known = learning.curves(of.found)
    if not known:
        st.info(
            "No strategy with a training loop has finished: there is no curve to read.",
            icon=":material/show_chart:",
        )
        return
    figure = figures.accuracy_curves(of.found)
    plots.show(
        figure,
        key="chart_learning",
        file="accuracy-while-training",
        alt=f"Validation accuracy while training. {' '.join(_sentence(one) for one in known)}",
    )
    chart.legend(of.found.strategies, curves.reference_lines(of.found, "accuracy"))
    for one in known:
        st.markdown(_sentence(one))
    _table(of, known)


def _sentence(one: Curve) -> str:
    words = learning.curve_words(one)
    if words is not None:
        return f"**{one.title}:** {words}."
    best = one.accuracies[one.best]
    if one.best == len(one.steps) - 1:
        return f"**{one.title}:** its last epoch is its best ({percent(best)}): it may not be done."
    return (
        f"**{one.title}:** best at epoch {one.epochs[one.best]:.0f} ({percent(best)}), and no "
        "measurable fall since."
    )


def _table(of: Subject, known: list[Curve]) -> None:
    rows = {row.strategy: row for row in of.followed.rows}
    begun = {one.strategy: one for one in learning.starts(of.found)}
    tried = {one.strategy: one for one in learning.trials(of.found)}
    trust_parts.table(
        {
            "Strategy": [one.title for one in known],
            "Best epoch": [f"{one.epochs[one.best]:.0f}" for one in known],
            "Since then": [f"{100 * one.fall:.1f} (error {100 * one.error:.1f})" for one in known],
            "Steps to 95%": [_steps(rows[one.strategy].steps_to_95) for one in known],
            "Came to nothing": [
                f"{begun[one.strategy].bad} of {begun[one.strategy].runs}" for one in known
            ],
            "Rates tried": [_rates(tried.get(one.strategy)) for one in known],
            "Spread": [_spread(tried.get(one.strategy)) for one in known],
        },
        _HELP,
        "How training went, by strategy",
        "learning",
    )
    if not tried:
        st.caption(
            "Only one learning rate was used, so nobody knows how much hangs on it: the standard "
            "and thorough budgets try several."
        )


def _steps(steps: float | None) -> str:
    return "–" if steps is None else f"{steps:,.0f}"


def _rates(tried: Trials | None) -> str:
    if tried is None:
        return "one"
    low, high = min(tried.accuracies), max(tried.accuracies)
    unstable = f", {tried.unstable} unstable" if tried.unstable else ""
    return f"{len(tried.runs)}: {percent(low)} to {percent(high)}{unstable}"


def _spread(tried: Trials | None) -> str:
    return "–" if tried is None else trust_parts.percents(tried.spread)
