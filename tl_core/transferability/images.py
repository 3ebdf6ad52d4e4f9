"""What every score reads: features and labels that were checked once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Features = NDArray[np.float64]
Labels = NDArray[np.intp]
# A score with all work done that depends on features alone: it still needs the labels.
OfLabels = Callable[[Labels], float]

# Half-precision softmax over a thousand classes is off by less.
SUM_TOLERANCE = 0.01
REDUCTION_SEED = 0


@dataclass(frozen=True)
class Images:
    """Features N x D of target training images and how many classes they have.

    `source`: probabilities N x K of the source model's classes, None if there are none.
    """

    features: Features
    classes: int
    source: NDArray[np.float64] | None = None


def checked(
    features: ArrayLike, labels: ArrayLike, source_probabilities: ArrayLike | None = None
) -> tuple[Images, Labels]:
    """Return images in float64 with their labels (N, any values) as classes 0 to C - 1.

    Raises ValueError for features that are not N x D, not finite or the same for every image, for
    labels of another length or of one class, and for rows that are no probabilities.
    """
    values = _features(features)
    given = np.asarray(labels)
    if given.shape != (len(values),):
        raise ValueError(
            f"There are {len(values)} feature vectors and labels of shape {given.shape}: give one "
            "label for each image."
        )
    names, codes = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise ValueError("All images have the same label: a score needs two classes or more.")
    source = None
    if source_probabilities is not None:
        source = _probabilities(source_probabilities, len(values))
    return Images(values, len(names), source), codes.astype(np.intp)


def _features(features: ArrayLike) -> Features:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(
            f"Features must be images x dimensions, not of shape {values.shape}: pool them to one "
            "vector an image."
        )
    broken = int((~np.isfinite(values)).any(axis=1).sum())
    if broken:
        raise ValueError(
            f"The features of {broken} of {len(values)} images are not finite: leave those images "
            "out, or compute the features again in float32."
        )
    if len(values) < 2 or not (values != values[0]).any():
        raise ValueError("All images have the same features: no score can tell them apart.")
    return values


def _probabilities(given: ArrayLike, images: int) -> NDArray[np.float64]:
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 2 or len(values) != images:
        raise ValueError(
            f"Source probabilities must be {images} images x source classes, not of shape "
            f"{values.shape}."
        )
    sums = values.sum(axis=1, keepdims=True)
    # Written so that NaN fails too.
    if not ((values >= 0).all() and (np.abs(sums - 1) <= SUM_TOLERANCE).all()):
        raise ValueError(
            "Each row of source probabilities must sum to 1 without negative entries: apply the "
            "softmax to the source model's logits."
        )
    normalised: NDArray[np.float64] = values / sums
    return normalised


def principal_components(features: Features, components: int | None) -> Features:
    """Return centred features on their leading components; None, or as many: as they are."""
    if components is None or components >= min(features.shape):
        return features
    # Imported where it is used: the registry is read by the web process, which needs no fit.
    from sklearn.decomposition import PCA

    reduced: Features = PCA(components, random_state=REDUCTION_SEED).fit_transform(features)
    return reduced


def class_means(features: Features, labels: Labels, classes: int) -> Features:
    """Return the mean feature of each class, C x D."""
    members = np.eye(classes)[labels]
    means: Features = members.T @ features / members.sum(axis=0)[:, None]
    return means
