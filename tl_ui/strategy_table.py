"""The strategy table: what was measured beside what textbooks say, sortable."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tl_core import columns
from tl_core.catalog import Model
from tl_core.recording import Recording
from tl_core.strategies import Strategy
from tl_ui import big_screen, redraw, shown
from tl_ui.follow import Followed

_FORMATS = {
    "percent": "%.1f%%",
    "points": "%+.1f",
    "count": "localized",
    "seconds": "%.1f",
    "number": "%.3f",
    "rate": "%.2g",
}

_HOW = "Point at a header for its definition, click it to sort."


def recorded(followed: Followed, key: str, recording: Recording) -> None:
    """Show a recording's table with a definition at every header.

    That it was not measured here is said in a column and the description.
    """
    frame = columns.frame(followed.found, followed.rows, followed.said)
    config = header_config(followed)
    # In the table itself: its own menu has a download too.
    frame.insert(1, "Recorded", recording.day)
    config["Recorded"] = st.column_config.TextColumn(help=f"{recording.label}. Not measured here.")
    st.dataframe(
        frame,
        hide_index=True,
        column_config=config,
        height=big_screen.scaled(38 + 35 * len(frame)),
        placeholder="–",
        key=f"table_{key}",
        alt="Strategy table: recorded values beside the textbook's, one line per strategy",
    )
    st.caption(_HOW)


def measured(job: str, followed: Followed, wanted: Sequence[str]) -> None:
    """Show the table of the `wanted` strategies; ticked lines can be shown alone."""
    redraw.if_asked()
    part = shown.part(followed, wanted)
    frame = columns.frame(part.found, part.rows, part.said)
    picked = st.dataframe(
        frame,
        hide_index=True,
        column_config=header_config(part),
        height=big_screen.scaled(38 + 35 * len(frame)),
        placeholder="–",
        # Other lines are another table: ticks of the one before mean other strategies here.
        key=f"table_{job}_{'_'.join(wanted)}",
        on_select="rerun",
        selection_mode="multi-row",
        alt="Strategy table: measured values beside the textbook's, one line per strategy",
    )
    ticked = [part.rows[i].strategy for i in picked.selection.rows if i < len(part.rows)]
    with st.container(horizontal=True, vertical_alignment="center"):
        if 0 < len(ticked) < len(part.rows):
            st.button(
                f"Show only the {len(ticked)} ticked",
                key="table_show",
                icon=":material/filter_alt:",
                on_click=shown.choose,
                args=(job, ticked),
            )
        st.caption(_HOW, width="content")


def header_config(followed: Followed) -> dict[str, Any]:
    """Return how the strategy table's columns are shown: format, and the definition as help."""
    config = {}
    for column in columns.columns(followed.found, followed.said):
        if column.kind == "text":
            config[column.title] = st.column_config.TextColumn(
                help=column.definition, pinned=column.title == "Strategy"
            )
        else:
            config[column.title] = st.column_config.NumberColumn(
                help=column.definition, format=_FORMATS[column.kind]
            )
    return config


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
