"""Accuracy on the new task against what is left of the old one: who trades, who is dominated.

Every judgement is about a paired difference whose 95% interval leaves out 0, at Holm's level over
all pairs of strategies at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tl_core import pairing, stats
from tl_core.curves import Measure, change_measure
from tl_core.record import Record
from tl_core.stages import leaves_backbone
from tl_core.stats import Interval, Matrix
from tl_core.tables import StrategyRow

Pair = tuple[str, str]
Differences = Mapping[Pair, Interval]


@dataclass(frozen=True)
class Place:
    """Where a strategy stands, in percent and points; `seconds` of one training.

    `change`: forgetting or drift, less is better; None for what never had the source skill.
    """

    strategy: str
    title: str
    accuracy: Interval
    change: Interval | None
    seconds: float


@dataclass(frozen=True)
class Tradeoff:
    """`dominated`: by whom each is. `trades`: the first gains accuracy, and pays with change.

    `measure`: what `change` is.
    """

    measure: Measure
    places: tuple[Place, ...]
    dominated: dict[str, tuple[str, ...]]
    trades: tuple[Pair, ...]


def tradeoff(found: Record, rows: Sequence[StrategyRow]) -> Tradeoff:
    """Return where the measured strategies stand, in the order of `rows`."""
    measure = change_measure(found)
    places = tuple(_place(found, row, measure) for row in rows if row.test_accuracy is not None)
    placed = [place.strategy for place in places if place.change is not None]
    accuracy, change = _accuracy(found, placed), _change(found, placed, measure)
    return Tradeoff(
        measure, places, dominated(placed, accuracy, change), trades(placed, accuracy, change)
    )


def dominated(
    names: Sequence[str], accuracy: Differences, change: Differences
) -> dict[str, tuple[str, ...]]:
    """Return, for each strategy that some dominate, which.

    One dominates another if it is measurably better in accuracy or in change (less of it) and
    measurably worse in neither. Differences are first minus second, of each pair in one order.
    """
    found = {}
    for name in names:
        above = [
            other
            for other in names
            if other != name
            and (sign := (_sign(accuracy, other, name), -_sign(change, other, name)))
            and max(sign) > 0
            and min(sign) >= 0
        ]
        if above:
            found[name] = tuple(above)
    return found


def trades(names: Sequence[str], accuracy: Differences, change: Differences) -> tuple[Pair, ...]:
    """Return the pairs of undominated strategies of which one gains accuracy and pays with change.

    Both measurably; the more accurate stands first.
    """
    front = [name for name in names if name not in dominated(names, accuracy, change)]
    return tuple(
        (one, other)
        for one in front
        for other in front
        if one != other and _sign(accuracy, one, other) > 0 and _sign(change, one, other) > 0
    )


def _sign(differences: Differences, one: str, other: str) -> int:
    """Return +1 or -1 where `one` has measurably more or less than `other`, else 0."""
    found, turn = differences.get((one, other)), 1
    if found is None:
        found, turn = differences.get((other, one)), -1
    if found is None or found.contains_zero:
        return 0
    return turn if found.value > 0 else -turn


def _place(found: Record, row: StrategyRow, measure: Measure) -> Place:
    strategy = next(s for s in found.strategies if s.name == row.strategy)
    value, low, high = (100 * (v or 0.0) for v in (row.test_accuracy, row.ci_low, row.ci_high))
    change = None
    if row.forgetting_points is not None:
        change = Interval(
            row.forgetting_points, row.forgetting_low or 0.0, row.forgetting_high or 0.0
        )
    elif measure == "drift" and row.agreement is not None:
        one = _drift(found, row.strategy, stats.LEVEL)
        change = one and Interval(100 * one.value, 100 * one.low, 100 * one.high)
    return Place(
        row.strategy,
        strategy.title,
        Interval(value, low, high),
        change,
        row.train_seconds or 0.0,
    )


def _accuracy(found: Record, names: Sequence[str]) -> Differences:
    correct = {name: pairing.matrix(found, name) for name in names}
    return _holm({name: values for name, values in correct.items() if values is not None})


def _change(found: Record, names: Sequence[str], measure: Measure) -> Differences:
    if measure == "forgetting":
        lost = {name: lost_of(found, name) for name in names}
        return _holm({name: values for name, values in lost.items() if values is not None})
    return _drifts(found, names)


def _holm(values: Mapping[str, Matrix]) -> Differences:
    return stats.holm_pairs(
        {(one, other): (values[one], values[other]) for one, other in combinations(values, 2)}
    )


def lost_of(found: Record, name: str) -> Matrix | None:
    """Return what a strategy no longer recognises: seeds x source images, 1 lost, -1 gained."""
    assert found.started is not None
    source = found.started.source
    if source is None:
        return None
    before = np.array(source.correct, dtype=np.float64)
    lost = np.full((found.started.config.seeds, len(before)), np.nan)
    for seed, ended in found.final(name).items():
        after = ended.result.source_predictions
        if after is not None:
            lost[seed] = before - np.equal(after, source.labels)
    return None if np.isnan(lost).all() else lost


def _drifts(found: Record, names: Sequence[str]) -> Differences:
    """Return differences of drift: shares whose images are not kept, taken as independent."""
    pairs = [
        pair
        for pair in combinations(names, 2)
        if all(_drift(found, name, stats.LEVEL) is not None for name in pair)
    ]

    def interval(pair: Pair, level: float) -> Interval:
        one, other = (_drift(found, name, level) for name in pair)
        assert one is not None and other is not None
        return stats.difference_interval(one, other)

    ordered = sorted(pairs, key=lambda pair: -stats.certainty(interval(pair, stats.LEVEL)))
    return stats.step_down(ordered, interval)


def _drift(found: Record, name: str, level: float) -> Interval | None:
    """Return the share of test images whose source prediction changed, with Wilson's interval."""
    runs = [run for run in found.final(name).values() if run.result.agreement is not None]
    if not runs:
        return None
    share = 1 - float(np.mean([run.result.agreement for run in runs]))
    strategy = next(s for s in found.strategies if s.name == name)
    if share == 0 and leaves_backbone(strategy):
        return Interval(0.0, 0.0, 0.0)
    images = len({image for run in runs for image in run.result.test_images})
    return Interval(share, *stats.wilson(share, images, level))
