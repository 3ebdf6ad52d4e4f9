"""Which unlabelled images a model would learn most from: unsure of them, and unlike each other."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

COUNT: Final = 20
# So many times as many of the least certain images are chosen from for variety.
_POOL: Final = 5


def worth_labelling(
    probabilities: NDArray[np.floating], features: NDArray[np.floating], count: int = COUNT
) -> list[int]:
    """Return at most `count` images, the least certain first and then by variety.

    `probabilities` N x C, `features` N x D. Of the images with the smallest margin between the two
    likeliest classes (Scheffer et al. 2001), those farthest from what was chosen already
    (k-centre greedy, Sener & Savarese 2018): near copies of one hard picture teach only once.
    """
    if len(probabilities) == 0:
        return []
    ordered = np.sort(probabilities, axis=1)
    second = ordered[:, -2] if ordered.shape[1] > 1 else np.zeros(len(ordered))
    pool = np.argsort(ordered[:, -1] - second, kind="stable")[: _POOL * count]
    values = features[pool].astype(np.float64)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    chosen = [0]
    nearest = np.linalg.norm(values - values[0], axis=1)
    while len(chosen) < min(count, len(pool)):
        nearest[chosen] = -1.0
        place = int(nearest.argmax())
        chosen.append(place)
        nearest = np.minimum(nearest, np.linalg.norm(values - values[place], axis=1))
    return [int(pool[place]) for place in chosen]
