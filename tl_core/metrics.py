"""Scores of predictions against labels: NumPy in, floats out."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Bins of confidence, as in Guo et al. 2017.
BINS = 15


def accuracy(predictions: ArrayLike, labels: ArrayLike) -> float:
    """Return the share of predictions (N) that equal their label (N)."""
    return float(np.mean(np.asarray(predictions) == np.asarray(labels)))


def class_recall(predictions: ArrayLike, labels: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Return the recall of each class; NaN where a class has no image among the labels (N)."""
    predicted, true = np.asarray(predictions), np.asarray(labels)
    counts = np.bincount(true, minlength=classes)
    hits = np.bincount(true[predicted == true], minlength=classes)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall: NDArray[np.float64] = hits / counts
    return recall


def balanced_accuracy(predictions: ArrayLike, labels: ArrayLike, classes: int) -> float:
    """Return the mean recall over the classes that occur among the labels (N)."""
    return float(np.nanmean(class_recall(predictions, labels, classes)))


def majority_accuracy(train_labels: ArrayLike, test_labels: ArrayLike) -> float:
    """Return the accuracy on the test labels of always guessing training's most frequent class.

    Ties among training classes go to the class that is rarest in the test part, so that the
    baseline is never flattered by a coin toss.
    """
    train = np.bincount(np.asarray(train_labels))
    test = np.bincount(np.asarray(test_labels), minlength=len(train))
    winners = np.flatnonzero(train == train.max())
    return float(test[winners].min() / test.sum())


def log_of(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return logarithms (nats) of probabilities; below 1e-12 they count as that much."""
    logs: NDArray[np.float64] = np.log(np.clip(np.asarray(probabilities, np.float64), 1e-12, None))
    return logs


def log_losses(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Return each image's negative log-likelihood (nats): labels N, probabilities N x C."""
    true = np.asarray(labels)
    losses: NDArray[np.float64] = -log_of(np.asarray(probabilities)[np.arange(len(true)), true])
    return losses


def log_loss(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean negative log-likelihood (nats) of labels (N) under probabilities (N x C)."""
    return float(log_losses(probabilities, labels).mean())


def brier_scores(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Return each image's squared distance to its one-hot label: labels N, probabilities N x C."""
    misses = np.array(probabilities, dtype=np.float64)
    misses[np.arange(len(misses)), np.asarray(labels)] -= 1
    scores: NDArray[np.float64] = (misses**2).sum(axis=1)
    return scores


def brier_score(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean squared error, summed over classes, of images: 0 to 2 (Brier 1950)."""
    return float(brier_scores(probabilities, labels).mean())


def signed_calibration_gap(confidences: ArrayLike, correct: ArrayLike) -> float:
    """Return mean confidence (N) minus accuracy (correct: N): above 0 is over-confident.

    Raises ValueError for confidences that are not N numbers from 0 to 1, here and below.
    """
    return float(confidence_gaps(confidences, correct).mean())


def expected_calibration_error(
    confidences: ArrayLike, correct: ArrayLike, bins: int = BINS
) -> float:
    """Return |mean confidence - accuracy| over bins of equal width (low, high], by images.

    Naeini et al. 2015, 0 to 1; of the most likely class. On few images it is above 0 for perfectly
    calibrated models too. In float64 throughout: in float32 edges such as 9/15 move up a bin.
    """
    gaps = confidence_gaps(confidences, correct)
    sums = np.bincount(confidence_bin(confidences, bins), weights=gaps, minlength=bins)
    return float(np.abs(sums).sum() / len(gaps))


def maximum_calibration_error(
    confidences: ArrayLike, correct: ArrayLike, bins: int = BINS
) -> float:
    """Return the largest |mean confidence - accuracy| of a bin, 0 to 1 (Naeini et al. 2015)."""
    gaps, places = confidence_gaps(confidences, correct), confidence_bin(confidences, bins)
    images = np.bincount(places, minlength=bins)
    sums = np.bincount(places, weights=gaps, minlength=bins)
    return float((np.abs(sums[images > 0]) / images[images > 0]).max())


def adaptive_calibration_error(
    confidences: ArrayLike, correct: ArrayLike, bins: int = BINS
) -> float:
    """Return |mean confidence - accuracy| over bins of equally many images, 0 to 1.

    Nguyen & O'Connor 2015. Where most confidences lie near 1 it still tells them apart.
    """
    gaps = confidence_gaps(confidences, correct)
    order = np.argsort(np.asarray(confidences, dtype=np.float64), kind="stable")
    return float(sum(abs(part.sum()) for part in np.array_split(gaps[order], bins)) / len(gaps))


def confidence_gaps(confidences: ArrayLike, correct: ArrayLike) -> NDArray[np.float64]:
    """Return each image's confidence minus 1 if it was right, else minus 0."""
    given, right = np.asarray(confidences, np.float64), np.asarray(correct, np.float64)
    if given.ndim != 1 or given.shape != right.shape or not len(given):
        raise ValueError(
            f"Calibration needs one confidence and one outcome for each image, not arrays of shape "
            f"{given.shape} and {right.shape}."
        )
    # Written so that NaN fails too; sums of a softmax may pass 1 by rounding.
    if not ((given >= 0) & (given <= 1 + 1e-6)).all():
        raise ValueError("Confidences must be probabilities from 0 to 1: apply the softmax first.")
    gaps: NDArray[np.float64] = given - right
    return gaps


def confidence_bin(confidences: ArrayLike, bins: int = BINS) -> NDArray[np.intp]:
    """Return each image's bin of equal width, 0 to bins - 1; an edge belongs to the bin below."""
    edges = np.linspace(0, 1, bins + 1)
    places = np.searchsorted(edges, np.asarray(confidences, dtype=np.float64), side="left") - 1
    inside: NDArray[np.intp] = np.clip(places, 0, bins - 1)
    return inside


def standard_error(share: float, images: int) -> float:
    """Return the binomial standard error of a share measured on `images`."""
    return float(np.sqrt(share * (1 - share) / max(images, 1)))
