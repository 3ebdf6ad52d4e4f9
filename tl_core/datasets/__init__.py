"""Data sets for everybody else: find one, look into it, split it, read its pixels."""

from collections import defaultdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.datasets import decoding
from tl_core.datasets.fewer import split_with, training_counts
from tl_core.datasets.records import (
    THUMBNAILS,
    Dataset,
    ImageRecord,
    Kind,
    Part,
    Refused,
    all_datasets,
    delete,
    load,
    save,
    successor,
)
from tl_core.datasets.splits import Split, groups_of, has_given_split, split
from tl_core.limits import BadInput
from tl_core.metrics import majority_accuracy

__all__ = [
    "Dataset",
    "ImageRecord",
    "Kind",
    "Part",
    "Refused",
    "Split",
    "all_datasets",
    "balance",
    "delete",
    "duplicates",
    "groups_of",
    "has_given_split",
    "load",
    "majority_baseline",
    "pixels",
    "save",
    "split",
    "split_with",
    "successor",
    "thumbnail",
    "training_counts",
]

_LOST: Final = (
    "A stored image of '{}' is missing or damaged in the data directory. Bring the images again: "
    "that repairs the data set."
)


def pixels(dataset: Dataset, index: int) -> NDArray[np.uint8]:
    """Return an image, H x W x 3; raises BadInput if its file is missing or damaged."""
    try:
        found = decoding.read_pixels(dataset.folder / dataset.images[index].file)
    except (OSError, SyntaxError, ValueError) as error:
        raise BadInput(_LOST.format(dataset.name)) from error
    # Lossless WebP has no sum of its own: a flipped bit would be another picture.
    if decoding.array_hash(found) != dataset.images[index].pixels:
        raise BadInput(_LOST.format(dataset.name))
    return found


def thumbnail(dataset: Dataset, index: int) -> bytes:
    """Return an image as WebP, longer side at most 160; raises BadInput if it is missing."""
    path = dataset.folder / THUMBNAILS / f"{dataset.images[index].pixels}.webp"
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(_LOST.format(dataset.name)) from error


def majority_baseline(dataset: Dataset, seeds: int) -> float:
    """Return the test accuracy of always guessing training's largest class, mean over seeds."""
    labels = np.array([image.label for image in dataset.images])
    parts = [split(dataset, seed) for seed in range(seeds)]
    found = [majority_accuracy(labels[list(p.train)], labels[list(p.test)]) for p in parts]
    return float(np.mean(found))


def balance(dataset: Dataset) -> dict[str, dict[Part, int]]:
    """Return the number of images of each class in each part; without a split the part is ""."""
    counts: dict[str, dict[Part, int]] = {
        name: dict.fromkeys(sorted({image.part for image in dataset.images}), 0)
        for name in dataset.classes
    }
    for image in dataset.images:
        counts[dataset.classes[image.label]][image.part] += 1
    return counts


def duplicates(dataset: Dataset) -> list[list[int]]:
    """Return groups of two or more images with the same pixels, as indices, ascending."""
    same: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(dataset.images):
        same[image.pixels].append(index)
    return [group for group in same.values() if len(group) > 1]
