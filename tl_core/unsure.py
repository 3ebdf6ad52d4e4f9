"""When does a strategy say "unsure"? A threshold from validation images, and what it gives on test.

Above the threshold answers are meant to be taken as they are, below it a person should look.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core import predictions, stats
from tl_core.events import RunEnded
from tl_core.stats import Interval

# The share of answers at or above the threshold that are right on validation images, if any
# threshold reaches that; and the share of validation images that are always unsure.
RIGHT: Final = 0.95
LEAST_UNSURE: Final = 0.05


@dataclass(frozen=True)
class Threshold:
    """Confidence `value` from which an answer counts as sure (fraction).

    On the test images: `sure` is the share that reach it, `right` how many of these are right
    (None if none reach it). `reached`: whether RIGHT was reached on validation images.
    """

    value: float
    sure: Interval
    right: Interval | None
    reached: bool


def threshold(ended: RunEnded) -> Threshold | None:
    """Return a finished run's threshold; None where its predictions were not kept.

    The lowest confidence above which at least RIGHT of the validation answers are right, and not
    below the one that LEAST_UNSURE of the validation images stay under.
    """
    known, tested = predictions.validated(ended), predictions.tested(ended)
    if known is None or tested is None or not len(known.labels) or not len(tested.labels):
        return None
    confidences = known.probabilities.max(axis=1)
    floor = float(np.quantile(confidences, LEAST_UNSURE, method="lower"))
    selective = _selective(confidences, known.correct)
    value = max(floor, 1.0 if selective is None else selective)
    sure = tested.probabilities.max(axis=1) >= value
    return Threshold(
        value=value,
        sure=_share(sure),
        right=_share(tested.correct[sure]) if sure.any() else None,
        reached=selective is not None,
    )


def _selective(confidences: NDArray[np.float64], correct: NDArray[np.bool_]) -> float | None:
    """Return the lowest confidence from which on RIGHT of the answers are right, None if none is.

    Geifman & El-Yaniv 2017, without their bound: what it gives is measured on the test images.
    """
    order = np.argsort(-confidences, kind="stable")
    right = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # Equal confidences stand or fall together: only the last of them may end the row.
    ends = np.append(np.diff(confidences[order]) != 0, True)
    good = np.flatnonzero(ends & (right >= RIGHT))
    return float(confidences[order[good[-1]]]) if len(good) else None


def _share(hits: NDArray[np.bool_]) -> Interval:
    share = float(hits.mean())
    return Interval(share, *stats.wilson(share, len(hits)))
