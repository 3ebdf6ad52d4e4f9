"""What some pitfalls show beside their chart: another mixture of classes, terms of all models."""

import pandas as pd
import streamlit as st

from tl_core import outcomes
from tl_core.catalog import catalog
from tl_core.wording import percent
from tl_ui import pitfall_run
from tl_ui.pitfall_run import Parts
from tl_ui.widgets import safe_label


def balance(parts: Parts) -> None:
    """Let the user mix the classes otherwise, and compute the accuracy at once."""
    job = next(job for job in parts if job is not None and job.kind == "compare")
    found = pitfall_run.compared(job.id)
    name, share = outcomes.largest_class(found)
    wanted = st.slider(
        f"Mix the test images yourself: share of {safe_label(name, 40)}",
        0,
        100,
        round(100 * share),
        format="%d%%",
        key="pitfall_mixture",
        persist_state="page",
        help="The other classes divide the rest evenly. Nothing runs: each class keeps its own "
        "accuracy.",
    )
    accuracy = outcomes.under_mixture(found, wanted / 100)
    ends = f"{percent(accuracy.low)} to {percent(accuracy.high)}"
    st.markdown(
        f":material/equalizer: With {wanted}% {safe_label(name, 40)} the same model is right on "
        f"**{percent(accuracy.value)}** ({ends}); always answering {safe_label(name, 40)} on "
        f"{percent(wanted / 100)}."
    )


def licences() -> None:
    """Show every model with its terms."""
    rows = list(catalog().values())
    st.dataframe(
        pd.DataFrame(
            {
                "Model": [row.title for row in rows],
                "Commercial use": [row.weights.may_be_sold for row in rows],
                "Licence of the weights": [row.weights.weights_licence for row in rows],
                "Why": [row.weights.commercial for row in rows],
            }
        ),
        hide_index=True,
        height=38 + 35 * len(rows),
        column_config={"Model": st.column_config.TextColumn(pinned=True)},
        alt="Models with the licence of their weights and whether they may be used commercially",
    )
