"""Tables of labels: a CSV with a column of image files and a column of classes."""

import csv
import io
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tl_core.datasets.records import Kind, Part
from tl_core.ingest.sources import Source, clean_name, counted, safe_name, too_many_entries
from tl_core.limits import MAX_ENTRIES, BadInput, Unreadable

SUFFIXES: Final = (".csv", ".tsv")

IMAGE_COLUMNS: Final = ("image", "file", "filename", "path", "image_path")
_CLASS_COLUMNS: Final = ("label", "class", "class_name", "target", "category")
_SOURCE_COLUMNS: Final = ("class_index", "synset", "class_name")
_PART_COLUMNS: Final = ("split", "part")
GROUP_COLUMN: Final = "group"

PART_NAMES: Final[dict[str, Part]] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class Item:
    """One image with its class name and part, not yet read.

    `group`: what splits never divide (the same object, patient, burst of a camera); "" for none.
    """

    source: Source
    label: str
    part: Part
    group: str = ""


@dataclass(frozen=True)
class Table:
    """Rows as lists of cells, under lower-case column names; `line` of a row is its index + 2."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, names: Sequence[str]) -> int | None:
        """Return the position of the first of these columns that exists."""
        return next((self.columns.index(n) for n in names if n in self.columns), None)


def class_columns(kind: Kind) -> tuple[str, ...]:
    """Return the names of class columns, the preferred first."""
    if kind == "probe":
        return (*_SOURCE_COLUMNS, *_CLASS_COLUMNS)
    return (*_CLASS_COLUMNS, *_SOURCE_COLUMNS)


def parse(content: bytes, kind: Kind) -> Table | None:
    """Return the table, or None if it has no column of images or none of classes.

    Raises BadInput if it is not text or has too many rows.
    """
    table = read(content)
    if table is None:
        return None
    found = table.column(IMAGE_COLUMNS), table.column(class_columns(kind))
    return None if None in found else table


def read(content: bytes) -> Table | None:
    """Return a table whatever its columns and delimiter, None if it is empty.

    Raises BadInput if it is not text or has too many rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What spreadsheet programs write in Western Europe; every byte means something in it.
        text = content.decode("latin-1")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=header.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        # One more than allowed: the rest would only take memory.
        lines = list(islice(reader, MAX_ENTRIES + 2))
    except csv.Error as error:
        raise BadInput(f"The table cannot be read ({error}). Save it again as CSV.") from error
    if not lines:
        return None
    columns = tuple(name.strip().lower() for name in lines[0])
    rows = tuple(tuple(cell.strip() for cell in line) for line in lines[1:])
    if len(rows) > MAX_ENTRIES:
        raise too_many_entries()
    return Table(columns, rows)


def expected_columns() -> str:
    """Return what a table must have, as part of a sentence."""
    return (
        f"a column of files ({', '.join(IMAGE_COLUMNS)}) and a column of classes "
        f"({', '.join(_CLASS_COLUMNS)})"
    )


def items(table: Table, name: str, kind: Kind, find: Callable[[str], Source | None]) -> list[Item]:
    """Return the rows' images. `find` gets names relative to the table `name`'s own folder.

    Raises BadInput that lists every faulty row: a missing file, no class, an unknown part.
    """
    image = table.column(IMAGE_COLUMNS)
    label = table.column(class_columns(kind))
    part = table.column(_PART_COLUMNS) if kind == "target" else None
    group = table.column([GROUP_COLUMN]) if kind == "target" else None
    assert image is not None and label is not None
    found: list[Item] = []
    faults: list[str] = []
    for line, row in enumerate(table.rows, start=2):
        if not any(row):
            continue
        cells = row + ("",) * (len(table.columns) - len(row))
        try:
            source = _file(cells[image], find)
            part_name = _part(cells[part]) if part is not None else ""
            together = cells[group] if group is not None else ""
            found.append(Item(source, _label(cells[label]), part_name, together))
        except Unreadable as error:
            faults.append(f"row {line}: {error}")
    if part is not None and len({bool(item.part) for item in found}) > 1:
        faults += [f"no split is given for {i.source.name}" for i in found if not i.part]
    if faults:
        raise BadInput(
            f"{counted(len(faults), 'row')} of {clean_name(name)} cannot be used ({faults[0]}). "
            "Correct the table, or bring the missing images with it; file names are relative to "
            "the table's folder.",
            tuple(faults),
        )
    return found


def _file(cell: str, find: Callable[[str], Source | None]) -> Source:
    if not cell:
        raise Unreadable("no file is named")
    source = find(safe_name(posixpath.normpath(cell.replace("\\", "/"))))
    if source is None:
        raise Unreadable(f"the file {clean_name(cell)} is missing")
    return source


def _label(cell: str) -> str:
    label = clean_name(cell)
    if not label.strip():
        raise Unreadable("no class is named")
    return label


def _part(cell: str) -> Part:
    if not cell:
        return ""
    part = PART_NAMES.get(cell.lower())
    if part is None:
        raise Unreadable(f"'{clean_name(cell)}' is not train, validation or test")
    return part
