"""How accuracy grows with labels: a power law for each strategy, and what the next images buy."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tl_core import pairing, power_law, stats
from tl_core.stats import Interval, Matrix
from tl_core.strategies import Strategy
from tl_core.swept import Swept
from tl_core.wording import number_of, points, spread

FEWEST_SIZES: Final = 3
RESAMPLES: Final = 2000
# No further than this times the largest measured size is anything said.
REACH: Final = 2.0
# What rounds to no gain.
NOTHING: Final = 0.05
_DRAWN: Final = 40


@dataclass(frozen=True)
class Fit:
    """error = a + b * (n / first) ** -c; `resampled` has the coefficients of each resample, R x 3.

    `band`: (n, accuracy with the ends of the curve's 95% interval, fractions), ascending, up to
    REACH times the largest measured size.
    """

    a: float
    b: float
    c: float
    first: float
    resampled: Matrix
    band: tuple[tuple[float, Interval], ...]

    def accuracy(self, size: float) -> Interval:
        """Return the fitted accuracy (fraction) at a size with its 95% interval."""
        value, samples = self._at(size)
        return _interval(value, samples)

    def gain(self, size: float, more: float) -> Interval:
        """Return what `more` images per class beyond `size` change, in percentage points."""
        before, sampled_before = self._at(size)
        after, sampled_after = self._at(size + more)
        return _interval(100 * (after - before), 100 * (sampled_after - sampled_before))

    def _at(self, size: float) -> tuple[float, Matrix]:
        own = np.array([[self.a, self.b, self.c]])
        where = np.array([size])
        value = 1 - power_law.errors_at(own, where, self.first)[0, 0]
        return float(value), 1 - power_law.errors_at(self.resampled, where, self.first)[:, 0]


@dataclass(frozen=True)
class LearningCurve:
    """One strategy's accuracy over labels per class.

    `sizes` ascending, `measured` in parallel (fractions with 95% intervals). `fit` is None where
    there are too few sizes; `refused` says why.
    """

    strategy: str
    title: str
    seeds: int
    sizes: tuple[float, ...]
    measured: tuple[Interval, ...]
    fit: Fit | None
    refused: str = ""

    @property
    def most(self) -> float:
        """The size up to which the curve says anything."""
        return REACH * self.sizes[-1] if self.sizes else 0.0

    @property
    def misses_last(self) -> bool:
        """Whether the law does not pass through the interval of the largest measured size."""
        if self.fit is None:
            return False
        last, fitted = self.measured[-1], self.fit.accuracy(self.sizes[-1]).value
        return not last.low <= fitted <= last.high


def learning_curves(found: Swept) -> list[LearningCurve]:
    """Return the curve of each strategy that learns from labels, over the points of a sweep.

    Sizes are the points' values. Intervals are percentiles over resamples of the same test images
    and seeds at every size.
    """
    first = next((r for r in found.records.values() if r.started is not None), None)
    strategies = first.strategies if first is not None else ()
    return [_curve(found, strategy) for strategy in strategies if strategy.solver != "none"]


def _curve(found: Swept, strategy: Strategy) -> LearningCurve:
    hits = measured_hits(found, strategy.name)
    sizes = tuple(hits)
    intervals = tuple(stats.accuracy_interval(one) for one in hits.values())
    seeds = max((len(one) for one in hits.values()), default=0)
    fit, refused = None, ""
    if len(sizes) < FEWEST_SIZES:
        refused = (
            f"{strategy.title}: a curve needs {FEWEST_SIZES} sizes at least, "
            f"{number_of(len(sizes), 'size is', 'sizes are')} measured."
        )
    else:
        fit = _fit(hits)
    return LearningCurve(strategy.name, strategy.title, seeds, sizes, intervals, fit, refused)


def measured_hits(found: Swept, strategy: str) -> dict[float, Matrix]:
    """Return a strategy's hits at each measured size, ascending: seeds x the same test images."""
    there = {
        point.value: found.records[place]
        for place, point in enumerate(found.sweep.points if found.sweep else ())
        if point.value is not None and place in found.records
    }
    there = {size: there[size] for size in sorted(there) if there[size].started is not None}
    images = sorted({image for one in there.values() for image in pairing.test_images(one)})
    hits = {size: pairing.matrix(one, strategy, images=images) for size, one in there.items()}
    return {size: one for size, one in hits.items() if one is not None}


def _fit(hits: dict[float, Matrix]) -> Fit:
    sizes = np.array(list(hits))
    layers = np.stack(list(hits.values()))
    # Only what all sizes measured: a paired resample needs the same images of the same seeds.
    common = np.asarray(~np.isnan(layers).any(axis=0))
    values = np.concatenate([np.where(common, layers, 0.0), common[None].astype(np.float64)])
    sums = stats.bootstrap_sums(values, RESAMPLES)
    sums = sums[sums[:, -1] > 0]
    resampled = 1 - sums[:, :-1] / sums[:, -1:]
    errors = 1 - layers[:, common].mean(axis=1)
    images = int(common.any(axis=0).sum())
    smoothed = (errors * images + 1) / (images + 2)
    weights = images / (smoothed * (1 - smoothed))
    ((a, b, c),), _ = power_law.fitted(sizes, errors[None], weights)
    coefficients, _ = power_law.fitted(sizes, resampled, weights)
    bare = Fit(float(a), float(b), float(c), float(sizes[0]), coefficients, ())
    drawn = np.geomspace(sizes[0], REACH * sizes[-1], _DRAWN)
    band = tuple((float(size), bare.accuracy(float(size))) for size in drawn)
    return Fit(bare.a, bare.b, bare.c, bare.first, coefficients, band)


def _interval(value: float, samples: Matrix) -> Interval:
    low, high = stats.ends(samples)
    return Interval(value, min(low, value), max(high, value))


def next_step(curve: LearningCurve) -> int:
    """Return how many more images per class to speak of: a round number, half of what there is."""
    half = max(1.0, curve.sizes[-1] / 2)
    decade = 10 ** int(np.floor(np.log10(half)))
    return int(max(digit * decade for digit in (1, 2, 5) if digit * decade <= half))


def gain_sentence(curve: LearningCurve, more: int | None = None) -> str:
    """Return what `more` images per class buy, or why nothing can be said.

    Raises ValueError where they would reach beyond REACH times the largest measured size.
    """
    if curve.fit is None:
        return curve.refused
    largest = curve.sizes[-1]
    added = next_step(curve) if more is None else more
    if largest + added > curve.most:
        raise ValueError(f"The curve says nothing beyond {curve.most:.0f} images per class.")
    gain = curve.fit.gain(largest, added)
    what = f"{curve.title}: {added} more images per class buy"
    # The law never falls, so an interval that holds 0 begins there.
    if gain.low < NOTHING:
        said = f"{what} between nothing and {points(gain.high)} points: the interval holds 0"
    else:
        said = f"{what} about {points(gain.value)} points ({spread(gain.low, gain.high)})"
    if curve.misses_last:
        said += "; the fitted law misses the last measured point, so take it as a rough guide"
    alone = "; with one seed, the luck of which images were labelled is not in it"
    return f"{said}{alone if curve.seeds == 1 else ''}."
