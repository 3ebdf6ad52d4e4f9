"""What mistakes cost when missing one class is worse than a false alarm.

One class against all others: an image raises an alarm if its probability of the class reaches a
threshold. A missed image of the class costs k, a false alarm 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core import pairing, predictions, stats
from tl_core.events import RunEnded
from tl_core.predictions import Predictions
from tl_core.record import Record
from tl_core.stats import Interval, Matrix

PER = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """What one strategy's mistakes cost, per 1,000 test images, with 95% intervals.

    `difference` is its cost minus the cheapest strategy's, paired and simultaneous (Holm).
    `threshold` and `tied` are None for what needs no model, always or never raising an alarm; its
    difference is a plain paired one.
    """

    strategy: str
    threshold: float | None
    expected: Interval
    misses: Interval
    false_alarms: Interval
    difference: Interval
    tied: bool | None = None


def costs(found: Record, label: int, factor: float) -> list[Cost]:
    """Return every strategy's cost of confusing class `label` with the rest, the cheapest first.

    `factor`: how many false alarms one missed image costs. Strategies whose probabilities were not
    kept are left out; "always" and "never" raising an alarm stand last. Empty without any test
    image of the class.
    """
    labels = pairing.test_labels(found)
    if not (labels == label).any():
        return []
    thresholds = {s.name: _chosen(found, s.name, label, factor) for s in found.strategies}
    alarms: dict[str, Matrix] = {}
    for name, threshold in thresholds.items():
        if threshold is not None:
            values = pairing.matrix(found, name, _alarms(label, threshold))
            if values is not None:
                alarms[name] = values
    if not alarms:
        return []
    charges = {name: _charges(values, labels == label, factor) for name, values in alarms.items()}
    differences = _differences(charges)
    made = [
        _cost(name, thresholds[name], alarms[name], labels == label, factor, differences)
        for name in alarms
    ]
    ordered = sorted(made, key=lambda one: one.expected.value)
    best = charges[ordered[0].strategy]
    return [*ordered, *_without_model(alarms, best, labels == label, factor)]


def best_threshold(scores: ArrayLike, positive: ArrayLike, factor: float) -> float:
    """Return the threshold on scores (N, probabilities) at which mistakes cost least.

    `positive`: whether each image is of the class, N. Of equally cheap thresholds it is the one
    nearest to 1 / (1 + factor), which costs least for calibrated probabilities (Elkan 2001).
    """
    values, wanted = np.asarray(scores, np.float64), np.asarray(positive, bool)
    ordered = np.unique(values)
    # Between neighbouring scores all thresholds decide alike; beyond the ends all or none alarm.
    edges = np.concatenate([[0.0], (ordered[1:] + ordered[:-1]) / 2, [1.0 + 1e-9]])
    misses = np.searchsorted(np.sort(values[wanted]), edges, side="left")
    false = (~wanted).sum() - np.searchsorted(np.sort(values[~wanted]), edges, side="left")
    total = factor * misses + false
    cheapest = np.flatnonzero(total <= total.min() + 1e-9)
    ideal = 1 / (1 + factor)
    low, high = np.append(0.0, ordered)[cheapest], np.append(ordered, 1.0 + 1e-9)[cheapest]
    inside = np.clip(ideal, np.nextafter(low, 2.0), high)
    return float(inside[np.argmin(np.abs(inside - ideal))])


def _chosen(found: Record, strategy: str, label: int, factor: float) -> float | None:
    """Return the threshold of the pooled validation images of all seeds."""
    parts = [predictions.validated(run) for run in found.final(strategy).values()]
    known: Sequence[Predictions] = [part for part in parts if part is not None]
    if not known:
        return None
    scores = np.concatenate([part.probabilities[:, label] for part in known])
    positive = np.concatenate([part.labels == label for part in known])
    return best_threshold(scores, positive, factor)


def _alarms(label: int, threshold: float) -> pairing.Measure:
    def measure(ended: RunEnded) -> ArrayLike | None:
        tested = predictions.tested(ended)
        return None if tested is None else tested.probabilities[:, label] >= threshold

    return measure


def _charges(alarms: Matrix, positive: NDArray[np.bool_], factor: float) -> Matrix:
    """Return what each image costs, NaN where it was not tested."""
    charges: Matrix = np.where(positive, factor * (1 - alarms), alarms)
    return charges


def _differences(charges: Mapping[str, Matrix]) -> dict[str, Interval]:
    cheapest = min(charges, key=lambda name: stats.mean(charges[name]))
    others = {name: values for name, values in charges.items() if name != cheapest}
    found = stats.holm_intervals(charges[cheapest], others)
    return {**found, cheapest: Interval(0.0, 0.0, 0.0)}


def _without_model(
    alarms: Mapping[str, Matrix], best: Matrix, positive: NDArray[np.bool_], factor: float
) -> list[Cost]:
    """Return what always and never raising an alarm cost, against the cheapest strategy."""
    untested = np.stack([np.isnan(values) for values in alarms.values()]).all(axis=0)
    made = []
    for name, answer in (("always", 1.0), ("never", 0.0)):
        constant = np.where(untested, np.nan, answer)
        difference = stats.paired_interval(_charges(constant, positive, factor), best)
        made.append(_cost(name, None, constant, positive, factor, {name: difference}))
    return made


def _cost(
    name: str,
    threshold: float | None,
    alarms: Matrix,
    positive: NDArray[np.bool_],
    factor: float,
    differences: Mapping[str, Interval],
) -> Cost:
    misses = stats.accuracy_interval(np.where(positive, 1 - alarms, 0 * alarms))
    false = stats.accuracy_interval(np.where(positive, 0 * alarms, alarms))
    difference, tied = differences[name], None
    if threshold is not None:
        # Less than the cheapest mistake on one image cannot be told from none.
        least = min(factor, 1.0) / int(np.count_nonzero(~np.isnan(alarms).all(axis=0)))
        tied = difference.contains_zero or abs(difference.value) < least
    return Cost(
        strategy=name,
        threshold=threshold,
        expected=_per_thousand(_sum(misses, false, factor)),
        misses=_per_thousand(misses),
        false_alarms=_per_thousand(false),
        difference=_per_thousand(difference),
        tied=tied,
    )


def _sum(misses: Interval, false: Interval, factor: float) -> Interval:
    """Return factor * misses + false from the intervals of both (MOVER).

    Unlike a bootstrap it does not take a handful of images without a mistake for certainty.
    """
    value = factor * misses.value + false.value
    low = np.hypot(factor * (misses.value - misses.low), false.value - false.low)
    high = np.hypot(factor * (misses.high - misses.value), false.high - false.value)
    return Interval(value, max(0.0, value - float(low)), value + float(high))


def _per_thousand(interval: Interval) -> Interval:
    return Interval(PER * interval.value, PER * interval.low, PER * interval.high)
