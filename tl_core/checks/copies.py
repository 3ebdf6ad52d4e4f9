"""Pictures that are there more than once: across parts, under two labels, within a part."""

from collections.abc import Iterable

from tl_core import datasets
from tl_core.checks.checked import Checked, Group, Outcome
from tl_core.wording import number_of, percent


def across_parts(checked: Checked) -> Outcome:
    """Find copies that one part learns from and another is judged by."""
    found, parts = [], checked.parts
    for group in checked.groups:
        placed = tuple(index for index in group if index in parts)
        if len({parts[index] for index in placed}) > 1:
            found.append(placed)
    if not found:
        return Outcome("No picture lies in more than one part of the split.")
    tested = sum(parts[index] == "test" for group in found for index in group)
    given = datasets.has_given_split(checked.dataset)
    how = "the copies in training are left out" if given else "the split is made anew"
    return Outcome(
        f"{number_of(len(found), 'picture')} in more than one part of the split. "
        + _harm(tested, len(checked.split.test)),
        "serious",
        f"Keep the copies together: {how}, so that no test image is known from training.",
        _flat(found),
        tuple(found),
    )


def _harm(tested: int, total: int) -> str:
    """Return what copies do, given how many of all test images have one in another part."""
    if not tested:
        return "No test image is among them, but settings are chosen by images that also train."
    verb = "lies" if tested == 1 else "lie"
    return (
        f"Of the test part, {number_of(tested, 'image')} ({percent(tested / total)}) {verb} in "
        "another part as well, as some other version: accuracy will look better than it is."
    )


def conflicting_labels(checked: Checked) -> Outcome:
    """Find pictures that bear two labels."""
    found = [group for group in checked.groups if len(set(checked.labels[list(group)])) > 1]
    if not found:
        return Outcome("No picture bears two different labels.")
    labels = sorted({int(checked.labels[index]) for group in found for index in group})
    return Outcome(
        f"{number_of(len(found), 'picture')} under two or more labels, in "
        f"{number_of(len(labels), 'class', 'classes')}: {checked.classes_of(labels)}.",
        "serious",
        "Give each group one label, or leave it out: the model is told both.",
        _flat(found),
        tuple(found),
    )


def exact_copies(checked: Checked) -> Outcome:
    """Find images with the same pixels."""
    found = tuple(tuple(group) for group in datasets.duplicates(checked.dataset))
    if not found:
        return Outcome("No two images have the same pixels.")
    again = sum(len(group) - 1 for group in found)
    return Outcome(
        f"{number_of(again, 'image')} with the same pixels as another one "
        f"({percent(again / len(checked.labels))}), of {number_of(len(found), 'picture')}. Copies "
        "always stay in one part of a split.",
        "worth a look",
        "Leave out all but one of each picture, unless they are meant to count more.",
        _flat(found),
        found,
    )


def near_copies(checked: Checked) -> Outcome:
    """Find copies within a part that are not the same pixel for pixel."""
    parts, pixels = checked.parts, checked.facts.first
    found = tuple(
        group
        for group in checked.groups
        if len(set(pixels[list(group)])) > 1 and len({parts.get(index) for index in group}) == 1
    )
    if not found:
        return Outcome("No re-encoded, resized, cropped or mirrored copies within a part.")
    images = _flat(found)
    return Outcome(
        f"{number_of(len(images), 'image')} show {number_of(len(found), 'picture')}, each within "
        "one part: re-encoded, resized, cropped, mirrored or taken twice.",
        "worth a look",
        "Keep them together, so that no other split divides them, or leave out all but one.",
        images,
        found,
    )


def _flat(groups: Iterable[Group]) -> Group:
    return tuple(index for group in groups for index in group)
