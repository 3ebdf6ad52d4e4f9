"""Changing a data set: images dropped, relabelled, or kept together. The original stays as it is.

Every edit makes a new data set that shares its files with the one it came from, so that going back
is choosing that one again, and results made before keep their data.
"""

import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tl_core.datasets import records
from tl_core.datasets.records import THUMBNAILS, Dataset, ImageRecord
from tl_core.ingest.assembly import order, publish, unfinished_folder
from tl_core.ingest.inspection import check
from tl_core.ingest.sources import counted
from tl_core.limits import BadInput, refuse_if_full
from tl_core.room_on_disk import size

_MARK: Final = " (edited)"


def drop(dataset: Dataset, images: Collection[int]) -> Dataset:
    """Return the data set without some images (indices), saved; the original stays.

    Raises BadInput if nothing is dropped or a class is left with too few images.
    """
    gone = set(images)
    kept = [image for index, image in enumerate(dataset.images) if index not in gone]
    return _edited(dataset, kept, dataset.together, f"Dropped: {counted(len(gone), 'image')}.")


def relabel(dataset: Dataset, labels: Mapping[int, int]) -> Dataset:
    """Return the data set with other labels for some images (index to label), saved.

    Raises BadInput if nothing changes or a class is left with too few images.
    """
    images = [
        msgspec.structs.replace(image, label=labels.get(index, image.label))
        for index, image in enumerate(dataset.images)
    ]
    changed = sum(a.label != b.label for a, b in zip(images, dataset.images, strict=True))
    return _edited(dataset, images, dataset.together, f"Relabelled: {counted(changed, 'image')}.")


def keep_together(dataset: Dataset, groups: Sequence[Collection[int]]) -> Dataset:
    """Return the data set whose splits never divide these groups of images (indices), saved.

    In a split that came with the data, a group that lies in several parts keeps its images of the
    test part, else of the validation part; its others are left out, as exact copies are. Raises
    BadInput if these groups are kept together already.
    """
    found = [
        tuple(sorted({dataset.images[index].pixels for index in group}))
        for group in groups
        if len(group) > 1
    ]
    together = tuple(sorted({*dataset.together, *(group for group in found if len(group) > 1)}))
    sentence = f"Kept together in every split: {counted(len(found), 'group')}."
    return _edited(dataset, list(dataset.images), together, sentence)


def _edited(
    dataset: Dataset,
    images: list[ImageRecord],
    together: tuple[tuple[str, ...], ...],
    sentence: str,
) -> Dataset:
    images.sort(key=order)
    there = {image.pixels for image in images}
    groups = (tuple(pixels for pixels in group if pixels in there) for group in together)
    together = tuple(group for group in groups if len(group) > 1)
    content = ((dataset.classes[image.label], image.part, image.pixels) for image in images)
    fingerprint = records.fingerprint(dataset.kind, content, together)
    if fingerprint == dataset.fingerprint:
        raise BadInput("Nothing was changed: the data are already like that.")
    changed = msgspec.structs.replace(
        dataset,
        name=dataset.name.removesuffix(_MARK) + _MARK,
        fingerprint=fingerprint,
        images=tuple(images),
        together=together,
        edited_from=dataset.fingerprint,
        edits=(*dataset.edits, sentence),
        created=records.now(),
        signature="",
    )
    check(changed, changed.classes)
    with unfinished_folder() as part:
        _share(dataset, changed, part)
        refuse_if_full(size(part), written=True)
        return publish(changed, part)


def _share(dataset: Dataset, changed: Dataset, part: Path) -> None:
    """Give a folder the files of the edited images, by link where the disk can."""
    files = {image.file for image in changed.images}
    files |= {f"{THUMBNAILS}/{image.pixels}.webp" for image in changed.images}
    for name in sorted(files):
        _link(dataset.folder / name, part / name, os.link)


def _link(source: Path, target: Path, link: Callable[[Path, Path], None]) -> None:
    try:
        link(source, target)
    except FileNotFoundError as error:
        raise BadInput(
            "A stored image of this data set is missing. Bring the images again, then repeat the "
            "change."
        ) from error
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)
