"""Scores of how well the source model's own classes tell the target labels: LEEP, NCE, N-LEEP."""

import warnings

import numpy as np
from numpy.typing import NDArray

from tl_core.transferability.images import Images, Labels, OfLabels

# N-LEEP's recipe: variance that the components keep, clusters a class, images a cluster at least.
KEPT_VARIANCE = 0.8
CLUSTERS = 5
IMAGES_PER_CLUSTER = 2
MIXTURE_SEED = 123


def log_expected_empirical_prediction(images: Images) -> OfLabels:
    """LEEP: mean log P(label | image) when labels are read off the source classes; nats, at most 0.

    mean_i log sum_z P(y_i | z) p(z | x_i), P(y | z) from soft counts (Nguyen et al. 2020). A source
    that says nothing gives minus the entropy of the labels. Raises ValueError without source
    probabilities.
    """
    source = _source(images)
    return lambda labels: _expected_prediction(source, labels, images.classes)


def _expected_prediction(probabilities: NDArray[np.float64], labels: Labels, classes: int) -> float:
    # A class that no image is given any of would be 0 / 0; it predicts nothing.
    used = probabilities[:, probabilities.sum(axis=0) > 0]
    joint = np.eye(classes)[labels].T @ used
    conditional = joint / joint.sum(axis=0)
    return float(np.log((conditional[labels] * used).sum(axis=1)).mean())


def negative_conditional_entropy(images: Images) -> OfLabels:
    """NCE: -H(Y | Z) in nats, Z the most likely source class (Tran et al. 2019); at most 0.

    Raises ValueError without source probabilities.
    """
    predicted = _source(images).argmax(axis=1)

    def score(labels: Labels) -> float:
        counts = np.zeros((images.classes, predicted.max() + 1))
        np.add.at(counts, (labels, predicted), 1)
        # The empirical log P(y | z) at each image's own label and source class.
        return float(np.log(counts[labels, predicted] / counts.sum(axis=0)[predicted]).mean())

    return score


def cluster_leep(images: Images) -> OfLabels:
    """N-LEEP: LEEP with clusters of the features in place of source classes; nats, at most 0.

    Principal components of 80% of the variance, then a Gaussian mixture with five clusters a class
    (Li et al. 2021), seeded. Raises ValueError with fewer than two images a cluster.
    """
    count, clusters = len(images.features), CLUSTERS * images.classes
    if count < IMAGES_PER_CLUSTER * clusters:
        raise ValueError(
            f"N-LEEP fits {clusters} clusters for {images.classes} classes: it needs at least "
            f"{IMAGES_PER_CLUSTER * clusters} images, there are {count}."
        )
    memberships = _memberships(images, clusters)
    return lambda labels: _expected_prediction(memberships, labels, images.classes)


def _memberships(images: Images, clusters: int) -> NDArray[np.float64]:
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    reduced = PCA(KEPT_VARIANCE, svd_solver="full").fit_transform(images.features)
    mixture = GaussianMixture(clusters, random_state=MIXTURE_SEED)
    with warnings.catch_warnings():
        # Memberships serve whether or not the last digits of the fit have settled.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found: NDArray[np.float64] = mixture.fit(reduced).predict_proba(reduced)
    return found


def _source(images: Images) -> NDArray[np.float64]:
    if images.source is None:
        raise ValueError(
            "This score reads the source model's probabilities for each image: give them, or use a "
            "score of features such as LogME."
        )
    return images.source
