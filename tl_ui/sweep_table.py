"""All numbers of a sweep as one table: a line for each strategy at each point."""

import pandas as pd
import streamlit as st

from tl_core.store import Comparison
from tl_core.wording import spread
from tl_ui import big_screen
from tl_ui.widgets import plain_label


def show(job: Comparison, frame: pd.DataFrame) -> None:
    """Show every strategy at every point in the measures' own units."""
    shown = pd.DataFrame(
        {
            "Point": [plain_label(label, 60) for label in frame["label"]],
            "Strategy": frame["title"],
            "Accuracy (%)": frame["test_accuracy"].astype(float),
            "95% interval": _intervals(frame, "ci_low", "ci_high"),
            "Forgetting (points)": frame["forgetting"].astype(float),
            "Its 95% interval": _intervals(frame, "forgetting_low", "forgetting_high"),
            "Seconds": frame["train_seconds"].astype(float),
            "Seeds": frame["seeds"],
            "Taken over": frame["reused"].map({True: "yes", False: ""}),
        }
    )
    number = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(
        shown,
        hide_index=True,
        height=big_screen.scaled(38 + 35 * min(len(shown), 16)),
        column_config={
            "Point": st.column_config.TextColumn(pinned=True),
            "Accuracy (%)": number,
            "Forgetting (points)": number,
            "Seconds": number,
            "Taken over": st.column_config.TextColumn(
                help="Runs that were finished before this sweep began."
            ),
        },
        placeholder="–",
        key=f"sweep_numbers_{job.id}",
        alt="Every strategy at every point: accuracy, forgetting and seconds",
    )


def _intervals(frame: pd.DataFrame, low: str, high: str) -> list[str | None]:
    ends = zip(frame[low].astype(float), frame[high].astype(float), strict=True)
    return [None if pd.isna(a) or pd.isna(b) else spread(a, b) for a, b in ends]
