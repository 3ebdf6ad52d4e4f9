"""Finished charts: what was measured in, Plotly figures out, each with its words."""

from tl_core.figures.comparison import accuracy_curves, accuracy_dots, describe, forgetting_curves
from tl_core.figures.intervals import described, interval_dots
from tl_core.figures.trust import (
    confidence_histogram,
    describe_reliability,
    reliability_diagram,
    share_dots,
)

__all__ = [
    "accuracy_curves",
    "accuracy_dots",
    "confidence_histogram",
    "describe",
    "describe_reliability",
    "described",
    "forgetting_curves",
    "interval_dots",
    "reliability_diagram",
    "share_dots",
]
