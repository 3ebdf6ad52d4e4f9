"""Which images show the same picture: copies that were re-encoded, resized, cropped or mirrored.

Candidates are nearest neighbours by perceptual hash and by a model's features; each is then laid on
the other and its detail compared, which tells copies from pictures that are merely alike.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet

from tl_core.image_facts import BLANK_STD, Facts
from tl_core.registration import Registration

Kind = Literal["exact", "near", "mirrored"]

# Neighbours of each image that are looked at, by each measure.
_NEIGHBOURS: Final = 3
# Beyond these no copy was met: bits of 64 by which hashes differ, cosine of centred features.
_MOST_BITS: Final = 22
_LEAST_COSINE: Final = 0.2

# Copies agree at least so much; more is asked where only hashes proposed the pair.
LEAST_AGREEMENT: Final = 0.87
LEAST_WITHOUT_FEATURES: Final = 0.9
# Where all pictures are alike, such as digits, copies must stand out from look-alikes: from the
# 90th percentile of how much images agree with their tenth neighbour, by so much (Fisher's z).
_LOOK_ALIKE: Final = 10
_USUAL_SHARE: Final = 0.9
_STANDS_OUT: Final = 0.85
_SAMPLED: Final = 256

_ROWS: Final = 1024
_SEED: Final = 0


@dataclass(frozen=True)
class Pair:
    """Two images that show the same picture; `first` < `second`.

    `distance`: bits of 64 by which their hashes differ, in the better orientation. `similarity`:
    cosine of their features, None without features. `agreement`: correlation of their detail once
    aligned.
    """

    first: int
    second: int
    kind: Kind
    distance: int
    similarity: float | None
    agreement: float


def find_pairs(facts: Facts, features: NDArray[np.float32] | None = None) -> list[Pair]:
    """Return the pairs of copies, by index; `features` (N x D) are of any pretrained model.

    Each image is compared with its nearest neighbours only: of many copies of one picture not
    every pair is listed, but `groups` joins them.
    """
    different = np.flatnonzero(
        (facts.first == np.arange(len(facts))) & (facts.contrast >= BLANK_STD)
    )
    unit = None if features is None else _unit(features)
    copies = [
        Pair(int(first), index, "exact", 0, None if unit is None else 1.0, 1.0)
        for index, first in enumerate(facts.first)
        if first != index
    ]
    if len(different) < 2:
        return copies
    found = _near_pairs(_Search(facts, unit, different), unit is None)
    return sorted([*copies, *found], key=lambda pair: (pair.first, pair.second))


def groups(pairs: Iterable[Pair], n: int) -> list[tuple[int, ...]]:
    """Return the images (of `n`) that pairs join, ascending, in groups of two or more."""
    joined = DisjointSet(range(n))
    for pair in pairs:
        joined.merge(pair.first, pair.second)
    return sorted(tuple(sorted(group)) for group in joined.subsets() if len(group) > 1)


class _Search:
    """The different pictures of a data set; rows here are positions in `images`."""

    def __init__(
        self, facts: Facts, unit: NDArray[np.float32] | None, images: NDArray[np.intp]
    ) -> None:
        self.images = images
        self.unit = None if unit is None else unit[images]
        self.plain = _signs(facts.hashes[images])
        self.mirrored = _signs(facts.mirrored_hashes[images])
        self.registration = Registration(facts.copies[images])

    def candidates(self) -> NDArray[np.int64]:
        """Return pairs of rows worth comparing (P x 2), ascending."""
        least = 64 - 2 * _MOST_BITS
        found = [
            _nearest(self.plain, self.plain, _NEIGHBOURS, least),
            _nearest(self.plain, self.mirrored, _NEIGHBOURS, least),
        ]
        if self.unit is not None:
            centred = _unit(self.unit - self.unit.mean(axis=0))
            found.append(_nearest(centred, centred, _NEIGHBOURS, _LEAST_COSINE))
        return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)

    def look_alikes(self) -> NDArray[np.int64]:
        """Return pairs of rows (P x 2) that resemble each other, but hardly as copies do."""
        rng = np.random.default_rng(_SEED)
        total = len(self.images)
        rows = rng.permutation(total)[:_SAMPLED]
        rank = min(_LOOK_ALIKE, total - 1)
        likeness = self.plain[rows] @ self.plain.T
        likeness[np.arange(len(rows)), rows] = np.inf
        order = np.argsort(-likeness, axis=1, kind="stable")
        return np.stack([rows, order[:, rank]], axis=1)

    def distance(self, first: int, second: int) -> int:
        """Return by how many bits the hashes differ, in the better orientation."""
        same = max(
            self.plain[first] @ self.plain[second],
            self.plain[first] @ self.mirrored[second],
        )
        return int(64 - same) // 2

    def similarity(self, first: int, second: int) -> float | None:
        """Return the cosine of the features."""
        return None if self.unit is None else float(self.unit[first] @ self.unit[second])


def _near_pairs(search: _Search, only_hashes: bool) -> Iterator[Pair]:
    pairs = search.candidates()
    agreement, mirrored = search.registration.agreement(pairs)
    limit = _limit(search, LEAST_WITHOUT_FEATURES if only_hashes else LEAST_AGREEMENT)
    for place in np.flatnonzero(agreement >= limit):
        first, second = pairs[place].tolist()
        yield Pair(
            first=int(search.images[first]),
            second=int(search.images[second]),
            kind="mirrored" if mirrored[place] else "near",
            distance=search.distance(first, second),
            similarity=search.similarity(first, second),
            agreement=float(agreement[place]),
        )


def _limit(search: _Search, least: float) -> float:
    """Return the agreement from which two pictures of this data set are copies."""
    if len(search.images) <= 2 * _LOOK_ALIKE:
        return least
    usual = search.registration.agreement(search.look_alikes(), thorough=True).correlation
    # Fisher's transformation makes correlations comparable near 1.
    values = np.arctanh(usual.clip(-0.999, 0.999))
    return max(least, float(np.tanh(np.quantile(values, _USUAL_SHARE) + _STANDS_OUT)))


def _nearest(
    first: NDArray[np.float32], second: NDArray[np.float32], count: int, least: float
) -> NDArray[np.int64]:
    """Return pairs (P x 2) of each first row with its `count` most alike other second rows."""
    total = len(first)
    count = min(count, total - 1)
    found = []
    for start in range(0, total, _ROWS):
        rows = np.arange(start, min(start + _ROWS, total))
        likeness = first[rows] @ second.T
        likeness[np.arange(len(rows)), rows] = -np.inf
        best = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(likeness, best, axis=1) >= least
        found.append(np.stack([np.repeat(rows, near.sum(axis=1)), best[near]], axis=1))
    return np.concatenate(found).astype(np.int64)


def _signs(hashes: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Return the bits of hashes as N x 64 of 1 and -1: their products count equal bits."""
    bits = np.unpackbits(hashes[:, None].view(np.uint8), axis=1)
    return bits.astype(np.float32) * 2 - 1


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    found: NDArray[np.float32] = features / np.maximum(norms, np.float32(1e-12))
    return found
