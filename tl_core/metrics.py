"""Scores of predictions against labels: NumPy in, floats out."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


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


def standard_error(share: float, images: int) -> float:
    """Return the binomial standard error of a share measured on `images`."""
    return float(np.sqrt(share * (1 - share) / max(images, 1)))
