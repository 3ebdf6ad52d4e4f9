""" "None of these": does a strategy notice images that belong to none of its classes?

Source images whose class is mapped to none of the user's stand for them. An image is accepted if
the strategy's confidence reaches a threshold that keeps most validation images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core import pairing, predictions, stats
from tl_core.confidence import confident
from tl_core.config import RATED_FROM
from tl_core.events import RunEnded
from tl_core.record import Record
from tl_core.stats import Interval, Matrix

# The share of validation images that the threshold keeps.
KEPT = 0.95


@dataclass(frozen=True)
class Outside:
    """What one strategy does with `images` that belong to none of its classes (fractions).

    `accepted`: the share of them that reach the threshold; `kept`: of the test images. `auroc`:
    how often a test image is surer than such an image. `threshold`: mean over seeds.
    """

    strategy: str
    images: int
    threshold: float
    accepted: Interval
    kept: Interval
    auroc: Interval


def outside_images(found: Record) -> NDArray[np.bool_]:
    """Return which source images belong to no source class that a target class is mapped to."""
    started = found.started
    if started is None or started.source is None:
        return np.zeros(0, dtype=bool)
    mapped = {index for indices in started.config.class_map.values() for index in indices}
    return ~np.isin(started.source.labels, list(mapped))


def outside(found: Record, kept: float = KEPT) -> list[Outside]:
    """Return what strategies do with outside images; empty under RATED_FROM of them.

    Strategies whose confidences were not kept, or mean nothing, are left out.
    """
    strangers = outside_images(found)
    if strangers.sum() < RATED_FROM:
        return []
    rows = [_outside(found, s.name, strangers, kept) for s in confident(found)]
    return [row for row in rows if row is not None]


def confidences(found: Record, strategy: str) -> tuple[Matrix, Matrix] | None:
    """Return confidences of test images and of outside images, each seeds x images."""
    strangers = outside_images(found)
    inside = pairing.matrix(found, strategy, _confidences)
    others = np.full((len(inside) if inside is not None else 0, int(strangers.sum())), np.nan)
    for seed, ended in found.final(strategy).items():
        values = predictions.unpacked(ended.result.outside_confidences)
        if inside is not None and len(values) == len(strangers):
            others[seed] = values[strangers]
    if inside is None or np.isnan(others).all():
        return None
    return inside, others


def _confidences(ended: RunEnded) -> ArrayLike | None:
    tested = predictions.tested(ended)
    return None if tested is None else tested.probabilities.max(axis=1)


def _outside(
    found: Record, strategy: str, strangers: NDArray[np.bool_], kept: float
) -> Outside | None:
    both = confidences(found, strategy)
    thresholds = np.full(len(both[0]) if both else 0, np.nan)
    for seed, ended in found.final(strategy).items():
        known = predictions.validated(ended)
        if known is not None and len(known.labels) and both:
            surest = known.probabilities.max(axis=1)
            thresholds[seed] = np.quantile(surest, 1 - kept, method="lower")
    if both is None or np.isnan(thresholds).all():
        return None
    inside, others = (_reaching(values, thresholds) for values in both)
    return Outside(
        strategy=strategy,
        images=int(strangers.sum()),
        threshold=float(np.nanmean(thresholds)),
        accepted=stats.accuracy_interval(others),
        kept=stats.accuracy_interval(inside),
        auroc=auroc_interval(*both),
    )


def _reaching(values: Matrix, thresholds: NDArray[np.float64]) -> Matrix:
    unknown = np.isnan(values) | np.isnan(thresholds)[:, None]
    reached: Matrix = np.where(unknown, np.nan, values >= thresholds[:, None])
    return reached


def auroc_interval(inside: Matrix, others: Matrix) -> Interval:
    """Return how often an inside image scores above an other one, ties half; each seeds x images.

    The bootstrap is of the images' placements (DeLong et al. 1988), crossed with seeds. On each
    side the wider of it and of Wilson's interval on the smaller number of images, above whose
    variance that of no such share can be (Birnbaum & Klose 1957).
    """
    first, second = np.full(inside.shape, np.nan), np.full(others.shape, np.nan)
    for seed, (a, b) in enumerate(zip(inside, others, strict=True)):
        mine, theirs = ~np.isnan(a), ~np.isnan(b)
        if mine.any() and theirs.any():
            first[seed, mine] = _above(a[mine], b[theirs])
            second[seed, theirs] = 1 - _above(b[theirs], a[mine])
    value = stats.mean(first)
    samples = stats.bootstrap_means(first) + stats.bootstrap_means(second, seed=1) - value
    low, high = stats.ends(samples)
    images = min(int((~np.isnan(side)).any(axis=0).sum()) for side in (first, second))
    least, most = stats.wilson(value, images)
    return Interval(value, max(0.0, min(low, least)), min(1.0, max(high, most)))


def _above(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each value the share of others below it, those that are equal counting half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    reached = np.searchsorted(ordered, values, side="right")
    shares: NDArray[np.float64] = (below + reached) / (2 * len(ordered))
    return shares
