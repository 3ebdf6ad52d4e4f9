"""Recall by class over all seeds, and the accuracy that follows if classes came in other shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core import pairing, stats
from tl_core.label_shift import under_shares
from tl_core.record import Record
from tl_core.stats import Interval

# Fewer than elsewhere: they are kept, for every class, while a slider moves.
RESAMPLES = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Recalls:
    """One strategy's recall of each class: None where a class has no test image.

    `samples`: bootstrap resamples x classes, None with one seed, whose intervals are Wilson's.
    """

    strategy: str
    classes: tuple[Interval | None, ...]
    samples: Floats | None

    @property
    def balanced(self) -> Interval:
        """Balanced accuracy: the accuracy if all tested classes came equally often."""
        tested = np.array([one is not None for one in self.classes], dtype=np.float64)
        return self.under(tested / tested.sum())

    def under(self, shares: ArrayLike) -> Interval:
        """Return the accuracy if classes came in these shares, summing to 1 (label shift).

        The wider of the bootstrap and of the classes' Wilson intervals put together (MOVER), in
        which a class without a mistake is not taken for certain. Raises ValueError for a share of
        a class without test image.
        """
        weights = np.asarray(shares, np.float64)
        known = [one or Interval(np.nan, np.nan, np.nan) for one in self.classes]
        value = under_shares([one.value for one in known], weights)
        low = [weight * (one.value - one.low) for weight, one in zip(weights, known, strict=True)]
        high = [weight * (one.high - one.value) for weight, one in zip(weights, known, strict=True)]
        ends = (
            value - float(np.sqrt(np.nansum(np.square(low)))),
            value + float(np.sqrt(np.nansum(np.square(high)))),
        )
        if self.samples is not None:
            drawn = stats.ends(np.nan_to_num(self.samples) @ weights)
            ends = min(ends[0], drawn[0]), max(ends[1], drawn[1])
        return Interval(value, max(0.0, ends[0]), min(1.0, ends[1]))


def recalls(found: Record) -> list[Recalls]:
    """Return the recalls of all measured strategies."""
    labels, classes = pairing.test_labels(found), _classes(found)
    return [
        _recalls(name, correct, labels, classes)
        for name, correct in pairing.correctness(found).items()
    ]


def _classes(found: Record) -> int:
    return len(found.started.dataset.classes) if found.started else 0


def _recalls(name: str, correct: stats.Matrix, labels: NDArray[np.int64], classes: int) -> Recalls:
    correct = correct[~np.isnan(correct).all(axis=1)]
    tested = (~np.isnan(correct)).astype(np.float64)
    masks = labels == np.arange(classes)[:, None]
    intervals = []
    for mask in masks:
        mine = correct[:, mask]
        images = int((~np.isnan(mine)).any(axis=0).sum())
        share = float(np.nanmean(mine)) if images else 0.0
        intervals.append(Interval(share, *stats.wilson(share, images)) if images else None)
    samples = None
    if len(correct) > 1:
        parts = [part * mask for part in (np.nan_to_num(correct), tested) for mask in masks]
        hits, drawn = np.hsplit(stats.bootstrap_sums(np.stack(parts), RESAMPLES), 2)
        # A class that was not drawn keeps what was measured.
        values = np.array([one.value if one else 0.0 for one in intervals])
        samples = np.where(drawn > 0, hits / np.maximum(drawn, 1), values)
        intervals = [
            one and _wider(one, stats.ends(column))
            for one, column in zip(intervals, samples.T, strict=True)
        ]
    return Recalls(name, tuple(intervals), samples)


def _wider(one: Interval, ends: tuple[float, float]) -> Interval:
    return Interval(one.value, min(one.low, ends[0]), max(one.high, ends[1]))
