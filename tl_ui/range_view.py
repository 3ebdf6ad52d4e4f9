"""A range test in the Lab: at which learning rates each strategy learns, and where it breaks."""

import streamlit as st

from tl_core import figures, range_test
from tl_core.range_test import Found
from tl_core.record import Record
from tl_ui import plots


def section(found: Record) -> None:
    """Show the curves and the rates that were found, in the place of a comparison's result."""
    tested = range_test.findings(found.ended.values())
    st.markdown("**Range test: the loss while the learning rate rises**")
    st.caption(
        "Each strategy ran once through these rates, on training images of the first seed. Nothing "
        "was tested: this helps to choose a rate, and says of no strategy how good it is."
    )
    if not tested:
        st.info("No strategy has run through the rates.", icon=":material/info:")
        return
    plots.show(
        figures.rate_curves(tested),
        key="chart_rates",
        file="learning-rate-range",
        alt=figures.describe_rates(tested),
    )
    st.table(
        {
            "Strategy": [one.title for one in tested],
            "Falls fastest at": [_rate(one.steepest, "never falls") for one in tested],
            "No longer falls from": [
                _rate(one.unstable_from, "falls to the end") for one in tested
            ],
        }
    )
    st.caption(_advice(tested))


def _rate(rate: float | None, otherwise: str) -> str:
    return otherwise if rate is None else f"{rate:.2g}"


def _advice(tested: list[Found]) -> str:
    if all(one.steepest is None for one in tested):
        return "No loss fell: the range may begin too high."
    return (
        "A usual choice is the rate at which the loss falls fastest, or a little less. Rates are "
        "of the backbone; a new head's is ten times that."
    )
