"""How promising a source model is for some labelled images, before anything is trained.

Scores of features N x D of target training images: NumPy in, floats out, higher is better.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import weightedtau

from tl_core.transferability.registry import ONE_BACKBONE, SCORES
from tl_core.transferability.score import REPEATS, Measured, Score

__all__ = ["ONE_BACKBONE", "SCORES", "Measured", "Score", "agreement_with", "shuffled"]

# Fewer models can be ordered so well by chance that a coefficient would mislead.
FEWEST_MODELS = 5


def shuffled(
    name: str,
    features: ArrayLike,
    labels: ArrayLike,
    source_probabilities: ArrayLike | None = None,
    seed: int = 0,
    repeats: int = REPEATS,
) -> float:
    """Return the mean of a score of `SCORES` over random permutations of the labels.

    Raises ValueError as the score does.
    """
    return SCORES[name].measure(features, labels, source_probabilities, seed, repeats).shuffled


def agreement_with(scores: Mapping[str, float], measured: Mapping[str, float]) -> float | None:
    """Return how well scores order models by what was measured: weighted Kendall tau, -1 to 1.

    Models by name, in both mappings and finite; None under five of them, or where all are equal.
    Mistakes among the best count more (Vigna 2015, hyperbolic weights).
    """
    both = [name for name in scores if name in measured]
    pairs = np.array([(scores[name], measured[name]) for name in both], dtype=np.float64)
    pairs = pairs.reshape(-1, 2)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) < FEWEST_MODELS:
        return None
    tau = float(weightedtau(pairs[:, 0], pairs[:, 1]).statistic)
    return None if np.isnan(tau) else tau
