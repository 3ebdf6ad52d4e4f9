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
_BITS: Final = 64
_MOST_BITS: Final = 22
_LEAST_COSINE: Final = 0.2

# Copies agree at least so much; more is asked where only hashes proposed the pair.
LEAST_AGREEMENT: Final = 0.87
LEAST_WITHOUT_FEATURES: Final = 0.9
# Where any two pictures are alike, such as digits, copies must stand out: above three quarters of
# pairs drawn at random by so much (Fisher's z). Beyond the highest limit all pictures are the same.
_STANDS_OUT: Final = 1.25
_USUAL_SHARE: Final = 0.75
_SAMPLED: Final = 256
HIGHEST_LIMIT: Final = 0.98

_ROWS: Final = 1024
_SEED: Final = 0


@dataclass(frozen=True)
class Pair:
    """Two images that show the same picture; `first` < `second`.

    `distance`: bits of 64 by which the hashes differ, for `mirrored` that of the mirror image.
    `similarity`: cosine of their features, None without features. `agreement`: correlation of their
    detail once aligned.
    """

    first: int
    second: int
    kind: Kind
    distance: int
    similarity: float | None
    agreement: float


def find_pairs(facts: Facts, features: NDArray[np.float32] | None = None) -> list[Pair]:
    """Return the pairs of copies, by index; `features` (N x D) are of any pretrained model.

    Each image is compared with its nearest neighbours only: of many copies of one picture not every
    pair is listed, but `groups` joins them.
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

    def candidates(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return pairs of these rows that are worth comparing (P x 2), each ascending."""
        least = _BITS - 2 * _MOST_BITS
        plain = self.plain[rows]
        found = [
            _nearest(plain, plain, _NEIGHBOURS, least),
            _nearest(plain, self.mirrored[rows], _NEIGHBOURS, least),
        ]
        if self.unit is not None:
            centred = _unit(self.unit[rows] - self.unit.mean(axis=0))
            found.append(_nearest(centred, centred, _NEIGHBOURS, _LEAST_COSINE))
        return np.sort(rows[np.concatenate(found)], axis=1)

    def usual_pairs(self) -> NDArray[np.int64]:
        """Return pairs of different rows drawn at random (P x 2)."""
        rng, total = np.random.default_rng(_SEED), len(self.images)
        first = rng.integers(total, size=_SAMPLED)
        return np.stack([first, (first + rng.integers(1, total, _SAMPLED)) % total], axis=1)

    def pair(self, first: int, second: int, kind: Kind, agreement: float) -> Pair:
        """Return two rows as a pair of images."""
        other = self.mirrored if kind == "mirrored" else self.plain
        equal = self.plain[first] @ other[second]
        return Pair(
            first=int(self.images[first]),
            second=int(self.images[second]),
            kind=kind,
            distance=int(_BITS - equal) // 2,
            similarity=None if self.unit is None else float(self.unit[first] @ self.unit[second]),
            agreement=agreement,
        )


def _near_pairs(search: _Search, only_hashes: bool) -> Iterator[Pair]:
    """Yield copies; a picture's copies fill up its nearest neighbours, so more is looked for.

    Of pictures that were found to be the same, one stays for the next round.
    """
    limit = _limit(search, LEAST_WITHOUT_FEATURES if only_hashes else LEAST_AGREEMENT)
    joined = DisjointSet(range(len(search.images)))
    known: set[tuple[int, int]] = set()
    rows = np.arange(len(search.images))
    while len(rows) > 1:
        fresh = sorted({(int(a), int(b)) for a, b in search.candidates(rows)} - known)
        known.update(fresh)
        agreement, mirrored = search.registration.agreement(np.array(fresh, dtype=np.int64))
        copies = np.flatnonzero(agreement >= limit)
        for place in copies:
            first, second = fresh[place]
            joined.merge(first, second)
            kind: Kind = "mirrored" if mirrored[place] else "near"
            yield search.pair(first, second, kind, float(agreement[place]))
        if not len(copies):
            return
        rows = np.array(sorted({joined[row] for row in rows.tolist()}), dtype=np.int64)


def _limit(search: _Search, least: float) -> float:
    """Return the agreement from which two pictures of this data set are copies."""
    usual = search.registration.agreement(search.usual_pairs(), thorough=True).correlation
    # Fisher's transformation makes correlations comparable near 1.
    values = np.arctanh(usual.clip(-0.999, 0.999))
    stands_out = np.tanh(np.quantile(values, _USUAL_SHARE) + _STANDS_OUT)
    return float(np.clip(stands_out, least, HIGHEST_LIMIT))


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
