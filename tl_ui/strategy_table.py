"""The strategy table: what was measured beside what textbooks say, sortable, to take away."""

import json

import streamlit as st

from tl_core import columns
from tl_core.catalog import Model
from tl_core.csv_export import csv_text
from tl_core.document import document
from tl_core.recording import Recording
from tl_core.strategies import Strategy
from tl_ui import big_screen
from tl_ui.follow import Followed

_FORMATS = {
    "percent": "%.1f%%",
    "points": "%+.1f",
    "count": "localized",
    "seconds": "%.1f",
    "number": "%.3f",
    "rate": "%.2g",
}


def show(followed: Followed, key: str, recorded: Recording | None = None) -> None:
    """Show the table with a definition at every header, and the two downloads.

    What is `recorded`, not measured here, says so in a column, the description and both files.
    """
    found, rows, said = followed.found, followed.rows, followed.said
    shown = columns.frame(found, rows, said)
    config = {}
    for column in columns.columns(found, said):
        if column.kind == "text":
            config[column.title] = st.column_config.TextColumn(
                help=column.definition, pinned=column.title == "Strategy"
            )
        else:
            config[column.title] = st.column_config.NumberColumn(
                help=column.definition, format=_FORMATS[column.kind]
            )
    if recorded is not None:
        # In the table itself: its own menu has a download too.
        shown.insert(1, "Recorded", recorded.day)
        config["Recorded"] = st.column_config.TextColumn(
            help=f"{recorded.label}. Not measured here."
        )
    st.dataframe(
        shown,
        hide_index=True,
        column_config=config,
        height=big_screen.scaled(38 + 35 * len(shown)),
        placeholder="–",
        key=f"table_{key}",
        alt=f"Strategy table: {'recorded' if recorded else 'measured'} values beside the "
        "textbook's, one line per strategy",
    )
    file = "recorded-comparison" if recorded else "comparison"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Table as CSV",
            csv_text(columns.export_frame(found, rows, recorded)),
            file_name=f"{file}.csv",
            mime="text/csv",
            icon=":material/table:",
            on_click="ignore",
        )
        st.download_button(
            "Everything as JSON",
            # Made when it is asked for: its flags and calibration take a moment.
            lambda: json.dumps(document(found, rows, recorded), indent=1),
            file_name=f"{file}.json",
            mime="application/json",
            icon=":material/data_object:",
            on_click="ignore",
        )
        st.caption("Point at a header for its definition, click it to sort.", width="content")


def textbook(strategies: tuple[Strategy, ...], row: Model) -> None:
    """Show what textbooks say of the chosen strategies, before anything is measured."""
    st.dataframe(
        {
            "Strategy": [s.title for s in strategies],
            "Labels needed": [s.textbook.labels_needed for s in strategies],
            "Compute": [s.textbook.compute for s in strategies],
            "Overfitting risk": [s.textbook.overfitting_risk for s in strategies],
            "Flexibility": [s.textbook.flexibility for s in strategies],
        },
        hide_index=True,
        height=big_screen.scaled(38 + 35 * len(strategies)),
        column_config={
            "Labels needed": st.column_config.TextColumn(help="Labelled images of your own."),
            "Compute": st.column_config.TextColumn(help="Time and energy of one training."),
            "Overfitting risk": st.column_config.TextColumn(
                help="How easily it learns the training images by heart."
            ),
            "Flexibility": st.column_config.TextColumn(
                help="How far it can get away from what the source model sees."
            ),
        },
        alt=f"What textbooks say of each strategy for a model such as {row.title}",
    )
