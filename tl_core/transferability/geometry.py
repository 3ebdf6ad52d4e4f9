"""Scores of how classes lie in feature space: TransRate, GBC, PARC and the nearest neighbour."""

from typing import Literal

import numpy as np
from scipy.stats import rankdata

from tl_core.transferability.images import (
    Features,
    Images,
    Labels,
    OfLabels,
    class_means,
    principal_components,
)

DISTORTION = 1e-4
VARIANCE_FLOOR = 1e-4
PARC_COMPONENTS = 32
# PARC ranks all pairs of images: more images than this add seconds, not insight.
PARC_IMAGES = 3000


def transrate(images: Images) -> OfLabels:
    """TransRate: coding rate of all features minus that of each class, nats an image; at least 0.

    R(Z) - sum_c (n_c / N) R(Z_c), R(Z) = logdet(I + Z^T Z / (n eps)) / 2, centred Z, eps = 1e-4
    (Huang et al. 2022). Classes are weighted by size; the public code averages them.
    """
    centred = images.features - images.features.mean(axis=0)
    whole = _coding_rate(centred)

    def score(labels: Labels) -> float:
        members = [centred[labels == label] for label in range(images.classes)]
        within = sum(len(rows) * _coding_rate(rows) for rows in members) / len(centred)
        return float(whole - within)

    return score


def _coding_rate(rows: Features) -> float:
    count, width = rows.shape
    gram = rows @ rows.T if count < width else rows.T @ rows
    _, log_determinant = np.linalg.slogdet(np.eye(len(gram)) + gram / (count * DISTORTION))
    return float(log_determinant / 2)


def bhattacharyya_separation(
    images: Images,
    covariance: Literal["diagonal", "spherical"] = "diagonal",
    pca: int | None = None,
) -> OfLabels:
    """GBC: minus the overlap of classes drawn as Gaussians, between -C (C - 1) and 0.

    -sum_{i != j} exp(-D_B(i, j)), D_B = sum((m_i - m_j)^2 / v) / 8 + sum(log(v / sqrt(v_i v_j))) /
    2, v = (v_i + v_j) / 2, variances at least 1e-4 (Pandy et al. 2022). `pca`: leading components
    instead of the features as they are. `spherical` averages a class's variances; its second term
    is then counted once, as in the paper's code.
    """
    features = principal_components(images.features, pca)
    # Variances are taken from squares: without large means nothing is lost.
    features = features - features.mean(axis=0)

    def score(labels: Labels) -> float:
        means = class_means(features, labels, images.classes)
        squares = class_means(features**2, labels, images.classes)
        variances = squares - means**2
        if covariance == "spherical":
            variances = variances.mean(axis=1, keepdims=True)
        variances = np.maximum(variances, VARIANCE_FLOOR)
        overlaps = [
            _overlaps(means, variances, label).sum() - 1.0 for label in range(images.classes)
        ]
        return 0.0 - float(sum(overlaps))

    return score


def _overlaps(means: Features, variances: Features, label: int) -> Features:
    """Return the Bhattacharyya coefficient of one class with every class, itself included."""
    shared = (variances + variances[label]) / 2
    far = ((means - means[label]) ** 2 / shared).sum(axis=1) / 8
    logs = np.log(shared) - (np.log(variances) + np.log(variances[label])) / 2
    overlaps: Features = np.exp(-far - logs.sum(axis=1) / 2)
    return overlaps


def annotation_correlation(images: Images, pca: int | None = PARC_COMPONENTS) -> OfLabels:
    """PARC: do images of different classes look less alike? -100 to 100 (Bolya et al. 2021).

    100 x Spearman correlation, over pairs of images, between 1 - correlation of their z-scored
    features (first reduced to `pca` components; None: as they are) and of their one-hot labels.
    Beyond 3,000 images a fixed random part of them. Raises ValueError below two features.
    """
    if images.features.shape[1] < 2:
        raise ValueError("PARC correlates images over their features: it needs two or more.")
    rng, count = np.random.default_rng(0), len(images.features)
    chosen = np.sort(rng.permutation(count)[:PARC_IMAGES])
    reduced = principal_components(images.features[chosen], pca)
    spread = reduced.std(axis=0)
    scaled = (reduced - reduced.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.nan_to_num(np.corrcoef(scaled))
    first, second = np.tril_indices(len(chosen), -1)
    ranks = rankdata(1 - alike[first, second])
    ranks -= ranks.mean()

    def score(labels: Labels) -> float:
        # One-hot labels know two distances only. Telling them apart as integers avoids ties that
        # rounding would break.
        part = labels[chosen]
        differ = (part[first] != part[second]).astype(np.float64)
        differ -= differ.mean()
        scale = np.sqrt((ranks @ ranks) * (differ @ differ))
        return float(100 * (ranks @ differ) / scale) if scale > 0 else 0.0

    return score


def nearest_neighbour(images: Images) -> OfLabels:
    """Leave-one-out accuracy of the nearest other image, 0 to 1: the baseline for every score.

    Euclidean distance between features as they are, as in PARC's comparison (Bolya et al. 2021).
    Of equally near images the one that the search meets first counts.
    """
    # Imported where it is used: the registry is read by the web process, which needs no fit.
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(images.features)
    neighbours = search.kneighbors(return_distance=False)[:, 0]
    return lambda labels: float(np.mean(labels[neighbours] == labels))
