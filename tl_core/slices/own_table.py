"""A user's own attributes: a CSV with a column of files and a column for each attribute."""

import posixpath
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tl_core.datasets import Dataset
from tl_core.ingest import tabular
from tl_core.ingest.sources import clean_name
from tl_core.limits import BadInput
from tl_core.slices.judging import Attribute
from tl_core.wording import capitalised, number_of

MAX_ATTRIBUTES: Final = 20
MAX_VALUES: Final = 12
# Columns that label tables usually have beside the attributes.
_NO_ATTRIBUTE: Final = ("label", "class", "split", "part")


@dataclass(frozen=True)
class OwnTable:
    """What a table says of a data set's images.

    `unmatched`: files that are not in the data set; `without`: how many images no row is about.
    """

    attributes: tuple[Attribute, ...]
    unmatched: tuple[str, ...]
    without: int


def own_table(table: tabular.Table | None, dataset: Dataset) -> OwnTable:
    """Return the attributes in a table; a cell may be empty, a row's file may be unknown.

    A file is named as it was brought, or by the end of its path where only one image ends so.
    Raises BadInput with what to change in a table that cannot be used.
    """
    place = table.column(tabular.IMAGE_COLUMNS) if table else None
    if table is None or place is None:
        raise BadInput(
            "The table has no column of files. Its first line has to name the columns, one of "
            f"them {', '.join(tabular.IMAGE_COLUMNS[:2])} or {tabular.IMAGE_COLUMNS[2]}."
        )
    columns = _attribute_columns(table, place)
    by_image, unmatched = _matched(table, place, dataset)
    attributes = tuple(_attribute(table, column, by_image, dataset) for column in columns)
    return OwnTable(attributes, unmatched, len(dataset.images) - len(by_image))


def _attribute_columns(table: tabular.Table, files: int) -> list[int]:
    columns = [
        place
        for place, name in enumerate(table.columns)
        if place != files and name and name not in _NO_ATTRIBUTE
    ]
    if not columns:
        raise BadInput(
            "The table has no attributes. Beside the column of files it needs one for each "
            "attribute, such as camera or lighting."
        )
    if len(columns) > MAX_ATTRIBUTES:
        raise BadInput(
            f"The table has {len(columns)} attributes; {MAX_ATTRIBUTES} at a time are possible. "
            "Leave columns out."
        )
    twice = [name for name, times in Counter(table.columns).items() if times > 1 and name]
    if twice:
        raise BadInput(f"Two columns are called {clean_name(twice[0])}. Rename one of them.")
    return columns


def _matched(
    table: tabular.Table, files: int, dataset: Dataset
) -> tuple[dict[int, tuple[str, ...]], tuple[str, ...]]:
    """Return the rows by image, and the files that are not in the data set."""
    endings = _endings(dataset)
    by_image: dict[int, tuple[str, ...]] = {}
    unmatched, faults = [], []
    for line, row in enumerate(table.rows, start=2):
        cells = row + ("",) * (len(table.columns) - len(row))
        if not any(cells):
            continue
        image = endings.get(_normal(cells[files]))
        if image is None:
            unmatched.append(clean_name(cells[files]) or f"row {line}: no file is named")
        elif by_image.get(image, cells)[: len(table.columns)] != cells[: len(table.columns)]:
            faults.append(f"row {line}: {clean_name(cells[files])} was described otherwise above")
        else:
            by_image[image] = cells
    if faults:
        raise BadInput(
            f"{number_of(len(faults), 'row')} of the table contradict earlier ones ({faults[0]}). "
            "Keep one row for each file.",
            tuple(faults),
        )
    if not by_image:
        example = clean_name(dataset.images[0].name)
        raise BadInput(
            "No file of the table is in the data set. Name files as they were brought, such as "
            f"{example}.",
            tuple(unmatched),
        )
    return by_image, tuple(unmatched)


def _endings(dataset: Dataset) -> Mapping[str, int]:
    """Return images by every ending of their path that no other image has, and by the whole."""
    found: dict[str, set[int]] = {}
    for index, image in enumerate(dataset.images):
        parts = _normal(image.name).split("/")
        for start in range(len(parts)):
            found.setdefault("/".join(parts[start:]), set()).add(index)
    unique = {ending: next(iter(images)) for ending, images in found.items() if len(images) == 1}
    return unique | {_normal(image.name): index for index, image in enumerate(dataset.images)}


def _normal(name: str) -> str:
    return clean_name(posixpath.normpath(name.replace("\\", "/"))) if name else ""


def _attribute(
    table: tabular.Table, column: int, by_image: Mapping[int, tuple[str, ...]], dataset: Dataset
) -> Attribute:
    name = clean_name(table.columns[column])
    values = [""] * len(dataset.images)
    for image, cells in by_image.items():
        values[image] = clean_name(cells[column]).strip()
    distinct = len(set(values) - {""})
    if distinct > MAX_VALUES:
        raise BadInput(
            f"The attribute {name} has {distinct} values; {MAX_VALUES} are possible. Give ranges "
            "instead of numbers (young, old), or leave the column out."
        )
    return Attribute(f"own {name}", capitalised(name), tuple(values))
