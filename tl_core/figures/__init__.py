"""Finished charts: what was measured in, Plotly figures out, each with its words."""

from tl_core.figures.comparison import accuracy_curves, accuracy_dots, describe, forgetting_curves
from tl_core.figures.intervals import described, interval_dots

__all__ = [
    "accuracy_curves",
    "accuracy_dots",
    "describe",
    "described",
    "forgetting_curves",
    "interval_dots",
]
