"""Images of known class and part -> a data set in the data directory, complete or not at all."""

import errno
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from tl_core import unfinished
from tl_core.datasets import records
from tl_core.datasets.records import IMAGES, THUMBNAILS, Dataset, ImageRecord, Kind, Part
from tl_core.ingest.image_writer import ImageWriter, Progress, Stored
from tl_core.ingest.inspection import check, notes
from tl_core.ingest.layout import Layout
from tl_core.ingest.sources import clean_name
from tl_core.limits import BadInput, refuse_if_full
from tl_core.owners import folder
from tl_core.room_on_disk import size

_ABANDONED_SECONDS: Final = 24 * 3600

_FULL: Final = "the disk of the data directory is full. Make room, then try again."
_LOCKED: Final = "the data directory cannot be written. Point TL_HOME to a folder of your own."
_REMEDIES: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _LOCKED,
    errno.EROFS: _LOCKED,
}


def commit(
    layout: Layout,
    *,
    name: str,
    kind: Kind,
    mirror: bool = True,
    signature: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Decode, check and store the images; the same content again only renews the description.

    Raises BadInput if what can be read is not a usable data set, or there is no room for it;
    nothing is kept then.
    """
    refuse_if_full()
    with unfinished_folder() as part:
        writer = ImageWriter(part)
        stored, refused = writer.write(layout.items, progress)
        dataset = msgspec.structs.replace(
            _dataset(stored, writer.files, name, kind),
            refused=(*layout.refused, *refused),
            mirror=mirror,
            created=records.now(),
            signature=signature,
        )
        check(dataset, (item.label for item in layout.items))
        found = notes(dataset, [image.facts for image in stored])
        dataset = msgspec.structs.replace(dataset, notes=(*layout.notes, *found))
        if not dataset.folder.exists():
            refuse_if_full(size(part), written=True)
        return publish(dataset, part)


@contextmanager
def unfinished_folder() -> Iterator[Path]:
    """Give a folder that is gone at the end unless renamed."""
    part = folder("datasets") / unfinished.name()
    try:
        _sweep(part.parent)
        for name in (IMAGES, THUMBNAILS):
            (part / name).mkdir(parents=True)
        yield part
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        raise BadInput(f"Nothing was kept: {remedy}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove what a crash left behind long ago."""
    for path in root.glob(".*-*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(path)


def _dataset(stored: list[Stored], files: dict[str, str], name: str, kind: Kind) -> Dataset:
    """Return the data set; `files` are by pixels."""
    names = sorted({image.item.label for image in stored}, key=_natural)
    labels = {name: label for label, name in enumerate(names)}
    tested = any(image.item.part in ("validation", "test") for image in stored)

    def part(image: Stored) -> Part:
        # A split whose test images could all not be read is none.
        return image.item.part if tested else ""

    images = [
        ImageRecord(
            name=clean_name(image.item.source.name),
            file=files[image.pixels],
            label=labels[image.item.label],
            part=part(image),
            pixels=image.pixels,
            width=image.facts.width,
            height=image.facts.height,
            mode=image.facts.mode,
            frames=image.facts.frames,
        )
        for image in stored
    ]
    images.sort(key=order)
    content = ((names[image.label], image.part, image.pixels) for image in images)
    together = _together(stored)
    return Dataset(
        name=clean_name(name) or "images",
        fingerprint=records.fingerprint(kind, content, together),
        kind=kind,
        classes=tuple(names),
        images=tuple(images),
        together=together,
    )


def _together(stored: list[Stored]) -> tuple[tuple[str, ...], ...]:
    """Return the groups that were brought with the images, by pixels, as edits write them."""
    groups: dict[str, set[str]] = defaultdict(set)
    for image in stored:
        if image.item.group:
            groups[image.item.group].add(image.pixels)
    found = {tuple(sorted(pixels)) for pixels in groups.values() if len(pixels) > 1}
    return tuple(sorted(found))


def order(image: ImageRecord) -> tuple[int, Part, str, str]:
    """Sort images by what their content decides, copies of one image by name."""
    return image.label, image.part, image.pixels, image.name


def _natural(name: str) -> tuple[bool, int, str]:
    """Sort numbers by value, before words."""
    number = name.isascii() and name.isdecimal()
    return not number, int(name) if number else 0, name


def publish(dataset: Dataset, part: Path) -> Dataset:
    """Rename the finished folder to its place, or renew the one that is there already."""
    final = dataset.folder
    if not final.exists():
        records.write_record(dataset, part)
        try:
            part.rename(final)
        except OSError:
            # Another process committed the same content in this moment.
            if not final.exists():
                raise
        else:
            return dataset
    for name in (IMAGES, THUMBNAILS):
        (final / name).mkdir(parents=True, exist_ok=True)
        for path in (part / name).iterdir():
            # Also puts back what was damaged or lost since.
            path.replace(final / name / path.name)
    records.save(dataset)
    return dataset
