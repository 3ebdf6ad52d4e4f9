"""Data sets as they lie in the data directory: what is known of each, saving, finding, deleting."""

import hashlib
import re
import shutil
import threading
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from tl_core import owners
from tl_core.config import DRAWN
from tl_core.home import folder
from tl_core.limits import BadInput

Kind = Literal["target", "probe", "unlabelled"]
Part = Literal["", "train", "validation", "test"]

RECORD: Final = "dataset.json"
IMAGES: Final = "images"
THUMBNAILS: Final = "thumbs"

# How the signatures of sample sets begin.
SAMPLE: Final = "sample:"

_FOLDER_DIGITS: Final = 24

# Images whose descriptions are held in memory, about a kilobyte each.
MOST_DESCRIBED: Final = 100_000
_kept: dict[Path, tuple[tuple[int, ...], "Dataset"]] = {}
_keeping: Final = threading.Lock()


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what is saved; an unknown field fails."""


class ImageRecord(Record, frozen=True):
    """One image. `name`: as it was brought; `file`: relative to the data set's folder.

    `pixels`: SHA-256 of the stored pixels and their size. `width`, `height`: upright, before
    downscaling. `mode`: Pillow's mode of the original file; `frames`: how many it held.
    """

    name: str
    file: str
    label: int
    part: Part
    pixels: str
    width: int
    height: int
    mode: str
    frames: int


class Refused(Record, frozen=True):
    """One file that is not in the data set, and why."""

    name: str
    reason: str


class Dataset(Record, frozen=True):
    """A data set; `label` of an image is an index into `classes`.

    `images` are in an order that their content alone decides. `notes` are sentences for the user.
    `mirror`: whether left and right may be exchanged without changing the class. `created`: ISO
    time in UTC. `signature`: of the files it was read from, to find it again without reading them.

    `together`: groups of images, by pixels, that no split divides: a burst, a patient, copies.
    `edited_from`: fingerprint of the data set that this one was made from by `edits`, sentences for
    the user.
    """

    name: str
    fingerprint: str
    kind: Kind
    classes: tuple[str, ...]
    images: tuple[ImageRecord, ...]
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()
    mirror: bool = True
    created: str = ""
    signature: str = ""
    together: tuple[tuple[str, ...], ...] = ()
    edited_from: str = ""
    edits: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it lies: with whom it belongs to, or with what came with the app."""
        root = folder("datasets") if is_shared(self) else owners.folder("datasets")
        return root / self.fingerprint[:_FOLDER_DIGITS]


def is_shared(dataset: Dataset) -> bool:
    """Return whether a data set comes with the app: a sample set, or images that it draws."""
    return dataset.signature.startswith((SAMPLE, DRAWN))


def fingerprint(
    kind: Kind,
    content: Iterable[tuple[str, Part, str]],
    together: Iterable[tuple[str, ...]] = (),
) -> str:
    """Return the SHA-256 (hex) over class name, part and pixels of all images, in any order.

    `together`: groups of pixels that splits keep together, which decide the splits. A probe never
    shares a fingerprint with a target set: its classes mean something else.
    """
    lines = sorted(msgspec.json.encode(line) for line in content)
    lines += sorted(msgspec.json.encode(("together", *group)) for group in together)
    return hashlib.sha256(b"\n".join([kind.encode(), *lines])).hexdigest()


def now() -> str:
    """Return the time as the records have it."""
    return datetime.now(UTC).isoformat()


def save(dataset: Dataset) -> None:
    """Write the description into the data set's folder, at once or not at all.

    Raises BadInput for what belongs to everyone, in the name of one of them.
    """
    if is_shared(dataset) and owners.current() not in (owners.LOCAL, owners.EVERYBODY):
        raise BadInput("These images are everyone's here, and stay as they are.")
    write_record(dataset, dataset.folder)


def write_record(dataset: Dataset, into: Path) -> None:
    """Write the description into a folder that exists."""
    part = into / f"{uuid.uuid4().hex}.part"
    part.write_bytes(msgspec.json.encode(dataset))
    part.replace(into / RECORD)


def load(fingerprint_or_prefix: str) -> Dataset:
    """Return a data set; raises BadInput if none, or more than one, has a fingerprint so begun."""
    prefix = fingerprint_or_prefix.lower()
    found = []
    if re.fullmatch("[0-9a-f]{1,64}", prefix):
        found = _found(f"{prefix[:_FOLDER_DIGITS]}*")
    sets = [dataset for dataset in found if dataset.fingerprint.startswith(prefix)]
    if len(sets) == 1:
        return sets[0]
    shown = fingerprint_or_prefix[:12]
    if sets:
        raise BadInput(f"Several data sets begin with '{shown}'. Give more of its digits.")
    raise BadInput(f"There is no data set '{shown}' in the data directory. Bring the images again.")


def _found(pattern: str) -> list[Dataset]:
    """Return the current owner's data sets and the shared ones; one's own goes first."""
    kept: dict[str, Dataset] = {}
    for root in owners.folders("datasets"):
        for path in root.glob(pattern):
            dataset = _read(path) if path.name[0] != "." else None
            if dataset is not None:
                kept.setdefault(dataset.fingerprint, dataset)
    return list(kept.values())


def _read(path: Path) -> Dataset | None:
    """Return the data set of a folder, None if it is something else or of another version.

    None as well for what somebody else keeps among the shared ones.
    """
    try:
        about = (path / RECORD).stat()
        dataset = _decoded(path / RECORD, (about.st_ino, about.st_mtime_ns, about.st_size))
    except (OSError, msgspec.DecodeError):
        return None
    among_shared = not owners.owns_all() and path.parent == folder("datasets")
    if path.name != dataset.fingerprint[:_FOLDER_DIGITS]:
        return None
    return None if among_shared and not is_shared(dataset) else dataset


def _decoded(path: Path, stamp: tuple[int, ...]) -> Dataset:
    """Return what a file says, decoded once: lists of data sets are read at every look at a page.

    The longest unused go once all together describe MOST_DESCRIBED images.
    """
    with _keeping:
        known = _kept.pop(path, None)
        if known is not None and known[0] == stamp:
            _kept[path] = known
            return known[1]
    dataset = msgspec.json.decode(path.read_bytes(), type=Dataset)
    if _content_hash(dataset) != dataset.fingerprint:
        raise msgspec.DecodeError("This is not the data set whose fingerprint it has.")
    with _keeping:
        _kept[path] = stamp, dataset
        while sum(len(one.images) for _, one in _kept.values()) > MOST_DESCRIBED and len(_kept) > 1:
            del _kept[next(iter(_kept))]
    return dataset


def _content_hash(dataset: Dataset) -> str:
    """Return the fingerprint of what a description says; raises DecodeError if it says nonsense."""
    try:
        content = [(dataset.classes[one.label], one.part, one.pixels) for one in dataset.images]
    except IndexError as error:
        raise msgspec.DecodeError("A label has no class.") from error
    return fingerprint(dataset.kind, content, dataset.together)


def all_datasets(kind: Kind | None = None) -> list[Dataset]:
    """Return the data sets there are, newest first; folders of other origin are passed over."""
    sets = [dataset for dataset in _found("*") if kind in (None, dataset.kind)]
    return sorted(sets, key=lambda dataset: dataset.created, reverse=True)


def successor(fingerprint: str) -> Dataset | None:
    """Return the newest data set that was made from this one by an edit, None if there is none."""
    made = [dataset for dataset in _all() if dataset.edited_from == fingerprint]
    return max(made, key=lambda dataset: dataset.created, default=None)


def find_signature(signature: str) -> Dataset | None:
    """Return the data set that was read from files with this signature, if it is complete."""
    found = (dataset for dataset in _all() if dataset.signature == signature)
    return next((dataset for dataset in found if is_complete(dataset)), None)


def _all() -> Iterator[Dataset]:
    for root in owners.folders("datasets"):
        for path in sorted(root.glob("[0-9a-f]*")):
            dataset = _read(path)
            if dataset is not None:
                yield dataset


def is_complete(dataset: Dataset) -> bool:
    """Return whether every image's file and thumbnail is there."""
    wanted = {image.file for image in dataset.images}
    wanted |= {f"{THUMBNAILS}/{image.pixels}.webp" for image in dataset.images}
    try:
        folders = [dataset.folder / IMAGES, dataset.folder / THUMBNAILS]
        return {
            f"{path.parent.name}/{path.name}" for f in folders for path in f.iterdir()
        } >= wanted
    except OSError:
        return False


def delete(fingerprint: str) -> None:
    """Remove a data set of the current owner's; one that is already gone is no error."""
    if not re.fullmatch("[0-9a-f]{64}", fingerprint):
        raise BadInput("Only a full fingerprint of 64 hexadecimal digits can be deleted.")
    path = owners.folder("datasets") / fingerprint[:_FOLDER_DIGITS]
    # Renamed first: a half-deleted data set must not be found.
    doomed = path.with_name(f".deleted-{uuid.uuid4().hex}")
    try:
        path.rename(doomed)
    except FileNotFoundError:
        return
    shutil.rmtree(doomed, ignore_errors=True)
