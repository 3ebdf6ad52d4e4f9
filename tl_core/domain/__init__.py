"""How far two sets of images lie apart in feature space, and how far chance alone takes them.

Features N x D and M x D of one backbone: NumPy in, floats out. A distance is read against its null:
the same distance between random parts of one set, which is above 0 for most.
"""

from tl_core.domain.comparison import (
    DISTANCES,
    FAR_MMD,
    Distance,
    DomainDistance,
    compare_domains,
    split_half_null,
)
from tl_core.domain.distances import (
    frechet_distance,
    maximum_mean_discrepancy,
    mmd_permutation_p,
    proxy_a_distance,
)

__all__ = [
    "DISTANCES",
    "FAR_MMD",
    "Distance",
    "DomainDistance",
    "compare_domains",
    "frechet_distance",
    "maximum_mean_discrepancy",
    "mmd_permutation_p",
    "proxy_a_distance",
    "split_half_null",
]
