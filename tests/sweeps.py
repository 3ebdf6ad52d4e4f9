"""Finished sweeps made of nothing but hits and misses."""

from collections.abc import Mapping

import numpy as np

from tests import simulated
from tests.factories import comparison_config
from tl_core.sweep import Sweep, SweepName, SweepPoint
from tl_core.swept import Swept


def over(points: Mapping[float, Mapping[str, np.ndarray]], name: SweepName = "labels") -> Swept:
    """Return a sweep whose points, by their value, hold strategies' hits: seeds x images."""
    made = tuple(
        SweepPoint(label=f"{value:g}", value=value, config=comparison_config()) for value in points
    )
    records = {place: simulated.comparison(hits) for place, hits in enumerate(points.values())}
    return Swept(sweep=Sweep(name=name, points=made), records=records)


def exact(accuracy: float, images: int = 400, seeds: int = 3) -> np.ndarray:
    """Return hits of just this accuracy, the easiest images first: nested over accuracies."""
    return np.tile(np.arange(images) < round(accuracy * images), (seeds, 1)).astype(float)
