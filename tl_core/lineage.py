"""A data set and what edits made of it: the newest version, and where an image is in it."""

from collections import defaultdict

from tl_core import datasets
from tl_core.datasets import Dataset, ImageRecord
from tl_core.limits import BadInput


def newest(dataset: Dataset) -> Dataset:
    """Return the newest data set that edits, one after the other, made of this one; else itself."""
    seen = {dataset.fingerprint}
    while (later := datasets.successor(dataset.fingerprint)) is not None:
        # Edits that undo each other lead back.
        if later.fingerprint in seen:
            break
        seen.add(later.fingerprint)
        dataset = later
    return dataset


def descends(later: Dataset, earlier: Dataset) -> bool:
    """Return whether edits, one after the other, made `later` of `earlier`, or both are the same.

    The chain breaks where a version in between was deleted.
    """
    seen: set[str] = set()
    while later.fingerprint != earlier.fingerprint:
        if not later.edited_from or later.fingerprint in seen:
            return False
        seen.add(later.fingerprint)
        if later.edited_from == earlier.fingerprint:
            return True
        try:
            later = datasets.load(later.edited_from)
        except BadInput:
            return False
    return True


def counterparts(earlier: Dataset, later: Dataset) -> dict[int, int]:
    """Return where images of one version are in another, by index; dropped ones are missing.

    An image is known by its file's name and its pixels: an edit changes neither.
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, image in enumerate(later.images):
        places[_known_by(image)].append(place)
    found = {}
    for place, image in enumerate(earlier.images):
        if places[_known_by(image)]:
            found[place] = places[_known_by(image)].pop(0)
    return found


def _known_by(image: ImageRecord) -> tuple[str, str]:
    return image.name, image.pixels
