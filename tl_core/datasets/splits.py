"""Which images train, choose and test: a given split kept, else five stratified folds by seed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from tl_core.datasets.records import Dataset, Part, Record

FOLDS: Final = 5
VALIDATION_SHARE: Final = 0.25
MIN_TRAINING: Final = 2

# Whose copy stays where the same pixels lie in several parts of a given split.
_KEEPS: Final[tuple[Part, ...]] = ("test", "validation", "train", "")

# Images with the same pixels, or kept together: indices, never divided between parts.
Group = tuple[int, ...]


class Split(Record, frozen=True):
    """Indices into a data set's images, ascending. `left_out`: copies of images in other parts."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    left_out: tuple[int, ...] = ()


def has_given_split(dataset: Dataset) -> bool:
    """Return whether the data came with images for testing."""
    return any(image.part in ("validation", "test") for image in dataset.images)


def split(dataset: Dataset, seed: int) -> Split:
    """Return the split of a seed; the same for the same content, whatever the files' names.

    Without a given split, seed k tests on fold k % 5 of shuffle k // 5, and a quarter of the rest
    is for validation. A given `test`, else `validation` part tests; with all three the validation
    part validates, else a quarter of training does.
    """
    groups = groups_of(dataset)
    if has_given_split(dataset):
        return _given(dataset, groups, seed)
    folds = _folds(dataset, groups, np.random.default_rng([seed // FOLDS, FOLDS]))
    test = _fold_with_every_class(dataset, folds, seed % FOLDS)
    train, validation = _carve(dataset, [group for group in groups if group not in test], seed)
    return _split(train, validation, test)


def _split(
    train: Iterable[Group], validation: Iterable[Group], test: Iterable[Group], left_out: Group = ()
) -> Split:
    flat = [tuple(sorted(i for group in part for i in group)) for part in (train, validation, test)]
    return Split(train=flat[0], validation=flat[1], test=flat[2], left_out=tuple(sorted(left_out)))


def groups_of(dataset: Dataset) -> list[Group]:
    """Return the images that stay together, in the order of their pixels' hash.

    Those with the same pixels, and the data set's groups (`together`); groups that share an image
    are one. An image of no group is a group by itself.
    """
    names = {image.pixels: image.pixels for image in dataset.images}

    def first(pixels: str) -> str:
        while names[pixels] != pixels:
            pixels = names[pixels]
        return pixels

    for group in dataset.together:
        ends = sorted(first(pixels) for pixels in group)
        names.update(dict.fromkeys(ends, ends[0]))
    same: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(dataset.images):
        same[first(image.pixels)].append(index)
    return [tuple(same[pixels]) for pixels in sorted(same)]


def _given(dataset: Dataset, groups: Sequence[Group], seed: int) -> Split:
    by_part: dict[Part, list[Group]] = defaultdict(list)
    left_out: list[int] = []
    for group in groups:
        parts = {dataset.images[i].part for i in group}
        keeper = next(part for part in _KEEPS if part in parts)
        by_part[keeper].append(tuple(i for i in group if dataset.images[i].part == keeper))
        left_out += [i for i in group if dataset.images[i].part != keeper]
    # A part that is not named by any folder or cell is for training.
    training = by_part["train"] + by_part[""]
    validation, test = by_part["validation"], by_part["test"]
    if not test or not validation:
        test = test or validation
        training, validation = _carve(dataset, training, seed)
    return _split(training, validation, test, tuple(left_out))


def _labels(dataset: Dataset, group: Group) -> Counter[int]:
    """Return how many images of each class a group holds: one class, unless labels conflict."""
    return Counter(dataset.images[i].label for i in group)


def _by_class(dataset: Dataset, groups: Iterable[Group]) -> dict[int, dict[Group, int]]:
    """Return each class's groups with the number of its images in them, classes ascending."""
    classes: dict[int, dict[Group, int]] = defaultdict(dict)
    for group in groups:
        for label, count in _labels(dataset, group).items():
            classes[label][group] = count
    return dict(sorted(classes.items()))


def _shuffled(groups: Sequence[Group], rng: np.random.Generator) -> list[Group]:
    """Return the groups in random order, but larger ones first: they are the hardest to place."""
    order = rng.permutation(len(groups))
    return sorted((groups[i] for i in order), key=len, reverse=True)


def _fold_sizes(images: int) -> list[int]:
    """Return what each fold gets of a class.

    The sizes that occur more often come first, so that the first three seeds, which are the usual
    ones, test on exactly round(n / 5) images.
    """
    small, larger = divmod(images, FOLDS)
    sizes = [small + 1] * larger + [small] * (FOLDS - larger)
    return sizes if larger > FOLDS // 2 else sizes[::-1]


def _folds(
    dataset: Dataset, groups: Sequence[Group], rng: np.random.Generator
) -> list[list[Group]]:
    """Deal the groups into five folds so that each class is spread evenly."""
    folds: list[list[Group]] = [[] for _ in range(FOLDS)]
    placed: set[Group] = set()
    filled: dict[int, list[int]] = defaultdict(lambda: [0] * FOLDS)
    for label, members in _by_class(dataset, groups).items():
        have, want = filled[label], _fold_sizes(sum(members.values()))
        for group in _shuffled([group for group in members if group not in placed], rng):
            fold = _emptiest(have, want)
            folds[fold].append(group)
            placed.add(group)
            for other, count in _labels(dataset, group).items():
                filled[other][fold] += count
    return folds


def _emptiest(have: Sequence[int], want: Sequence[int]) -> int:
    """Return the fold that lacks most of a class; one without any goes first."""
    return min(range(FOLDS), key=lambda fold: (have[fold] > 0, have[fold] - want[fold], fold))


def _fold_with_every_class(
    dataset: Dataset, folds: Sequence[list[Group]], number: int
) -> set[Group]:
    """Return a fold; a class that has fewer groups than folds lends one from another fold."""
    test = set(folds[number])
    present = set(_by_class(dataset, test))
    for label, members in _by_class(dataset, (g for fold in folds for g in fold)).items():
        if label not in present:
            test.add(min(members, key=len))
    return test


def _carve(dataset: Dataset, groups: Sequence[Group], seed: int) -> tuple[list[Group], list[Group]]:
    """Return training and validation groups.

    Per class, validation gets max(1, round(n / 4)) images, and training at least 2.
    """
    rng = np.random.default_rng(seed)
    chosen: set[Group] = set()
    for members in _by_class(dataset, groups).values():
        total = sum(members.values())
        have = sum(count for group, count in members.items() if group in chosen)
        most = min(max(1, round(VALIDATION_SHARE * total)), total - MIN_TRAINING)
        candidates = _shuffled([group for group in members if group not in chosen], rng)
        for group in candidates:
            if have + members[group] <= most:
                chosen.add(group)
                have += members[group]
        # Where every group is larger than the share, the smallest is better than none.
        smallest = min(candidates, key=members.__getitem__, default=None)
        if not have and smallest is not None and total - members[smallest] >= MIN_TRAINING:
            chosen.add(smallest)
    return [g for g in groups if g not in chosen], [g for g in groups if g in chosen]
