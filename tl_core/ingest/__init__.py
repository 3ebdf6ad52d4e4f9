"""Whatever a user brings -> a data set: a folder, a zip, a table of labels, uploaded files."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from tl_core.datasets import records
from tl_core.datasets.decoding import STORED_SHORT_SIDE
from tl_core.datasets.records import Dataset, Kind
from tl_core.ingest import tabular
from tl_core.ingest.archives import open_zip
from tl_core.ingest.assembly import commit
from tl_core.ingest.image_writer import Progress
from tl_core.ingest.layout import Layout, arrange
from tl_core.ingest.samples import SAMPLES, Sample, preview, sample, sample_name
from tl_core.ingest.samples import known as known_sample
from tl_core.ingest.sources import (
    Source,
    clean_name,
    file_source,
    list_files,
    list_folder,
    signature,
)
from tl_core.ingest.waiting import WaitingRoom
from tl_core.limits import (
    MAX_ENTRIES,
    MAX_IMAGE_BYTES,
    MAX_NAME,
    MAX_PIXELS,
    MAX_RATIO,
    MAX_TABLE_BYTES,
    MAX_UNPACKED_BYTES,
    MAX_ZIP_BYTES,
    MIN_CLASS_IMAGES,
    BadInput,
    Unreadable,
)

__all__ = [
    "MAX_ENTRIES",
    "MAX_IMAGE_BYTES",
    "MAX_NAME",
    "MAX_PIXELS",
    "MAX_RATIO",
    "MAX_UNPACKED_BYTES",
    "MAX_ZIP_BYTES",
    "MIN_CLASS_IMAGES",
    "SAMPLES",
    "STORED_SHORT_SIDE",
    "BadInput",
    "Sample",
    "WaitingRoom",
    "ingest_files",
    "ingest_path",
    "ingest_waiting",
    "ingest_zip",
    "known_sample",
    "preview",
    "sample",
    "sample_name",
]

# Raised when the same files would give another data set, so that none is found by its files.
FORMAT: Final = "2"

SAMPLE_PREFIX: Final = "sample:"


def ingest_path(
    data: str | Path,
    *,
    name: str | None = None,
    kind: Kind = "target",
    progress: Progress | None = None,
) -> Dataset:
    """Take in a folder, a zip, a CSV or `sample:NAME` of this machine.

    Files that have not changed since the last time are not read again. Raises BadInput, naming what
    is wrong, if there is nothing that can be used.
    """
    if isinstance(data, str) and data.startswith(SAMPLE_PREFIX):
        return sample(data.removeprefix(SAMPLE_PREFIX), progress)
    path = Path(data).expanduser()
    given = name or clean_name(path.resolve().stem)
    if path.is_dir():
        listing = list_folder(path)
        mark = signature(listing.sources, FORMAT, kind, clean_name(str(path.resolve())))
        return _known(mark) or _commit(arrange(listing, kind), given, kind, mark, progress)
    if not path.is_file():
        raise BadInput(
            f"There is no file or folder '{data}'. Give a folder of class folders, a zip, a CSV "
            f"or {SAMPLE_PREFIX}NAME."
        )
    if path.suffix.lower() in tabular.SUFFIXES:
        return _ingest_table(path, given, kind, progress)
    if path.suffix.lower() != ".zip":
        raise BadInput(
            f"'{data}' is neither a folder nor a zip nor a CSV. Put the images of each class in a "
            "folder of its own, and give the folder around them."
        )
    mark = signature([file_source(path, path.name)], FORMAT, kind, clean_name(str(path.resolve())))
    return _known(mark) or _ingest_zip(path, given, kind, mark, progress)


def ingest_zip(
    file: Path | BinaryIO,
    *,
    name: str,
    kind: Kind = "target",
    progress: Progress | None = None,
) -> Dataset:
    """Take in an uploaded zip; nothing is unpacked to disk. Raises BadInput like `ingest_path`."""
    return _ingest_zip(file, name, kind, "", progress)


def ingest_files(
    files: Iterable[tuple[str, BinaryIO | Path]],
    *,
    name: str,
    kind: Kind = "target",
    progress: Progress | None = None,
) -> Dataset:
    """Take in uploaded files by relative names such as "cat/a.png", or loose ones with a table.

    Raises BadInput like `ingest_path`.
    """
    return _commit(arrange(list_files(files), kind), name, kind, "", progress)


def ingest_waiting(waiting: WaitingRoom, *, name: str, progress: Progress | None = None) -> Dataset:
    """Make a data set of pictures that wait class by class; each burst of frames is one group.

    They go on waiting, to be added to. Raises BadInput like `ingest_path`.
    """
    return _commit(waiting.layout(), name, "target", "", progress)


def _ingest_zip(
    file: Path | BinaryIO, name: str, kind: Kind, mark: str, progress: Progress | None
) -> Dataset:
    with open_zip(file) as listing:
        return _commit(arrange(listing, kind), name, kind, mark, progress)


def _ingest_table(path: Path, name: str, kind: Kind, progress: Progress | None) -> Dataset:
    try:
        own = file_source(path, path.name)
        table = tabular.parse(own.read(MAX_TABLE_BYTES), kind)
    except Unreadable as error:
        raise BadInput(f"The table {path.name} cannot be used: {error}.") from error
    if table is None:
        raise BadInput(
            f"{path.name} lacks columns: its first line must name {tabular.expected_columns()}."
        )

    def find(relative: str) -> Source | None:
        try:
            return file_source(path.parent / relative, relative)
        except Unreadable:
            return None

    items = tabular.items(table, path.name, kind, find)
    sources = [own, *(item.source for item in items)]
    mark = signature(sources, FORMAT, kind, clean_name(str(path.resolve())))
    return _known(mark) or _commit(Layout(items), name, kind, mark, progress)


def _known(mark: str) -> Dataset | None:
    return records.find_signature(mark)


def _commit(layout: Layout, name: str, kind: Kind, mark: str, progress: Progress | None) -> Dataset:
    return commit(layout, name=name, kind=kind, signature=mark, progress=progress)
