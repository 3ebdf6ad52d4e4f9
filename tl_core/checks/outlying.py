"""Images that lie where no others do, by a model's features."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Density is compared with that around so many neighbours; fewer images say nothing about density.
_NEIGHBOURS: Final = 20
_LEAST_IMAGES: Final = 30
# A class with fewer images is held to the spread of all.
_OWN_SPREAD_FROM: Final = 20
# Robust standard deviations from the usual; an unaltered set has a handful beyond.
LIMIT: Final = 6.0
_MAD_TO_STD: Final = 1.4826

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outlier:
    """An image unlike the others; `score` in robust standard deviations from the usual."""

    image: int
    score: float


def outliers(features: NDArray[np.float32], labels: ArrayLike) -> list[Outlier]:
    """Return the images unlike all others of their class and of the data set, least alike first.

    `features` N x D, `labels` N. The logarithm of the local outlier factor (Breunig et al. 2000) by
    cosine distance to 20 neighbours, in robust standard deviations of all images and of the class,
    whichever says less. Exact copies count as one image; under 30 images nothing is said.
    """
    from sklearn.neighbors import LocalOutlierFactor

    different, place = np.unique(features, axis=0, return_inverse=True)
    if len(different) < _LEAST_IMAGES:
        return []
    model = LocalOutlierFactor(n_neighbors=_NEIGHBOURS, metric="cosine").fit(different)
    factors = np.log(-model.negative_outlier_factor_)[place.reshape(-1)]
    scores = _deviations(factors)
    given = np.asarray(labels)
    for label in np.unique(given):
        members = given == label
        if members.sum() >= _OWN_SPREAD_FROM:
            scores[members] = np.minimum(scores[members], _deviations(factors[members]))
    order = np.argsort(-scores, kind="stable")
    return [Outlier(int(i), float(scores[i])) for i in order if scores[i] > LIMIT]


def _deviations(values: Floats) -> Floats:
    """Return how many robust standard deviations values lie above their median."""
    away = values - np.median(values)
    spread = _MAD_TO_STD * np.median(np.abs(away))
    found: Floats = away / max(spread, 1e-9)
    return found
