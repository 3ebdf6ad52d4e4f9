"""Distances between two sets of features N x D and M x D of one backbone."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh, eigvalsh

from tl_core.metrics import balanced_accuracy

Features = NDArray[np.float64]

FOLDS = 5
PERMUTATIONS = 200


def frechet_distance(x: ArrayLike, y: ArrayLike, full: bool | None = None) -> float:
    """Return |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of two Gaussians, in squared units.

    Dowson & Landau 1982, covariances with N - 1. By default only variances count where a side has
    fewer than 2 D images, as its covariance would be noise; `full` forces one form. Not the FID,
    which reads another network. Raises ValueError for arrays that are not N x D and M x D.
    """
    first, second = checked(x, y)
    if full is None:
        full = min(len(first), len(second)) >= 2 * first.shape[1]
    apart = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    if not full:
        spreads = first.std(axis=0, ddof=1) - second.std(axis=0, ddof=1)
        return float(apart + (spreads**2).sum())
    covariances = [np.atleast_2d(np.cov(part, rowvar=False)) for part in (first, second)]
    variances, directions = eigh(covariances[0])
    root = (directions * np.sqrt(np.maximum(variances, 0))) @ directions.T
    shared = np.sqrt(np.maximum(eigvalsh(root @ covariances[1] @ root), 0)).sum()
    return max(0.0, float(apart + sum(np.trace(part) for part in covariances) - 2 * shared))


def maximum_mean_discrepancy(x: ArrayLike, y: ArrayLike) -> float:
    """Return the unbiased squared MMD (U-statistic), Gaussian kernel; 0 on average for equals.

    Gretton et al. 2012, gamma = 1 / median squared distance of all pooled pairs. May be negative.
    Needs memory for (N + M)^2 numbers. Raises ValueError as `frechet_distance` does.
    """
    first, second = checked(x, y)
    kernel = _kernel(np.concatenate([first, second]))
    chosen = np.arange(len(kernel)) < len(first)
    return float(_discrepancies(kernel, chosen[None])[0])


def mmd_permutations(
    x: ArrayLike, y: ArrayLike, permutations: int = PERMUTATIONS, seed: int = 0
) -> Features:
    """Return the squared MMD of random divisions of both sides' images, at the sides' own sizes.

    One kernel serves all. Raises ValueError as `frechet_distance` does.
    """
    first, second = checked(x, y)
    kernel = _kernel(np.concatenate([first, second]))
    chosen = np.arange(len(kernel)) < len(first)
    rng = np.random.default_rng(seed)
    return _discrepancies(kernel, rng.permuted(np.tile(chosen, (permutations, 1)), axis=1))


def mmd_permutation_p(
    x: ArrayLike, y: ArrayLike, permutations: int = PERMUTATIONS, seed: int = 0
) -> float:
    """Return the p-value of "both sides are drawn alike" by permuting sides under one kernel.

    Never below 1 / (permutations + 1). Raises ValueError as `frechet_distance` does.
    """
    return p_value(maximum_mean_discrepancy(x, y), mmd_permutations(x, y, permutations, seed))


def p_value(value: float, null: Features) -> float:
    """Return how often chance goes at least as far, the value itself counted as one draw."""
    return float((1 + (null >= value).sum()) / (1 + len(null)))


def _kernel(pooled: Features) -> Features:
    """Return the Gaussian kernel of all pairs with an empty diagonal."""
    centred = pooled - pooled.mean(axis=0)
    norms = (centred**2).sum(axis=1)
    squares = np.maximum(norms[:, None] + norms - 2 * centred @ centred.T, 0)
    median = float(np.median(squares[np.triu_indices(len(pooled), 1)]))
    if median <= norms.mean() * np.finfo(np.float64).eps:
        raise ValueError(
            "More than half of all pairs of images have the same features: leave repeated images "
            "out before comparing."
        )
    kernel: Features = np.exp(-squares / median)
    np.fill_diagonal(kernel, 0.0)
    return kernel


def _discrepancies(kernel: Features, chosen: NDArray[np.bool_]) -> Features:
    """Return the U-statistic of each division (P x N + M, True: first side) of one kernel."""
    first = chosen.astype(np.float64)
    second = 1 - first
    n, m = first.sum(axis=1), second.sum(axis=1)
    to_first = first @ kernel
    to_second = kernel.sum(axis=0) - to_first
    within = (to_first * first).sum(axis=1) / (n * (n - 1))
    within += (to_second * second).sum(axis=1) / (m * (m - 1))
    found: Features = within - 2 * (to_first * second).sum(axis=1) / (n * m)
    return found


def proxy_a_distance(
    x: ArrayLike,
    y: ArrayLike,
    folds: tuple[ArrayLike, ArrayLike] | None = None,
    seed: int = 0,
) -> float:
    """Return 2 (1 - 2 error) of a classifier that tells the sides apart: 0 never, 2 always.

    Ben-David et al. 2006. Balanced error of an L2 logistic regression (C = 1, classes balanced) on
    features z-scored by its training folds, five stratified folds; below chance counts as 0.
    `folds` gives each image's fold instead. Raises ValueError as `frechet_distance` does and for
    fewer than five images a side.
    """
    # Imported where it is used: the registry is read by the web process, which needs no fit.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import PredefinedSplit, StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    first, second = checked(x, y, FOLDS)
    pooled = np.concatenate([first, second])
    side = np.repeat([0, 1], [len(first), len(second)])
    splits = (
        StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        if folds is None
        else PredefinedSplit(np.concatenate([np.asarray(part) for part in folds]))
    )
    classifier = LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000)
    # Steps this small wait for threads longer than they compute: one is up to 50 times faster.
    with threadpool_limits(1):
        predicted = cross_val_predict(
            make_pipeline(StandardScaler(), classifier), pooled, side, cv=splits
        )
    error = 1 - balanced_accuracy(predicted, side, 2)
    return float(np.clip(2 * (1 - 2 * error), 0, 2))


def checked(x: ArrayLike, y: ArrayLike, fewest: int = 2) -> tuple[Features, Features]:
    """Return both sides in float64; raises ValueError for what does not compare."""
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            f"Features of shapes {first.shape} and {second.shape} do not compare: both must be "
            "images x dimensions of the same backbone."
        )
    if min(len(first), len(second)) < fewest:
        raise ValueError(
            f"Comparing needs at least {fewest} images a side, there are {len(first)} and "
            f"{len(second)}."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError(
            "Some features are not finite: leave those images out, or compute the features again "
            "in float32."
        )
    return first, second
