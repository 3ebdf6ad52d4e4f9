"""Every Plotly chart of the app: its height, its words, and a button that saves it for a slide."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from tl_ui import big_screen

# Pixels of the saved picture, before they are doubled.
_WIDTH, _HEIGHT, _SCALE = 1600, 900, 2


def show(figure: go.Figure, *, key: str, file: str, alt: str, **options: Any) -> Any:
    """Show a figure at its own height; `file` names the picture that it can be saved as.

    Returns what `st.plotly_chart` does: the selection if `options` ask for one.
    """
    return st.plotly_chart(
        figure,
        height=big_screen.scaled(figure.layout.height),
        key=key,
        config=config(file),
        alt=alt,
        **options,
    )


def config(file: str) -> dict[str, Any]:
    """Return what Plotly needs to offer the picture, and nothing else, above a chart."""
    return {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {
            "format": "png",
            "width": _WIDTH,
            "height": _HEIGHT,
            "scale": _SCALE,
            "filename": file,
        },
    }
