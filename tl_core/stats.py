"""Intervals and paired tests, over images and seeds: NumPy in, floats out.

Measurements of a strategy are a matrix seeds x images with NaN where a seed did not test an image.
All strategies of a comparison share the columns, so that differences are paired.
"""

import functools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Matrix = NDArray[np.float64]
Counts = NDArray[np.uint16]
Key = TypeVar("Key", bound=Hashable)

RESAMPLES = 4000
# Resamples drawn at a time, which bounds memory on large test parts.
PART = 1000
LEVEL = 0.95
# Share of images on which two decent strategies disagree, before anything is measured.
ASSUMED_DISAGREEMENT = 0.12


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval, all in the value's own unit."""

    value: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        """Whether 0 lies in the interval, ends included."""
        return self.low <= 0.0 <= self.high


def normal_quantile(level: float) -> float:
    """Return how many standard errors on each side a two-sided interval of this level reaches."""
    return float(norm.ppf(0.5 + level / 2))


def wilson(share: float, images: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the Wilson score interval of a share measured on `images` (Wilson 1927)."""
    z = normal_quantile(level)
    centre = share + z * z / (2 * images)
    spread = z * np.sqrt(share * (1 - share) / images + z * z / (4 * images * images))
    scale = 1 + z * z / images
    low, high = float((centre - spread) / scale), float((centre + spread) / scale)
    # Rounding may leave 0 of n just outside.
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def mean(values: Matrix) -> float:
    """Return the mean over all measured entries of a seeds x images matrix."""
    return float(np.nanmean(values))


@functools.lru_cache(maxsize=32)
def _draws(seeds: int, images: int, resamples: int, seed: int) -> tuple[Counts, Counts]:
    """Return how often each resample draws each seed and each image; the same for everyone.

    Drawing takes longer than all else, so it is kept, in two bytes a count.
    """
    rng = np.random.default_rng(seed)
    image_counts = rng.multinomial(images, np.full(images, 1 / images), size=resamples)
    seed_counts = np.ones((resamples, 1), dtype=np.int64)
    if seeds > 1:
        seed_counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    return seed_counts.astype(np.uint16), image_counts.astype(np.uint16)


def bootstrap_sums(values: Matrix, resamples: int = RESAMPLES, seed: int = 0) -> Matrix:
    """Return sums over crossed resamples, resamples x K; `values` K x seeds x images, no NaN.

    Of images, and of seeds where there are several. An image drawn twice counts twice in every
    seed that tested it, which keeps the correlation of seeds that share a test part (Owen 2007, the
    pigeonhole bootstrap). Ratios of sums are means over parts of the images.
    """
    kinds, seeds, images = values.shape
    flat = values.reshape(kinds * seeds, images).T
    sums = []
    for part in range(0, resamples, PART):
        size = min(PART, resamples - part)
        seed_counts, image_counts = _draws(seeds, images, size, seed + part)
        drawn = (image_counts.astype(np.float64) @ flat).reshape(size, kinds, seeds)
        sums.append(np.einsum("bs,bks->bk", seed_counts, drawn))
    return np.concatenate(sums)


def bootstrap_means(
    values: Matrix, resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Return means over crossed resamples of images and seeds; seeds without a value are no draw.

    Resamples that drew nothing measured are left out.
    """
    values = values[~np.isnan(values).all(axis=1)]
    measured = (~np.isnan(values)).astype(np.float64)
    total, weight = bootstrap_sums(np.stack([np.nan_to_num(values), measured]), resamples, seed).T
    means: NDArray[np.float64] = total[weight > 0] / weight[weight > 0]
    return means


def ends(samples: NDArray[np.float64], level: float = LEVEL) -> tuple[float, float]:
    """Return the ends of a bootstrap percentile interval."""
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def raised_interval(
    value: float, samples: NDArray[np.float64], null_high: float = 0.0, level: float = LEVEL
) -> Interval:
    """Return the interval of a value that its own noise raises: a sum of absolute differences.

    Resamples lie too high by as much again. The low end is that of the basic bootstrap interval
    (Davison and Hinkley 1997, 5.2), the high end the percentile less the bias that the resamples
    show; the low end is 0 for a value that `null_high`, what noise alone gives, reaches.
    """
    _, high = ends(samples, level)
    bias = float(samples.mean()) - value
    least = max(0.0, min(value, 2 * value - high)) if value > null_high else 0.0
    return Interval(value, least, max(value, high - bias))


def accuracy_interval(correct: Matrix, level: float = LEVEL) -> Interval:
    """Return mean accuracy (fraction) with the wider end of Wilson and bootstrap on each side.

    Wilson counts each image once however many seeds tested it: seeds that share test images add
    no images.
    """
    correct = correct[~np.isnan(correct).all(axis=1)]
    value = mean(correct)
    images = int((~np.isnan(correct)).any(axis=0).sum())
    low, high = wilson(value, images, level)
    if len(correct) > 1:
        boot_low, boot_high = ends(bootstrap_means(correct), level)
        low, high = min(low, boot_low), max(high, boot_high)
    return Interval(value, low, high)


def paired_interval(a: Matrix, b: Matrix, level: float = LEVEL) -> Interval:
    """Return mean(a - b) over the same images within seeds, with a paired bootstrap interval."""
    difference = a - b
    low, high = ends(bootstrap_means(difference), level)
    return Interval(mean(difference), low, high)


def unpaired_interval(a: Matrix, b: Matrix, level: float = LEVEL) -> Interval:
    """Return mean(a) - mean(b) over different images, with a bootstrap interval.

    Seeds are drawn for each side on its own, which widens the interval rather than narrows it.
    """
    low, high = ends(bootstrap_means(a, seed=1) - bootstrap_means(b, seed=2), level)
    return Interval(mean(a) - mean(b), low, high)


def difference_interval(a: Interval, b: Interval) -> Interval:
    """Return a - b of two independent shares, from the intervals of each (MOVER).

    Zou and Donner 2008; with Wilson's intervals it is Newcombe's (1998) tenth method.
    """
    value = a.value - b.value
    low = value - float(np.hypot(a.value - a.low, b.high - b.value))
    high = value + float(np.hypot(a.high - a.value, b.value - b.low))
    return Interval(value, low, high)


def paired_share_interval(differences: Matrix, level: float = LEVEL) -> Interval:
    """Return the mean of paired differences of hits (-1, 0, 1), seeds x images, NaN unmeasured.

    Agresti and Min 2005: half an image is added to each of the four outcomes, so that few images
    that all agree are no certainty. An image counts once, however many seeds tested it.
    """
    value, each = mean(differences), differences[:, (~np.isnan(differences)).any(axis=0)]
    measured = ~np.isnan(each)
    better, worse = (
        float(((each == sign).sum(axis=0) / measured.sum(axis=0)).sum()) for sign in (1.0, -1.0)
    )
    images = each.shape[1] + 2
    centre = (better - worse) / images
    error = np.sqrt(better + worse + 1 - (better - worse) ** 2 / images) / images
    reach = normal_quantile(level) * float(error)
    return Interval(value, min(value, centre - reach), max(value, centre + reach))


def holm_intervals(
    best: Matrix, others: Mapping[str, Matrix], level: float = LEVEL
) -> dict[str, Interval]:
    """Return each strategy's paired difference to the best, at Holm's (1979) simultaneous level.

    What has no image of a seed in common with the best is left out.
    """
    return holm_pairs({name: (values, best) for name, values in others.items()}, level)


def holm_pairs(
    pairs: Mapping[Key, tuple[Matrix, Matrix]], level: float = LEVEL
) -> dict[Key, Interval]:
    """Return the paired difference of each pair, first minus second, at Holm's simultaneous level.

    Differences are ordered by bootstrap p-value. Pairs without a common image of a seed are left
    out.
    """
    differences = {key: first - second for key, (first, second) in pairs.items()}
    differences = {key: d for key, d in differences.items() if not np.isnan(d).all()}
    samples = {key: bootstrap_means(difference) for key, difference in differences.items()}
    ordered = sorted(samples, key=lambda key: _p_value(samples[key]))

    def interval(key: Key, level: float) -> Interval:
        return Interval(mean(differences[key]), *ends(samples[key], level))

    found = step_down(ordered, interval, level)
    return {key: found[key] for key in differences}


def step_down(
    ordered: Sequence[Key], interval: Callable[[Key, float], Interval], level: float = LEVEL
) -> dict[Key, Interval]:
    """Return simultaneous intervals of differences, `ordered` from the smallest p-value on.

    `interval` gives one at a level. The k-th of m gets the level 1 - alpha / (m - k + 1). From the
    first interval that contains 0 on, the level no longer falls (step-down), so "the interval
    contains 0" and "not rejected by Holm" are the same statement.
    """
    alpha, divisor, rejected = 1 - level, len(ordered), True
    intervals = {}
    for name in ordered:
        intervals[name] = interval(name, 1 - alpha / max(divisor, 1))
        rejected = rejected and not intervals[name].contains_zero
        divisor -= int(rejected)
    return intervals


def certainty(interval: Interval) -> float:
    """Return how many times its reach towards 0 a value is: orders differences like p-values."""
    value = interval.value
    reach = value - interval.low if value > 0 else interval.high - value
    return abs(value) / max(reach, 1e-12)


def _p_value(samples: NDArray[np.float64]) -> float:
    """Two-sided bootstrap p-value of "the mean difference is 0"."""
    below, above = int((samples <= 0).sum()), int((samples >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(samples) + 1))


def smallest_visible_gap(images: int, disagreement: float = ASSUMED_DISAGREEMENT) -> float:
    """Return the accuracy difference (fraction) under which two strategies will look tied.

    Half the width of a 95% paired interval when the two disagree on that share of the images:
    1.96 * sqrt(disagreement / images).
    """
    return float(norm.ppf(0.975) * np.sqrt(disagreement / max(images, 1)))
