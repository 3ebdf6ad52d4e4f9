"""Which images of a data set show classes of a source task, and which of them are for what.

What learns from source images sees one half of them; what was forgotten is measured on the other.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from tl_core import catalog, class_map
from tl_core.catalog import Model
from tl_core.config import DRAWN, RATED_FROM
from tl_core.datasets import Dataset, groups_of
from tl_core.events import SourceFacts
from tl_core.wording import number_of

# The one cut of a data set, for all comparisons.
_CUT_SEED: Final = 40_013


@dataclass(frozen=True)
class SourceImages:
    """Images by index into the data set, and their source classes, in the order of a result."""

    places: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Halves:
    """Images that only measure, and images that only are learned from: none where all measure."""

    measured: SourceImages
    learning: SourceImages


def selected(dataset: Dataset, row: Model) -> SourceImages:
    """Return the images whose label is a class of this model's source task."""
    classes = catalog.source_classes(row.weights.source_classes)
    matched = class_map.match_source(dataset.classes, classes)
    found = [
        (place, index)
        for place, image in enumerate(dataset.images)
        if (index := matched.get(dataset.classes[image.label])) is not None
    ]
    return SourceImages(tuple(place for place, _ in found), tuple(index for _, index in found))


def halves(dataset: Dataset, row: Model) -> Halves:
    """Return the images of source classes, cut in two; the same for the same content.

    Each class is halved, and copies stay together. All measure where either half would hold under
    RATED_FROM images, and where they are drawn: then others are drawn to learn from.
    """
    every = selected(dataset, row)
    if not dataset.signature.startswith(DRAWN):
        learning = _second_half(dataset, every)
        if RATED_FROM <= len(learning) <= len(every.places) - RATED_FROM:
            return Halves(
                _part(every, set(every.places) - learning),
                _part(every, learning),
            )
    return Halves(every, SourceImages((), ()))


def measured_in(source: SourceFacts, data: Dataset, row: Model) -> SourceImages:
    """Return the images that a comparison measured on: all, in those made before the cut."""
    return halves(data, row).measured if source.set_aside else selected(data, row)


def measured_on(source: SourceFacts) -> str:
    """Return what measures, in words: "40 images", or "20 of 40 images" if some are set aside."""
    if not source.set_aside:
        return number_of(source.images, "image")
    return f"{source.images:,} of {number_of(source.images + source.set_aside, 'image')}"


def why_none_to_learn(images: int) -> str:
    """Return why nothing may learn from so many source images that all measure; 0: there are none.

    One sentence for the user.
    """
    if not images:
        return "There are no labelled source images to learn from. Bring some on the Data page."
    return (
        f"All {images} source images measure what is forgotten and none is left to learn from: "
        f"each half needs {RATED_FROM}. Bring {2 * RATED_FROM} different ones or more."
    )


def _part(of: SourceImages, places: set[int]) -> SourceImages:
    chosen = [pair for pair in zip(of.places, of.labels, strict=True) if pair[0] in places]
    return SourceImages(tuple(place for place, _ in chosen), tuple(label for _, label in chosen))


def _second_half(dataset: Dataset, every: SourceImages) -> set[int]:
    """Return about half of the places, of each class and of all together."""
    label = dict(zip(every.places, every.labels, strict=True))
    together = [tuple(place for place in group if place in label) for group in groups_of(dataset)]
    order = np.random.default_rng(_CUT_SEED).permutation(len(together))
    by_class: dict[int, list[tuple[int, ...]]] = {
        wanted: [] for wanted in sorted(set(label.values()))
    }
    # Larger groups first: they are the hardest to place.
    for group in sorted((together[i] for i in order), key=len, reverse=True):
        for wanted in {label[place] for place in group}:
            by_class[wanted].append(group)
    sides: tuple[set[int], set[int]] = (set(), set())
    counts: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    for wanted, groups in by_class.items():
        for group in groups:
            if group[0] in sides[0] or group[0] in sides[1]:
                continue  # placed with another class of its images
            emptier = min((0, 1), key=lambda side: (counts[side][wanted], counts[side].total()))
            sides[emptier].update(group)
            counts[emptier].update(label[place] for place in group)
    return sides[1]
