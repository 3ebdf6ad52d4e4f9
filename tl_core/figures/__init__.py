"""Finished charts: what was measured in, Plotly figures out, each with its words."""

from tl_core.figures.comparison import accuracy_curves, accuracy_dots, describe, forgetting_curves
from tl_core.figures.confusion import CELL, confusion_frame, confusion_height, confusion_spec
from tl_core.figures.features import feature_map
from tl_core.figures.front import describe_front, front_figure
from tl_core.figures.intervals import described, interval_dots
from tl_core.figures.path import describe_path, path_points
from tl_core.figures.rates import describe_rates, rate_curves
from tl_core.figures.skill import describe_skills, skill_gauges
from tl_core.figures.sweep import SWEEP_HEIGHT, describe_sweep, sweep_figure
from tl_core.figures.tradeoff import describe_tradeoff, tradeoff_points
from tl_core.figures.trust import (
    confidence_histogram,
    describe_reliability,
    reliability_diagram,
    share_dots,
)

__all__ = [
    "CELL",
    "SWEEP_HEIGHT",
    "accuracy_curves",
    "accuracy_dots",
    "confidence_histogram",
    "confusion_frame",
    "confusion_height",
    "confusion_spec",
    "describe",
    "describe_front",
    "describe_path",
    "describe_rates",
    "describe_reliability",
    "describe_skills",
    "describe_sweep",
    "describe_tradeoff",
    "described",
    "feature_map",
    "forgetting_curves",
    "front_figure",
    "interval_dots",
    "path_points",
    "rate_curves",
    "reliability_diagram",
    "share_dots",
    "skill_gauges",
    "sweep_figure",
    "tradeoff_points",
]
