"""Leaves with two faults planted: leaves photographed twice across parts, and wrong labels."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tl_core.datasets.records import Part
from tl_core.ingest.samples import leaves
from tl_core.ingest.samples.pictures import PARTS, Picture, Pixels

# Of each tree: leaves for training, validation and test.
LEAVES: Final[dict[Part, int]] = {"train": 24, "validation": 8, "test": 90}
# Of each tree, how many of a part's pictures are second photographs of leaves that train.
SECOND: Final[dict[Part, int]] = {"validation": 2, "test": 14}
# Pictures of a part, over all trees, that bear another tree's name.
WRONG: Final[dict[Part, int]] = {"train": 6, "validation": 2}

_SEED: Final = 41

# The part in which a leaf is first, its tree's number, and its own.
Leaf = tuple[int, int, int]


@dataclass(frozen=True)
class Planted:
    """What was planted, by the names of the images.

    `twice`: a training image and the validation or test image that shows the same leaf.
    `wrong`: images that bear a wrong label, with the tree that they show.
    """

    twice: tuple[tuple[str, str], ...]
    wrong: dict[str, str]


@dataclass(frozen=True)
class _Photograph:
    """A leaf of a tree, the number of its photograph, and the label that it bears."""

    part: Part
    tree: str
    leaf: Leaf
    shot: int
    label: str
    name: str

    def draw(self) -> Pixels:
        canvas = leaves.lay(self.tree, np.random.default_rng([_SEED, *self.leaf]))
        return leaves.photograph(canvas, np.random.default_rng([_SEED, *self.leaf, self.shot]))


def pictures() -> Iterator[Picture]:
    """Yield the photographs; nothing in names or order tells which ones are planted."""
    for shown in _photographs():
        yield Picture(shown.name, shown.label, shown.part, shown.draw)


def planted() -> Planted:
    """Return what was planted: the truth to hold data checks against, never shown to them."""
    shown = _photographs()
    first = {photo.leaf: photo.name for photo in shown if photo.shot == 0}
    return Planted(
        twice=tuple((first[photo.leaf], photo.name) for photo in shown if photo.shot),
        wrong={photo.name: photo.tree for photo in shown if photo.label != photo.tree},
    )


def _photographs() -> list[_Photograph]:
    """Return all photographs; within a part and class, numbers are in random order."""
    rng = np.random.default_rng(_SEED)
    shots: dict[Part, list[tuple[str, Leaf, int]]] = {part: [] for part in PARTS}
    spared: set[Leaf] = set()
    for number, tree in enumerate(leaves.CLASSES):
        training = [(0, number, leaf) for leaf in rng.permutation(LEAVES["train"]).tolist()]
        shots["train"] += [(tree, leaf, 0) for leaf in training]
        for place, part in enumerate(PARTS[1:], start=1):
            again, training = training[: SECOND[part]], training[SECOND[part] :]
            # One fault at a time: what is shown twice keeps its label.
            spared.update(again)
            shots[part] += [(tree, leaf, 1) for leaf in again]
            fresh = range(LEAVES[part] - SECOND[part])
            shots[part] += [(tree, (place, number, leaf), 0) for leaf in fresh]
    return [photo for part in PARTS for photo in _named(rng, part, shots[part], spared)]


def _named(
    rng: np.random.Generator, part: Part, shots: list[tuple[str, Leaf, int]], spared: set[Leaf]
) -> Iterator[_Photograph]:
    """Yield the photographs of a part with labels, some of them wrong, and names."""
    free = [place for place, (_, leaf, _) in enumerate(shots) if leaf not in spared]
    wrong = set(rng.choice(free, WRONG.get(part, 0), replace=False).tolist())
    used: Counter[str] = Counter()
    for place in rng.permutation(len(shots)).tolist():
        tree, leaf, shot = shots[place]
        label = tree
        if place in wrong:
            label = str(rng.choice([other for other in leaves.CLASSES if other != tree]))
        name = f"{part}/{label}/{used[label]:04}.png"
        used[label] += 1
        yield _Photograph(part, tree, leaf, shot, label, name)
