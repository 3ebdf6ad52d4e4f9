"""Names of files -> class and part of each image: class folders, given splits, tables of labels."""

import posixpath
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tl_core.datasets.records import Kind, Part, Refused
from tl_core.ingest import tabular
from tl_core.ingest.sources import Listing, Source, clean_name, counted
from tl_core.ingest.tabular import PART_NAMES, Item
from tl_core.limits import MAX_TABLE_BYTES, BadInput, Unreadable

TEXT_SUFFIXES: Final = (
    *(".txt", ".md", ".rst", ".json", ".jsonl", ".yaml", ".yml", ".xml", ".log", ".ini"),
    *(".html", ".htm", ".py", ".ipynb", *tabular.SUFFIXES),
)
ARCHIVE_SUFFIXES: Final = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")

# A table of this name is meant as the labels even where there are folders.
LABELS_FILE: Final = "labels.csv"

# The one class of images that come without labels; folders say nothing then.
UNLABELLED: Final = "unlabelled"

NO_CLASS: Final = "not inside a class folder"


@dataclass
class Layout:
    """What is to be read, what is left out, and what to tell the user."""

    items: list[Item]
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def arrange(listing: Listing, kind: Kind) -> Layout:
    """Find class and part of every file of an upload.

    Raises BadInput if a table of labels is used and names files that are not there.
    """
    images, texts = sort_out(listing)
    layout = Layout([], listing.refused, listing.notes)
    if kind == "unlabelled":
        layout.items = [Item(image, UNLABELLED, "") for image in images]
        return layout
    folders = _by_folders(images)
    table = _labels_table(texts, kind, classes=len({item.label for item in folders.items}))
    if table is None:
        layout.items = folders.items
        layout.refused += folders.refused
        layout.notes += folders.notes
    else:
        layout.items = _by_table(*table, images, kind, layout.notes)
    if listing.stray:
        layout.notes.append(f"Ignored: {counted(listing.stray, 'hidden or system file')}.")
    unused = len(texts) - (table is not None)
    if unused:
        layout.notes.append(f"Ignored: {counted(unused, 'text file')}.")
    if kind == "probe":
        layout.items = [Item(item.source, item.label, "") for item in layout.items]
    return layout


def sort_out(listing: Listing) -> tuple[list[Source], list[Source]]:
    """Return possible images and text files; archives within the upload are refused."""
    images, texts = [], []
    for source in listing.sources:
        name = source.name.lower()
        if name.endswith(TEXT_SUFFIXES):
            texts.append(source)
        elif name.endswith(ARCHIVE_SUFFIXES):
            listing.refuse(source.name, "an archive inside the upload is not opened")
        else:
            images.append(source)
    return images, texts


def _by_folders(images: list[Source]) -> Layout:
    """Read classes from folder names, below the folders of a given split if there is one."""
    paths = _without_wrappers([tuple(source.name.split("/")) for source in images])
    parts = _part_folders(paths)
    layout = Layout([])
    for source, path in zip(images, paths, strict=True):
        below: tuple[str, ...] = path
        part: Part | None = ""
        if parts:
            below, part = path[1:], parts.get(path[0])
        label = clean_name(below[0]) if len(below) > 1 else ""
        if part is None or not label.strip():
            layout.refused.append(Refused(name=clean_name(source.name), reason=NO_CLASS))
        else:
            layout.items.append(Item(source, label, part))
    return layout


Paths = list[tuple[str, ...]]


def _without_wrappers(paths: Paths) -> Paths:
    """Drop single outer folders, such as the one a zip of a folder begins with."""
    while len({path[0] for path in paths if len(path) > 1}) == 1 and max(map(len, paths)) > 2:
        paths = [path[1:] if len(path) > 1 else path for path in paths]
    return paths


def _part_folders(paths: Paths) -> dict[str, Part] | None:
    """Return the top folders of a given split with their parts; None if these are classes.

    A split needs class folders inside its folders: `train/` full of images is a class of trains.
    A training folder that has nothing but loose images beside it is the whole set, without a split.
    """
    tops = {path[0] for path in paths if len(path) > 1}
    deep = {path[0] for path in paths if len(path) > 2}
    parts = {top: PART_NAMES[top.lower()] for top in deep if top.lower() in PART_NAMES}
    if "train" not in parts.values() or any(top.lower() not in PART_NAMES for top in tops):
        return None
    if set(parts.values()) == {"train"}:
        return dict.fromkeys(parts, "")
    return parts


def _labels_table(
    texts: list[Source], kind: Kind, classes: int
) -> tuple[tabular.Table, Source] | None:
    """Return the table of labels to use, if any: where folders name classes, only `labels.csv`."""
    tables = []
    for source in texts:
        if not source.name.lower().endswith(tabular.SUFFIXES) or source.size > MAX_TABLE_BYTES:
            continue
        if classes > 1 and posixpath.basename(source.name).lower() != LABELS_FILE:
            continue
        try:
            table = tabular.parse(source.read(MAX_TABLE_BYTES), kind)
        except Unreadable:
            continue
        if table is not None:
            tables.append((table, source))
    if len(tables) > 1:
        names = tuple(clean_name(source.name) for _, source in tables)
        raise BadInput(
            f"There are {len(tables)} tables of labels ({', '.join(names[:3])}). Keep the one that "
            "names every image; a column 'split' may say which images are for testing.",
            names,
        )
    return tables[0] if tables else None


def _by_table(
    table: tabular.Table, source: Source, images: list[Source], kind: Kind, notes: list[str]
) -> list[Item]:
    by_name = {image.name: image for image in images}
    items = tabular.items(table, source.name, kind, _finder(source.name, by_name.get))
    listed = Counter(item.source.name for item in items)
    missing = sum(name not in listed for name in by_name)
    if missing:
        files = counted(missing, "file")
        notes.append(f"Left out, because {clean_name(source.name)} does not name them: {files}.")
    return items


def _finder(table: str, find: Callable[[str], Source | None]) -> Callable[[str], Source | None]:
    base = posixpath.dirname(table)
    return lambda name: find(posixpath.join(base, name))
