"""Fewer labels: a split whose training part is cut to so many images of each class."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from tl_core.datasets.records import Dataset
from tl_core.datasets.splits import MIN_TRAINING, Group, Split, groups_of, split

# Sets the order in which images are taken apart from the draws that make the split.
_ORDER: Final = 77


def split_with(dataset: Dataset, seed: int, labels_per_class: int | None) -> Split:
    """Return the split of a seed with so many training images of each class, None for all.

    The test part stays, validation is cut in the same proportion, to one image of a class at least;
    a class that has fewer training images keeps all. Images are taken in an order that the seed
    alone decides: those at n are among those at 2n. Images that belong together (copies, a burst)
    follow one another, so few labels hold as many near copies as many labels do. Raises ValueError
    under two images a class.
    """
    whole = split(dataset, seed)
    if labels_per_class is None:
        return whole
    if labels_per_class < MIN_TRAINING:
        raise ValueError(f"Training needs {MIN_TRAINING} images of each class at least.")
    groups = groups_of(dataset)
    training = _by_class(dataset, groups, whole.train, seed)
    validation = _by_class(dataset, groups, whole.validation, seed)
    train: list[int] = []
    kept: list[int] = []
    for label, images in training.items():
        train += images[:labels_per_class]
        share = min(1.0, labels_per_class / len(images))
        known = validation.get(label, [])
        kept += known[: max(1, round(share * len(known)))]
    # A class that only validates has nothing to be cut in proportion to.
    kept += [i for label, known in validation.items() if label not in training for i in known]
    return Split(
        train=tuple(sorted(train)),
        validation=tuple(sorted(kept)),
        test=whole.test,
        left_out=whole.left_out,
    )


def training_counts(dataset: Dataset, seed: int = 0) -> tuple[int, ...]:
    """Return how many training images each class of the data set has in the split of a seed."""
    labels = [dataset.images[i].label for i in split(dataset, seed).train]
    return tuple(np.bincount(labels, minlength=len(dataset.classes)).tolist())


def _by_class(
    dataset: Dataset, groups: Sequence[Group], part: Sequence[int], seed: int
) -> dict[int, list[int]]:
    """Return the images of a part by class, in the order in which they are taken."""
    inside, rng = set(part), np.random.default_rng([seed, _ORDER])
    classes: dict[int, list[int]] = defaultdict(list)
    for place in rng.permutation(len(groups)):
        for image in groups[place]:
            if image in inside:
                classes[dataset.images[image].label].append(image)
    return dict(sorted(classes.items()))
