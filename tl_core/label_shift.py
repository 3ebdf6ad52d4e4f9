"""Other class shares where the model is used than where it was tested: estimate, and what it costs.

Label shift: the classes come in other shares, each class looks as before. Where images of a class
look different too, these numbers say nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core.stats import LEVEL, Interval

Array = NDArray[np.float64]

RESAMPLES = 1000
# Beyond, one image in a hundred misjudged moves estimated shares by tens of points.
LARGEST_CONDITION = 30.0


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Return sum |p - q| / 2 of two lists of class shares: the share of images that must change.

    0 to 1. Raises ValueError for lists that are no shares of the same classes.
    """
    first, second = _shares(p), _shares(q)
    if len(first) != len(second):
        raise ValueError(f"Shares of {len(first)} and of {len(second)} classes do not compare.")
    return float(np.abs(first - second).sum() / 2)


def class_shares(labels: ArrayLike, classes: int) -> Array:
    """Return the share of each class among labels (N, 0 to C - 1); raises ValueError for none."""
    counts = _counts(labels, classes)
    if not counts.sum():
        raise ValueError("There are no labels to take shares of.")
    shares: Array = counts / counts.sum()
    return shares


@dataclass(frozen=True)
class LabelShift:
    """Estimated shares of each class in unlabelled images, with 95% intervals.

    `weights`: how many times as frequent as among the held-out images. `condition`: of the matrix
    that was inverted; it multiplies errors of predicted shares at worst.
    """

    shares: tuple[Interval, ...]
    weights: tuple[float, ...]
    condition: float


def bbse(
    predictions: ArrayLike,
    labels: ArrayLike,
    unlabelled: ArrayLike,
    classes: int,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> LabelShift:
    """Return class shares estimated from predictions alone: black-box shift estimation.

    Lipton et al. 2018. `predictions` and `labels`: of held-out images, N. `unlabelled`:
    predictions on the images in question, M. Shares solve P(predicted | class) q = predicted
    shares; below 0 they count as 0.

    Intervals resample images within each held-out class and among the unlabelled by the Bayesian
    bootstrap (Rubin 1981), one more image spread over all predictions, so that a class without a
    mistake is not taken for sure. Raises ValueError for a class without held-out image and where
    the model tells classes too badly apart.
    """
    predicted, true = np.asarray(predictions), np.asarray(labels)
    if predicted.shape != true.shape:
        raise ValueError("Held-out images need one prediction and one label each.")
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (_within(predicted, classes), _within(true, classes)), 1)
    seen = _counts(unlabelled, classes)
    weights, shares, condition = shift_weights(
        confusion / max(len(true), 1), class_shares(unlabelled, classes)
    )
    rng, prior = np.random.default_rng(seed), 1 / classes
    columns = [rng.dirichlet(column + prior, resamples) for column in confusion.T]
    seen_shares = rng.dirichlet(seen + prior, resamples)
    solved = np.linalg.solve(np.stack(columns, axis=2), seen_shares[..., None])[..., 0]
    return LabelShift(
        shares=_intervals(shares, _normalised(solved)),
        weights=tuple(weights.tolist()),
        condition=condition,
    )


def shift_weights(joint: ArrayLike, predicted_shares: ArrayLike) -> tuple[Array, Array, float]:
    """Return weights, class shares and condition number from shares alone.

    `joint`: C x C shares of held-out images by prediction (row) and class (column).
    `predicted_shares`: C, on the unlabelled. Raises ValueError as `bbse` does.
    """
    table, seen = np.asarray(joint, dtype=np.float64), _shares(predicted_shares)
    held_out = table.sum(axis=0)
    absent = np.flatnonzero(held_out == 0)
    if len(absent):
        raise ValueError(
            f"Class {absent[0]} has no held-out image: nothing says how it is predicted. Leave it "
            "out, or hold out images of every class."
        )
    recognised = table / held_out
    # Not of the joint shares: rare classes would make those look ill-conditioned.
    condition = float(np.linalg.cond(recognised))
    if not condition <= LARGEST_CONDITION:
        worst = int(np.argmin(np.diag(recognised)))
        raise ValueError(
            f"The model tells classes too badly apart to estimate their shares (condition number "
            f"{condition:.0f}, at most {LARGEST_CONDITION:.0f}): class {worst} is recognised in "
            f"{100 * recognised[worst, worst]:.0f}% of its images. Use a better model, or merge "
            "classes that it confuses."
        )
    shares = _normalised(np.linalg.solve(recognised, seen))
    return shares / held_out, shares, condition


def under_shares(recalls: ArrayLike, shares: ArrayLike) -> float:
    """Return the accuracy if classes came in these shares: sum of share x recall, 0 to 1.

    Raises ValueError for a class with a share but without a recall (NaN).
    """
    recall, weight = np.asarray(recalls, dtype=np.float64), _shares(shares)
    if recall.shape != weight.shape:
        raise ValueError(f"{recall.size} recalls and {weight.size} shares do not belong together.")
    unknown = np.flatnonzero(np.isnan(recall) & (weight > 0))
    if len(unknown):
        raise ValueError(
            f"Class {unknown[0]} has a share but no test image: its recall is unknown. Set its "
            "share to 0, or test images of it."
        )
    return float(np.nan_to_num(recall) @ weight)


def accuracy_under_shares(
    correct: ArrayLike,
    labels: ArrayLike,
    shares: ArrayLike,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return `under_shares` of test images (correct and labels: N) with its 95% interval.

    Images are resampled within their class by the Bayesian bootstrap, one more image half right,
    so that a class without a mistake is not taken for sure. Raises ValueError as `under_shares`.
    """
    right, true, weight = np.asarray(correct, dtype=bool), np.asarray(labels), _shares(shares)
    if right.shape != true.shape:
        raise ValueError("Test images need one outcome and one label each.")
    images = _counts(true, len(weight))
    hits = _counts(true[right], len(weight))
    with np.errstate(invalid="ignore"):
        value = under_shares(hits / images, weight)
    rng = np.random.default_rng(seed)
    recalls = rng.beta(hits + 0.5, images - hits + 0.5, (resamples, len(weight)))
    return _intervals(np.array([value]), (recalls @ weight)[:, None])[0]


def _normalised(solved: NDArray[np.floating]) -> Array:
    """Return non-negative shares that sum to 1 along the last axis."""
    clipped = np.clip(solved, 0, None)
    shares: Array = clipped / clipped.sum(axis=-1, keepdims=True)
    return shares


def _intervals(values: Array, samples: Array) -> tuple[Interval, ...]:
    """Return each value with its column's quantiles, widened to hold the value."""
    ends = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return tuple(
        Interval(float(value), float(min(value, low)), float(max(value, high)))
        for value, low, high in zip(values, *ends, strict=True)
    )


def _counts(labels: ArrayLike, classes: int) -> NDArray[np.intp]:
    return np.bincount(_within(labels, classes), minlength=classes)


def _within(labels: ArrayLike, classes: int) -> NDArray[np.intp]:
    given = np.asarray(labels)
    if given.size and (given.min() < 0 or given.max() >= classes):
        raise ValueError(f"Labels and predictions must be classes from 0 to {classes - 1}.")
    return given.astype(np.intp)


def _shares(given: ArrayLike) -> Array:
    shares = np.asarray(given, dtype=np.float64)
    # Written so that NaN fails too.
    if shares.ndim != 1 or not ((shares >= 0).all() and abs(shares.sum() - 1) < 1e-6):
        raise ValueError("Class shares must be one number a class, none below 0, and sum to 1.")
    return shares
