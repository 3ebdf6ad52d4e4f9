"""Whether confidence can be believed: temperature, reliability, errors with their intervals.

The temperature is fitted on validation images; everything else is measured on test images.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from tl_core import metrics
from tl_core.stats import LEVEL, Interval, wilson

Array = NDArray[np.float64]

# Where every image is right (or wrong) the likelihood prefers a temperature of 0 (or infinity).
TEMPERATURES = (0.1, 10.0)
# Stands for the logarithm of a probability that was rounded to 0.
LOWEST_LOG = -1e3
RESAMPLES = 1000
# Resamples drawn at a time, which bounds memory on large test parts.
PART = 200


def fit_temperature(log_probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the T that minimises the log-loss of softmax(log p / T); above 1 was over-confident.

    Guo et al. 2017; log p is N x C (logits will do), labels N. Between 0.1 and 10, which are
    returned where the best T lies beyond, as when every image is right. Raises ValueError for
    arrays that do not belong together.
    """
    logs, true = _checked(log_probabilities, labels)
    rows = np.arange(len(true))

    def loss(temperature: float) -> float:
        return float(-log_softmax(logs / temperature, axis=1)[rows, true].mean())

    # On a logarithmic scale: 0.5 is as far from 1 as 2 is.
    found = minimize_scalar(
        lambda log: loss(np.exp(log)),
        bounds=np.log(TEMPERATURES),
        method="bounded",
        options={"xatol": 1e-7},
    )
    # The search stays inside its bounds: an end is taken where it is as good.
    return min([*TEMPERATURES, float(np.exp(found.x))], key=loss)


def with_temperature(log_probabilities: ArrayLike, temperature: float) -> Array:
    """Return log softmax(log p / T), N x C: the same order of classes, another confidence."""
    logs = np.maximum(np.asarray(log_probabilities, dtype=np.float64), LOWEST_LOG)
    scaled: Array = log_softmax(logs / temperature, axis=1)
    return scaled


@dataclass(frozen=True)
class ReliabilityBin:
    """Images whose confidence lies in (low, high]: mean confidence, accuracy, Wilson's interval."""

    low: float
    high: float
    confidence: float
    accuracy: Interval
    images: int


def reliability(
    confidences: ArrayLike, correct: ArrayLike, bins: int = metrics.BINS
) -> list[ReliabilityBin]:
    """Return the bins of a reliability diagram that hold images (confidences, correct: N).

    DeGroot & Fienberg 1983. Raises ValueError for confidences that are no probabilities.
    """
    metrics.confidence_gaps(confidences, correct)
    given, right = np.asarray(confidences, np.float64), np.asarray(correct, np.float64)
    places, edges = metrics.confidence_bin(given, bins), np.linspace(0, 1, bins + 1)
    found = []
    for place in np.unique(places):
        inside = places == place
        images, share = int(inside.sum()), float(right[inside].mean())
        found.append(
            ReliabilityBin(
                low=float(edges[place]),
                high=float(edges[place + 1]),
                confidence=float(given[inside].mean()),
                accuracy=Interval(share, *wilson(share, images)),
                images=images,
            )
        )
    return found


@dataclass(frozen=True)
class CalibrationSummary:
    """How far confidence and accuracy lie apart, with 95% intervals over test images.

    `if_calibrated`: the expected calibration error that a perfectly calibrated model with these
    confidences would show on as many images, its mean and 95% of its values. `signed_gap`: mean
    confidence minus accuracy.
    """

    images: int
    expected_calibration_error: Interval
    if_calibrated: Interval
    signed_gap: Interval
    log_loss: Interval
    brier: Interval


def calibration_summary(
    probabilities: ArrayLike,
    labels: ArrayLike,
    seed: int = 0,
    bins: int = metrics.BINS,
    resamples: int = RESAMPLES,
) -> CalibrationSummary:
    """Return calibration of test images (probabilities N x C, labels N) with image bootstraps.

    The expected calibration error is biased upwards, most on few images, and its resamples once
    more: percentiles of resamples hardly ever cover the truth. Its interval is the basic bootstrap
    (Davison & Hinkley 1997: the resamples' excess is taken off) and begins at 0 where the value
    lies within `if_calibrated`. The others are percentiles. Raises ValueError for arrays that do
    not belong together or are no probabilities.
    """
    given, true = _checked(probabilities, labels)
    confidences, correct = given.max(axis=1), given.argmax(axis=1) == true
    images = np.column_stack(
        [
            metrics.confidence_gaps(confidences, correct),
            metrics.log_losses(given, true),
            metrics.brier_scores(given, true),
        ]
    )
    members = np.eye(bins)[metrics.confidence_bin(confidences, bins)]
    errors, null, means = _resampled(confidences, members, images, seed, resamples)
    if_calibrated = Interval(float(null.mean()), *_ends(null))
    value = metrics.expected_calibration_error(confidences, correct, bins)
    low, high = _ends(errors)
    basic = max(0.0, 2 * value - high) if value > if_calibrated.high else 0.0
    signed, losses, briers = (
        Interval(float(column.mean()), *_ends(samples))
        for column, samples in zip(images.T, means.T, strict=True)
    )
    return CalibrationSummary(
        images=len(true),
        expected_calibration_error=Interval(value, basic, max(value, 2 * value - low)),
        if_calibrated=if_calibrated,
        signed_gap=signed,
        log_loss=losses,
        brier=briers,
    )


def _resampled(
    confidences: Array, members: Array, images: Array, seed: int, resamples: int
) -> tuple[Array, Array, Array]:
    """Return each resample's calibration error, that of calibrated outcomes, and image means.

    `members`: N x bins, one-hot. `images`: N x values, the first of them the confidence gap.
    """
    rng, count = np.random.default_rng(seed), len(images)
    binned, calibrated, means = [], [], []
    for counts in _draws(rng, count, resamples):
        binned.append(counts @ (images[:, :1] * members))
        hits = rng.random(counts.shape) < confidences
        calibrated.append((confidences - hits) @ members)
        means.append(counts @ images / count)
    errors, null = (
        np.abs(np.concatenate(sums)).sum(axis=1) / count for sums in (binned, calibrated)
    )
    return errors, null, np.concatenate(means)


def _draws(rng: np.random.Generator, images: int, resamples: int) -> Iterator[Array]:
    """Yield how often each resample draws each image, a part of the resamples at a time."""
    for start in range(0, resamples, PART):
        rows = min(PART, resamples - start)
        drawn = rng.integers(0, images, (rows, images)) + images * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * images)
        yield counts.reshape(rows, images).astype(np.float64)


def _ends(samples: Array) -> tuple[float, float]:
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Array, NDArray[np.intp]]:
    given, true = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if given.ndim != 2 or true.shape != (len(given),) or not len(given):
        raise ValueError(
            f"Calibration needs images x classes and one label an image, not arrays of shape "
            f"{given.shape} and {true.shape}."
        )
    if np.isnan(given).any():
        raise ValueError("Some predictions are not numbers: this model's training has failed.")
    if true.min() < 0 or true.max() >= given.shape[1]:
        raise ValueError(f"Labels must be classes from 0 to {given.shape[1] - 1}.")
    return np.maximum(given, LOWEST_LOG), true.astype(np.intp)
