"""Distances by name, and source against target with what chance alone gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tl_core.domain.distances import (
    PERMUTATIONS,
    Features,
    checked,
    frechet_distance,
    maximum_mean_discrepancy,
    mmd_permutations,
    p_value,
    proxy_a_distance,
)

# What a comparison reads: images a side at most and at least, splits of the source for the null.
SIDE_IMAGES = 500
FEWEST_IMAGES = 10
NULL_REPEATS = 30
NULL_LEVEL = 0.95
# MMD² from which on images count as unlike the source's. A rule of thumb, between what was measured
# of sets known to be close (drawn road signs 0.08, hymenoptera against ImageNet 0.09) and of others
# (drawn leaves 0.15, digits 0.18, metal 0.19, screws 0.23, CIFAR-10 enlarged 0.45). A classifier
# tells all of these from their source, so the proxy A-distance is near 2 for each.
FAR_MMD = 0.12
# A classifier with more dimensions than images separates its training images whatever they are.
PAD_COMPONENTS = 64


@dataclass(frozen=True)
class Distance:
    """A distance between two sets of features: its function, its meaning, where it misleads.

    `components`: comparisons first reduce both sides together to so many principal components.
    `permutations`: the distance for random divisions of all images, where many cost little.
    """

    name: str
    title: str
    meaning: str
    function: Callable[[Features, Features], float]
    caveat: str
    components: int | None = None
    permutations: Callable[[Features, Features, int, int], Features] | None = None


DISTANCES: dict[str, Distance] = {
    distance.name: distance
    for distance in (
        Distance(
            "pad",
            "Proxy A-distance",
            "How surely a classifier tells from which of the two sets an image comes: 0 to 2.",
            proxy_a_distance,
            "A camera's border or file format is enough for 2: far apart need not mean that the "
            "task differs.",
            PAD_COMPONENTS,
        ),
        Distance(
            "mmd",
            "MMD²",
            "How differently the two sets fill feature space, by a Gaussian kernel; 0 for equals.",
            maximum_mean_discrepancy,
            "Its size depends on the kernel's width, which the images set: read it against its "
            "null, not against other data.",
            permutations=mmd_permutations,
        ),
        Distance(
            "frechet",
            "Fréchet distance",
            "How far means and spreads lie apart when each set is drawn as one Gaussian.",
            frechet_distance,
            "It is in the features' own units, grows with their number and is above 0 on few "
            "images of the same kind.",
        ),
    )
}


def split_half_null(
    distance: Callable[[Features, Features], float],
    x: ArrayLike,
    repeats: int = NULL_REPEATS,
    seed: int = 0,
    sizes: tuple[int, int] | None = None,
) -> Features:
    """Return, ascending, the distance between random disjoint parts of one set, `repeats` times.

    `sizes`: images in each part, halves by default. Give the sizes of the comparison: with fewer
    images chance goes further. Raises ValueError if the set is too small.
    """
    values = np.asarray(x, dtype=np.float64)
    n, m = sizes or (len(values) // 2, len(values) // 2)
    if n + m > len(values):
        raise ValueError(f"Parts of {n} and {m} images do not fit into a set of {len(values)}.")
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(repeats):
        order = rng.permutation(len(values))
        found.append(distance(values[order[:n]], values[order[n : n + m]]))
    return np.sort(found)


@dataclass(frozen=True)
class DomainDistance:
    """A distance between source and target with what chance gives between parts of the source.

    `null_low` and `null_high` hold 95% of the null. `p`: how often chance goes as far. Both
    sides' images are those that were compared.
    """

    name: str
    title: str
    value: float
    null_low: float
    null_high: float
    p: float
    source_images: int
    target_images: int


def compare_domains(source: ArrayLike, target: ArrayLike, seed: int = 0) -> list[DomainDistance]:
    """Return every distance of `DISTANCES` between source (N x D) and target (M x D) images.

    On a random part of at most 500 images a side. Null parts have the same sizes and come from the
    source alone, which must hold both: a small source is held against few target images. p: 200
    permutations of both sides for MMD; for the others 30 splits of the source, so never below
    0.032. Raises ValueError for other than finite features of one width, under 20 source or under
    10 target images.
    """
    first, second = checked(source, target, FEWEST_IMAGES)
    if len(first) < 2 * FEWEST_IMAGES:
        raise ValueError(
            f"Comparing needs {2 * FEWEST_IMAGES} source images, there are {len(first)}: "
            "parts of them show how far chance alone goes."
        )
    rng = np.random.default_rng(seed)
    m = min(SIDE_IMAGES, len(second), len(first) // 2)
    n = min(SIDE_IMAGES, len(first) - m)
    pool = first[rng.permutation(len(first))[: n + m]]
    chosen = second[rng.permutation(len(second))[:m]]
    return [_compared(distance, pool, chosen, seed) for distance in DISTANCES.values()]


def _compared(distance: Distance, pool: Features, target: Features, seed: int) -> DomainDistance:
    n, m = len(pool) - len(target), len(target)
    both = _reduced(np.concatenate([pool[:n], target]), distance.components)
    alike = _reduced(pool, distance.components)
    value = distance.function(both[:n], both[n:])
    if distance.permutations is None:
        null = against = split_half_null(distance.function, alike, seed=seed, sizes=(n, m))
    else:
        null = distance.permutations(alike[:n], alike[n:], PERMUTATIONS, seed)
        against = distance.permutations(both[:n], both[n:], PERMUTATIONS, seed)
    low, high = np.quantile(null, [(1 - NULL_LEVEL) / 2, (1 + NULL_LEVEL) / 2])
    return DomainDistance(
        name=distance.name,
        title=distance.title,
        value=value,
        null_low=float(low),
        null_high=float(high),
        p=p_value(value, against),
        source_images=n,
        target_images=m,
    )


def _reduced(pooled: Features, components: int | None) -> Features:
    if components is None or components >= min(pooled.shape):
        return pooled
    from sklearn.decomposition import PCA

    reduced: Features = PCA(components, random_state=0).fit_transform(pooled)
    return reduced
