"""Means in groups of images and outside of them, with simultaneous intervals of the gaps."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tl_core import stats
from tl_core.stats import Interval, Matrix

# Slices (and rests) of fewer test images are shown, never judged.
FEWEST_IMAGES = 8

Floats = NDArray[np.float64]
# Title of an attribute, and one of its values.
Place = tuple[str, str]
Masks = dict[Place, NDArray[np.bool_]]
AtLevel = Callable[[Place, float], Interval]


class Groups:
    """Means of one matrix (seeds x test images) in each group and outside of it."""

    def __init__(self, values: Matrix, masks: Masks) -> None:
        values = values[~np.isnan(values).all(axis=1)]
        self.values, self.masks = values, masks
        self.tested = (~np.isnan(values)).any(axis=0)
        known = (~np.isnan(values)).astype(np.float64)
        filled = np.nan_to_num(values)
        parts = [part * mask for mask in masks.values() for part in (filled, known)]
        # One pass for all groups: each costs two columns of a matrix product.
        sums = stats.bootstrap_sums(np.stack([filled, known, *parts]))
        self.whole = sums[:, 0], sums[:, 1]
        self.sums = {
            place: (sums[:, 2 * k + 2], sums[:, 2 * k + 3]) for k, place in enumerate(masks)
        }

    def images(self, place: Place) -> int:
        """Return how many test images a group has."""
        return int((self.masks[place] & self.tested).sum())

    def judged(self) -> list[Place]:
        """Return the groups that are large enough and leave enough others."""
        total = int(self.tested.sum())
        return [p for p in self.masks if FEWEST_IMAGES <= self.images(p) <= total - FEWEST_IMAGES]

    def accuracy(self, place: Place, level: float = stats.LEVEL, rest: bool = False) -> Interval:
        """Return the mean of a group's hits, or of the others', as `stats.accuracy_interval`."""
        value = stats.mean(self._part(place, rest))
        images = self.images(place)
        images = int(self.tested.sum()) - images if rest else images
        low, high = stats.wilson(value, images, level)
        if len(self.values) > 1:
            ends = stats.ends(self._samples(place, rest), level)
            low, high = min(low, ends[0]), max(high, ends[1])
        return Interval(value, low, high)

    def gap(self, place: Place, level: float) -> Interval:
        """Return the others' accuracy minus the group's; the wider of MOVER and the bootstrap."""
        found = stats.difference_interval(
            self.accuracy(place, level, rest=True), self.accuracy(place, level)
        )
        return self._widened(found, place, level)

    def shift(self, place: Place, level: float) -> Interval:
        """Return the same of paired differences -1, 0, 1, whose shares have no Wilson interval."""
        rest, inside = (
            stats.paired_share_interval(self._part(place, other), level) for other in (True, False)
        )
        return self._widened(stats.difference_interval(rest, inside), place, level)

    def _widened(self, found: Interval, place: Place, level: float) -> Interval:
        if len(self.values) == 1:
            return found
        low, high = stats.ends(self._samples(place, True) - self._samples(place, False), level)
        return Interval(found.value, min(found.low, low), max(found.high, high))

    def _part(self, place: Place, rest: bool) -> Matrix:
        mask = self.masks[place]
        part: Matrix = self.values[:, ~mask if rest else mask]
        return part

    def _samples(self, place: Place, rest: bool) -> Floats:
        total, weight = self.sums[place]
        if rest:
            total, weight = self.whole[0] - total, self.whole[1] - weight
        means: Floats = total / np.maximum(weight, 1.0)
        return means

    def simultaneous(self, interval: AtLevel) -> dict[Place, Interval]:
        """Return the judged groups' intervals at Holm's simultaneous level.

        Of an attribute with two values only one is counted: the other says the same, reversed.
        """
        judged, mirrored = self._without_mirrors()
        plain = {place: interval(place, stats.LEVEL) for place in judged}
        ordered = sorted(judged, key=lambda place: -stats.certainty(plain[place]))
        found = stats.step_down(ordered, interval)
        for place, other in mirrored.items():
            one = found[other]
            found[place] = Interval(-one.value, -one.high, -one.low)
        return found

    def _without_mirrors(self) -> tuple[list[Place], dict[Place, Place]]:
        judged, mirrored = self.judged(), {}
        for place in judged:
            twins = [p for p in judged if p not in mirrored and p != place and p[0] == place[0]]
            covers = [p for p in twins if (self.masks[p] == ~self.masks[place])[self.tested].all()]
            if covers:
                mirrored[place] = covers[0]
        return [place for place in judged if place not in mirrored], mirrored
