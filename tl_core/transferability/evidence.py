"""Scores of how well a linear layer on the features would do: LogME and H-score."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize_scalar

from tl_core.transferability.images import Features, Images, Labels, OfLabels, class_means

# Ratios alpha / beta tried first, relative to the largest eigenvalue.
RATIOS = np.logspace(-12, 9, 169)


def log_maximum_evidence(images: Images) -> OfLabels:
    """LogME: the mean log evidence per image of a Bayesian linear model, nats; unbounded.

    For each one-hot class y, the maximum over alpha, beta of log p(y | F) / N with
    y = F w + noise, w ~ N(0, 1 / alpha), noise ~ N(0, 1 / beta) (You et al. 2021). Written as a
    Gaussian process with kernel F F^T: for a given t = alpha / beta the best beta is known, so one
    dimension is left, which is searched instead of iterating. The determinant is complete at
    N <= D, where the fixed point of the public code leaves a term out. Not invariant to shifts.
    """
    directions, eigenvalues = _spectrum(images.features)

    def evidence(labels: Labels) -> float:
        targets = np.eye(images.classes)[labels]
        parts = (directions.T @ targets) ** 2
        # What no combination of features reaches: nothing where directions span all images, else
        # at least rounding, so that labels which features fit exactly get a finite score.
        outside = np.zeros(images.classes)
        if len(eigenvalues) < len(targets):
            floor = len(targets) * np.finfo(np.float64).eps
            outside = np.maximum(targets.sum(axis=0) - parts.sum(axis=0), floor)
        return float(_best_evidence(eigenvalues, parts, outside, len(targets)).mean())

    return evidence


def _spectrum(features: Features) -> tuple[Features, NDArray[np.float64]]:
    """Return orthonormal directions (N x r) among images and their squared singular values.

    From the smaller Gram matrix, three times faster than an SVD of N = D = 2,000. What squaring
    loses lies below the rounding of float32 features.
    """
    basis = None
    if len(features) > features.shape[1]:
        basis, features = np.linalg.qr(features)
    eigenvalues, directions = eigh(features @ features.T, driver="evd", check_finite=False)
    noise = eigenvalues.max() * len(eigenvalues) * np.finfo(np.float64).eps
    eigenvalues = np.where(eigenvalues > noise, eigenvalues, 0.0)
    return (directions if basis is None else basis @ directions), eigenvalues


def _best_evidence(
    eigenvalues: NDArray[np.float64],
    parts: NDArray[np.float64],
    outside: NDArray[np.float64],
    count: int,
) -> NDArray[np.float64]:
    """Return the largest log evidence per image over all ratios, for each class (parts: r x C)."""
    ratios = eigenvalues.max() * RATIOS
    table = _log_evidence(ratios, eigenvalues, parts, outside, count)
    best: NDArray[np.float64] = table.max(axis=0)
    for label, place in enumerate(table.argmax(axis=0)):
        part, rest = parts[:, [label]], outside[[label]]
        around = np.log(ratios[[max(place - 1, 0), min(place + 1, len(ratios) - 1)]])
        refined = minimize_scalar(
            lambda log_ratio, part=part, rest=rest: (
                -_log_evidence(np.exp([log_ratio]), eigenvalues, part, rest, count)[0, 0]
            ),
            bounds=around,
            method="bounded",
        )
        best[label] = max(best[label], -refined.fun)
    return best


def _log_evidence(
    ratios: NDArray[np.float64],
    eigenvalues: NDArray[np.float64],
    parts: NDArray[np.float64],
    outside: NDArray[np.float64],
    count: int,
) -> NDArray[np.float64]:
    """Return the log evidence per image at each ratio t with its best beta = N / Q, G x C.

    (N log(N / Q) - sum log(1 + s / t) - N - N log 2 pi) / 2N, Q = outside + sum(parts t / (t + s)),
    s the eigenvalues.
    """
    left = outside + (ratios[:, None] / (ratios[:, None] + eigenvalues)) @ parts
    complexity = np.log1p(eigenvalues / ratios[:, None]).sum(axis=1, keepdims=True) / count
    evidence: NDArray[np.float64] = (np.log(count / left) - complexity - 1 - np.log(2 * np.pi)) / 2
    return evidence


def h_score(images: Images, shrinkage: bool = True) -> OfLabels:
    """H-score: tr(cov(f)^-1 cov(E[f | y])), the separation of class means; 0 to min(D, C - 1).

    Bao et al. 2019; by default with the Ledoit-Wolf covariance and its factor 1 - rho (Ibrahim et
    al. 2021). The plain form equals C - 1 for any labels once N - 1 <= D: raises ValueError there.
    """
    # Imported where it is used: the registry is read by the web process, which needs no fit.
    from sklearn.covariance import ledoit_wolf

    count, width = images.features.shape
    centred = images.features - images.features.mean(axis=0)
    if shrinkage:
        covariance, rho = ledoit_wolf(centred, assume_centered=True)
    elif count - 1 <= width:
        raise ValueError(
            f"The plain H-score is C - 1 for any labels of {count} images with {width} features: "
            "use the shrinkage form, or more images than features."
        )
    else:
        covariance, rho = np.cov(centred, rowvar=False), 0.0
    whitening = _whitening(np.atleast_2d(covariance))

    def score(labels: Labels) -> float:
        means = class_means(centred, labels, images.classes)
        sizes = np.bincount(labels, minlength=images.classes)
        separation = ((means @ whitening) ** 2).sum(axis=1)
        return float((1 - rho) * (sizes @ separation) / (count - 1))

    return score


def _whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return W with W W^T the pseudo-inverse: features that never vary are left out."""
    variances, directions = eigh(covariance, driver="evd", check_finite=False)
    kept = variances > variances.max() * len(variances) * np.finfo(np.float64).eps
    whitening: NDArray[np.float64] = directions[:, kept] / np.sqrt(variances[kept])
    return whitening
