"""Accuracy by group of images: which is served worst, and did training help or hurt it?

A slice is the test images that share a value of an attribute. Its gap is the accuracy of all other
test images minus its own: above 0 the slice is served worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tl_core import pairing
from tl_core.record import Record
from tl_core.slices.groups import Groups, Masks
from tl_core.stats import Interval

Turn = Literal["narrowed", "widened", "no difference found"]


@dataclass(frozen=True)
class Attribute:
    """A property of every image: `values` by index into the data set, empty where unknown."""

    name: str
    title: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Slice:
    """One group: so many test `images`, its accuracy (fraction) with a 95% interval.

    `gap` is simultaneous over all judged slices (Holm), None for a slice or rest under
    FEWEST_IMAGES. `change`: gap of the strategy minus gap of the source model, likewise; None
    where they are the same strategy. Positive: the slice has fallen further behind.
    """

    attribute: str
    value: str
    images: int
    accuracy: Interval
    gap: Interval | None
    change: Interval | None = None

    @property
    def behind(self) -> bool:
        """Whether the slice is measurably served worse than the rest."""
        return self.gap is not None and self.gap.low > 0

    @property
    def turn(self) -> Turn | None:
        """What training did to the slice's gap."""
        if self.change is None:
            return None
        if self.change.contains_zero:
            return "no difference found"
        return "widened" if self.change.value > 0 else "narrowed"


def source_model(found: Record) -> str | None:
    """Return the strategy that stands for the model before training, None if none was run.

    Zero-shot transfer where classes are mapped, else the linear probe: it leaves the backbone as
    it was.
    """
    for name in ("zero_shot", "feature_extraction"):
        if found.final(name):
            return name
    return None


def slices(found: Record, attributes: Sequence[Attribute], strategy: str) -> list[Slice]:
    """Return the groups of all attributes, the worst served first, those not judged last."""
    correct = pairing.matrix(found, strategy)
    masks = _masks(found, attributes)
    if correct is None or not masks:
        return []
    groups = Groups(correct, masks)
    gaps = groups.simultaneous(groups.gap)
    made = [
        Slice(*place, groups.images(place), groups.accuracy(place), gaps.get(place))
        for place in masks
    ]
    source = source_model(found)
    before = pairing.matrix(found, source) if source and source != strategy else None
    if before is not None and not np.isnan(correct - before).all():
        changed = Groups(correct - before, masks)
        turns = changed.simultaneous(changed.shift)
        made = [replace(one, change=turns.get((one.attribute, one.value))) for one in made]
    return sorted(made, key=lambda one: (one.gap is None, -_size(one)))


def _size(one: Slice) -> float:
    return one.gap.value if one.gap is not None else -one.accuracy.value


def _masks(found: Record, attributes: Sequence[Attribute]) -> Masks:
    """Return which test images belong to each (attribute, value) that occurs among them."""
    images = pairing.test_images(found)
    masks: Masks = {}
    for attribute in attributes:
        # A data set that changed since has other images: its attributes say nothing of these.
        if not images or images[-1] >= len(attribute.values):
            continue
        values = np.array([attribute.values[image] for image in images])
        for value in sorted(set(values.tolist()) - {""}):
            masks[attribute.title, value] = values == value
    return masks
