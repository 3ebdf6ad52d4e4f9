"""Which model between the linear probe and a fine-tuned one to take, judged without looking ahead.

A point is chosen by validation images and by source images that measure nothing; what it is worth
is then read off the test images and the source images that measure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tl_core import metrics, stats
from tl_core.answers import Interpolation
from tl_core.config import RATED_FROM
from tl_core.record import Record
from tl_core.stats import Interval, Matrix
from tl_core.tables import StrategyRow

# The strategy whose two ends share a head from the start.
FIRST_CHOICE = "lp_ft"


@dataclass(frozen=True)
class Point:
    """A model between, in percent and percentage points; `share` from 0 to 1.

    `target` and `source`: accuracies on test images and on the source images that measure.
    Differences are to the fine-tuned end, paired. `dominates` it: measurably better on the source
    task and not measurably worse on the target.
    """

    share: float
    target: Interval
    target_difference: Interval
    source: Interval | None
    source_difference: Interval | None
    dominates: bool


@dataclass(frozen=True)
class Path:
    """All points, the linear probe first; `best` is the place of the one that was chosen.

    Without one `why_none` says why.
    """

    points: tuple[Point, ...]
    best: int | None
    why_none: str

    @property
    def shows_source(self) -> bool:
        """Whether there are enough source images for a rate."""
        return self.points[0].source is not None

    @property
    def dominating(self) -> list[str]:
        """The stretches of the way that dominate the fine-tuned end, in words: `10% to 30%`."""
        stretches = []
        for above, stretch in groupby(self.points, key=lambda point: point.dominates):
            shares = [f"{point.share:.0%}" for point in stretch]
            if above:
                stretches.append(" to ".join(dict.fromkeys((shares[0], shares[-1]))))
        return stretches


def path(found: Interpolation) -> Path:
    """Return what the models between are worth, and which of them is chosen."""
    hits = [_hits(one.test_predictions, found.test_labels) for one in found.points]
    rated = len(found.source_labels) >= RATED_FROM
    known = [_hits(one.source_predictions or (), found.source_labels) for one in found.points]
    points = tuple(
        _point(one.share, hits[place], hits[-1], known[place] if rated else None, known[-1])
        for place, one in enumerate(found.points)
    )
    return Path(points, chosen(found), found.lacks_learning)


def chosen(found: Interpolation) -> int | None:
    """Return the place of the point with most source accuracy that costs the target nothing.

    Of those whose validation accuracy is at most one standard error below the fine-tuned end's,
    by the source images to learn from alone; ties go to the point nearer the fine-tuned end. None
    without such images.
    """
    last = found.points[-1]
    if found.lacks_learning or last.learning_accuracy is None:
        return None
    error = metrics.standard_error(last.validation_accuracy, found.validation_images)
    floor = last.validation_accuracy - error - 1e-12  # rounding is no loss

    def worth(place: int) -> tuple[float, int]:
        return found.points[place].learning_accuracy or 0.0, place

    close = [i for i, one in enumerate(found.points) if one.validation_accuracy >= floor]
    return max(close, key=worth)


def candidates(found: Record) -> list[str]:
    """Return the strategies that have a way to them, in their order: fine-tuned, not diverged."""
    return [
        strategy.name
        for strategy in found.strategies
        if strategy.solver == "steps"
        and strategy.pretrained
        # Such a model is itself a point on the way to another one.
        and strategy.interpolation is None
        and any(not run.result.diverged for run in found.final(strategy.name).values())
    ]


def first_choice(names: Sequence[str], rows: Sequence[StrategyRow]) -> str | None:
    """Return which of the candidates to look at first: LP-FT, else the one that changed most."""
    if not names or FIRST_CHOICE in names:
        return FIRST_CHOICE if names else None
    by_name = {row.strategy: row for row in rows}

    def change(name: str) -> float:
        row = by_name[name]
        if row.forgetting_points is not None:
            return row.forgetting_points
        return 1 - (1.0 if row.agreement is None else row.agreement)

    return max(names, key=change)


def _hits(predictions: Sequence[int], labels: Sequence[int]) -> Matrix:
    """Return 1 x images: right or wrong."""
    if not predictions:
        return np.zeros((1, 0))
    return np.equal(predictions, labels).astype(np.float64)[None]


def _point(
    share: float, hits: Matrix, end: Matrix, known: Matrix | None, known_end: Matrix
) -> Point:
    target = _percent(stats.paired_interval(hits, end))
    source = None if known is None else _percent(stats.paired_interval(known, known_end))
    return Point(
        share,
        _percent(stats.accuracy_interval(hits)),
        target,
        None if known is None else _percent(stats.accuracy_interval(known)),
        source,
        source is not None and source.low > 0 and target.high >= 0,
    )


def _percent(of: Interval) -> Interval:
    return Interval(100 * of.value, 100 * of.low, 100 * of.high)
