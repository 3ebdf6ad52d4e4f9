"""What a data set is told about before it is used: faults that stop it, and notes that do not."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from tl_core.datasets.decoding import Facts
from tl_core.datasets.records import Dataset
from tl_core.datasets.splits import FOLDS, MIN_TRAINING, groups_of, has_given_split, split
from tl_core.ingest.sources import counted
from tl_core.limits import MIN_CLASS_IMAGES, MIN_GROUPS, BadInput

# A longer list in an error hides its sentence.
_MOST_DETAILS: Final = 200

MORE_GROUPS: Final = (
    "A group (a burst, or equal words in the column 'group') is never divided, so training, "
    f"choosing and testing take one each: bring at least {MIN_GROUPS} per class, with a moved "
    "camera, another background, another object. Groups with the same picture count as one."
)


def check(dataset: Dataset, brought: Iterable[str]) -> None:
    """Raise BadInput, naming the classes at fault, if nothing can be compared on this data set.

    `brought`: the class names of all files, also of those that could not be read.
    """
    refused = tuple(f"{file.name}: {file.reason}" for file in dataset.refused[:_MOST_DETAILS])
    if not dataset.images:
        why = f" ({refused[0]})" if refused else ""
        raise BadInput(
            f"There is no usable image in '{dataset.name}'{why}. Bring JPEG, PNG, WebP, BMP, GIF "
            "or TIFF files in one folder per class, or a table of labels with them.",
            refused,
        )
    if dataset.kind != "target":
        return
    lost = dict.fromkeys(sorted(set(brought) - set(dataset.classes)), 0)
    if len(dataset.classes) + len(lost) == 1:
        raise BadInput(
            f"There is only one class, '{dataset.classes[0]}'. Put the images of each class in a "
            "folder of its own: at least two folders.",
            refused,
        )
    different = _different(dataset) | lost
    few = {name: n for name, n in different.items() if n < MIN_CLASS_IMAGES}
    if few:
        raise _too_few(few, f"fewer than {MIN_CLASS_IMAGES} different images", refused)
    if has_given_split(dataset):
        part = split(dataset, 0)
        training = Counter(dataset.classes[dataset.images[i].label] for i in part.train)
        few = {name: training[name] for name in dataset.classes if training[name] < MIN_TRAINING}
        if few:
            raise _too_few(few, f"fewer than {MIN_TRAINING} images left for training", refused)
    if dataset.together:
        _check_groups(dataset, refused)


def _check_groups(dataset: Dataset, refused: tuple[str, ...]) -> None:
    """Raise BadInput where groups, which no split divides, cannot fill all parts."""
    if has_given_split(dataset):
        if not split(dataset, 0).validation:
            raise BadInput(
                "Nothing is left to choose settings with: all training images belong to one group "
                "that is never divided. Add other images to the training part, or a validation "
                "part of your own.",
                refused,
            )
        return
    counts = group_counts(dataset)
    few = {name: count for name, count in counts.items() if count < MIN_GROUPS}
    if few:
        raise _too_few(few, f"fewer than {MIN_GROUPS} groups", refused, "group", MORE_GROUPS)
    for seed in range(FOLDS):
        part = split(dataset, seed)
        wanted = ((part.train, MIN_TRAINING), (part.validation, 1), (part.test, 1))
        for images, least in wanted:
            have = Counter(dataset.classes[dataset.images[i].label] for i in images)
            few = {name: counts[name] for name in dataset.classes if have[name] < least}
            if few:
                what = "groups of too different sizes to fill every part"
                raise _too_few(few, what, refused, "group", MORE_GROUPS)


def group_counts(dataset: Dataset) -> dict[str, int]:
    """Return in how many groups each class has images; an image of no group counts by itself."""
    counts = dict.fromkeys(dataset.classes, 0)
    for group in groups_of(dataset):
        for label in {dataset.images[i].label for i in group}:
            counts[dataset.classes[label]] += 1
    return counts


def _different(dataset: Dataset) -> dict[str, int]:
    """Return the number of different images of each class: copies teach and test nothing."""
    pixels: dict[int, set[str]] = defaultdict(set)
    for image in dataset.images:
        pixels[image.label].add(image.pixels)
    return {name: len(pixels[label]) for label, name in enumerate(dataset.classes)}


def _too_few(
    few: dict[str, int],
    what: str,
    refused: tuple[str, ...],
    noun: str = "image",
    remedy: str = "Add images to them or remove them.",
) -> BadInput:
    shown = ", ".join(f"'{name}' ({count})" for name, count in list(few.items())[:5])
    more = f" and {len(few) - 5} more" if len(few) > 5 else ""
    verb = "has" if len(few) == 1 else "have"
    classes = "class" if len(few) == 1 else "classes"
    lines = tuple(f"class '{name}': {counted(count, noun)}" for name, count in few.items())
    return BadInput(
        f"{len(few)} {classes} {verb} {what}: {shown}{more}. {remedy}",
        (*lines, *refused),
    )


def notes(dataset: Dataset, facts: Sequence[Facts]) -> list[str]:
    """Return sentences on what was found and done; `facts` has one entry per image."""
    return [
        *_groups(dataset),
        *_copies(dataset),
        *_conversions(facts),
        *_missing_from_test(dataset),
    ]


def _groups(dataset: Dataset) -> Iterable[str]:
    if not dataset.together:
        return
    images, groups = len(dataset.images), counted(len(groups_of(dataset)), "group")
    yield (
        f"{counted(images, 'image')} in {groups}: images of a group always stay in the same part "
        "of a split. They resemble each other and say less than as many separate ones, while "
        "intervals count images: real uncertainty is larger than they show."
    )


def _copies(dataset: Dataset) -> Iterable[str]:
    labels: dict[str, set[int]] = defaultdict(set)
    for image in dataset.images:
        labels[image.pixels].add(image.label)
    copies = len(dataset.images) - len(labels)
    conflicts = sum(len(classes) > 1 for classes in labels.values())
    if copies:
        yield (
            f"Exact copies of another image: {counted(copies, 'image')}. Copies always stay in "
            "the same part of a split."
        )
    if conflicts:
        yield f"The same picture lies in different classes: {counted(conflicts, 'picture')}."
    left_out = split(dataset, 0).left_out if has_given_split(dataset) else ()
    if left_out:
        yield (
            f"Copies{' or groups' if dataset.together else ''} across the parts of the given "
            f"split: {counted(len(left_out), 'image')} left out, what is nearest to the test part "
            "stays."
        )


def _conversions(facts: Sequence[Facts]) -> Iterable[str]:
    animated = sum(fact.frames > 1 for fact in facts)
    if animated:
        yield f"First frame used of several: {counted(animated, 'image')}."
    scalings = Counter(fact.scaling for fact in facts)
    if scalings["16-bit"]:
        yield f"16-bit values divided by 257 to fit 8 bits: {counted(scalings['16-bit'], 'image')}."
    if scalings["range"]:
        yield (
            "32-bit values stretched from each image's lowest to its highest: "
            f"{counted(scalings['range'], 'image')}."
        )


def _missing_from_test(dataset: Dataset) -> Iterable[str]:
    if dataset.kind != "target" or not has_given_split(dataset):
        return
    tested = {dataset.images[i].label for i in split(dataset, 0).test}
    missing = [name for label, name in enumerate(dataset.classes) if label not in tested]
    if missing:
        shown = ", ".join(f"'{name}'" for name in missing[:5])
        count = f"{len(missing)} of {len(dataset.classes)} classes"
        yield f"Without a test image in the given split: {count} ({shown})."
