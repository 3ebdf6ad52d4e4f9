"""Finished charts: what was measured in, Plotly figures out, each with its words."""

from tl_core.figures.comparison import accuracy_curves, accuracy_dots, describe, forgetting_curves
from tl_core.figures.confusion import CELL, confusion_frame, confusion_height, confusion_spec
from tl_core.figures.features import feature_map
from tl_core.figures.intervals import described, interval_dots
from tl_core.figures.path import describe_path, path_points
from tl_core.figures.rates import describe_rates, rate_curves
from tl_core.figures.skill import describe_skills, skill_gauges
from tl_core.figures.tradeoff import describe_tradeoff, tradeoff_points
from tl_core.figures.trust import (
    confidence_histogram,
    describe_reliability,
    reliability_diagram,
    share_dots,
)

__all__ = [
    "CELL",
    "accuracy_curves",
    "accuracy_dots",
    "confidence_histogram",
    "confusion_frame",
    "confusion_height",
    "confusion_spec",
    "describe",
    "describe_path",
    "describe_rates",
    "describe_reliability",
    "describe_skills",
    "describe_tradeoff",
    "described",
    "feature_map",
    "forgetting_curves",
    "interval_dots",
    "path_points",
    "rate_curves",
    "reliability_diagram",
    "share_dots",
    "skill_gauges",
    "tradeoff_points",
]
