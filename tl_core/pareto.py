"""The front of all that was measured: what nothing beats in accuracy, forgetting and time at once.

A point is dominated only where 95% intervals say so: of paired differences over the same images
where both tested the same, else of the difference of two independent shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from tl_core import stats
from tl_core.measured import Measured
from tl_core.stats import Interval, Matrix

# Times of one machine vary: only what takes under this share of another's is faster.
FASTER: Final = 0.8

Standing = Literal["front", "dominated", "alike", "apart"]


@dataclass(frozen=True)
class Placed:
    """How a point stands. `by`: places of the points that dominate it, or are like it and faster.

    `apart`: it never had the source skill, or its forgetting was not measured.
    """

    standing: Standing
    by: tuple[int, ...] = ()


def placed(found: Sequence[Measured]) -> list[Placed]:
    """Return how each point stands among all, in the order given."""
    known = [place for place, one in enumerate(found) if one.change is not None]
    made: list[Placed] = []
    for place, one in enumerate(found):
        if one.change is None:
            made.append(Placed("apart"))
            continue
        signs = {other: _signs(found[other], one) for other in known if other != place}
        above = [other for other, sign in signs.items() if _dominates(found[other], one, sign)]
        alike = [
            other
            for other, sign in signs.items()
            if sign == (0, 0) and _seconds(found[other], one)[1] < FASTER * one.seconds
        ]
        if above:
            made.append(Placed("dominated", tuple(above)))
        elif alike:
            made.append(Placed("alike", tuple(alike)))
        else:
            made.append(Placed("front"))
    return made


def _dominates(one: Measured, other: Measured, signs: tuple[int, int]) -> bool:
    """Return whether one is measurably better in something and worse in nothing, time included."""
    slower = FASTER * _seconds(one, other)[0] > other.seconds
    return max(signs) > 0 and min(signs) >= 0 and not slower


def _seconds(one: Measured, other: Measured) -> tuple[float, float]:
    """Return the least and the most that one would take on as many cores as the other had.

    Twice the cores make it at best twice as fast, at worst no faster.
    """
    cores = one.config.threads / other.config.threads if _both_on_cores(one, other) else 1.0
    return one.seconds * min(1.0, cores), one.seconds * max(1.0, cores)


def _both_on_cores(one: Measured, other: Measured) -> bool:
    configs = one.config, other.config
    return all(config.device == "cpu" and config.threads for config in configs)


def _signs(one: Measured, other: Measured) -> tuple[int, int]:
    """Return whether `one` is measurably better (1) or worse (-1) in accuracy and forgetting."""
    assert one.change is not None and other.change is not None
    more = _sign(_accuracy(one, other))
    less = -_sign(_change(one, other, one.change, other.change))
    return more, less


def _sign(difference: Interval) -> int:
    return 0 if difference.contains_zero else (1 if difference.value > 0 else -1)


def _accuracy(one: Measured, other: Measured) -> Interval:
    paired = _paired(_over(one, other.images), other.hits)
    return paired or stats.difference_interval(one.accuracy, other.accuracy)


def _over(one: Measured, images: tuple[int, ...]) -> Matrix:
    """Return a point's hits in the columns of these images, NaN where it did not test one."""
    if one.images == images:
        return one.hits
    column = {image: place for place, image in enumerate(one.images)}
    values = np.full((len(one.hits), len(images)), np.nan)
    for place, image in enumerate(images):
        if image in column:
            values[:, place] = one.hits[:, column[image]]
    return values


def _change(one: Measured, other: Measured, mine: Interval, theirs: Interval) -> Interval:
    if one.lost is not None and other.lost is not None:
        paired = _paired(one.lost, other.lost)
        if paired is not None:
            return paired
    return stats.difference_interval(mine, theirs)


def _paired(one: Matrix, other: Matrix) -> Interval | None:
    """Return the paired difference over what both measured; None where that is not the same."""
    if one.shape[1] != other.shape[1]:
        return None
    seeds = min(len(one), len(other))
    difference = one[:seeds] - other[:seeds]
    if np.isnan(difference).all():
        return None
    if not np.nanmax(np.abs(difference)):
        return Interval(0.0, 0.0, 0.0)
    return stats.paired_share_interval(difference)
