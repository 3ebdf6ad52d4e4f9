"""What the web process and an intake process say to each other: one JSON value a line."""

from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from tl_core.datasets.records import Kind
from tl_core.ingest.keeping import Kept
from tl_core.ingest.tabular import Table as Rows
from tl_core.ingest.waiting import WaitingRoom
from tl_core.weights import WeightsFile


class Spooled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One uploaded file: the name it came with, and where it lies now."""

    name: str
    path: str


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="wanted"):
    """Common ground of all requests."""


class Images(Wanted, frozen=True, tag="images"):
    """A data set of images by relative names; the answer is its fingerprint."""

    name: str
    kind: Kind
    files: tuple[Spooled, ...]


class Zip(Wanted, frozen=True, tag="zip"):
    """A data set of a zip; the answer is its fingerprint."""

    name: str
    kind: Kind
    file: Spooled


class Collected(Wanted, frozen=True, tag="collected"):
    """A data set of what waits class by class; the answer is its fingerprint."""

    name: str
    room: WaitingRoom


class Burst(Wanted, frozen=True, tag="burst"):
    """The camera's message, as JSON in a file; the answer is what was kept of it in `into`."""

    file: Spooled
    into: str


class Files(Wanted, frozen=True, tag="files"):
    """Loose images that are to wait; the answer is what was kept of them in `into`."""

    files: tuple[Spooled, ...]
    into: str


class Weights(Wanted, frozen=True, tag="weights"):
    """A weights file for a model of the catalog; the answer describes it."""

    model: str
    file: Spooled


class Table(Wanted, frozen=True, tag="table"):
    """A CSV; the answer is its cells."""

    file: Spooled


Request: TypeAlias = Images | Zip | Collected | Burst | Files | Weights | Table


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one line that a process gets. `mark`: by which what it leaves unfinished is found."""

    owner: str
    mark: str
    request: Request


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="said"):
    """Common ground of all that a process says."""


class Progress(Said, frozen=True, tag="progress"):
    """How far it is, in words and as a share from 0 to 1."""

    text: str
    share: float | None


class Last(Said, frozen=True):
    """The last line. `peak_mb`: the most memory that the process ever had, None where unknown."""

    peak_mb: float | None


class Done(Last, frozen=True):
    """The last line of a process that did what it was to do."""


class Taken(Done, frozen=True, tag="taken"):
    """A data set was made."""

    fingerprint: str


class Waits(Done, frozen=True, tag="waits"):
    """Pictures were kept."""

    kept: Kept


class Added(Done, frozen=True, tag="added"):
    """A weights file was added."""

    file: WeightsFile


class Read(Done, frozen=True, tag="read"):
    """A table was read; None for an empty one."""

    table: Rows | None


class Refused(Last, frozen=True, tag="refused"):
    """It cannot be used: one sentence, and every single fault."""

    reason: str
    details: tuple[str, ...] = ()


class NoMemory(Last, frozen=True, tag="no memory"):
    """It needs more memory than reading may take."""


class Broke(Last, frozen=True, tag="broke"):
    """Something went wrong that nobody foresaw: the error's type and frames, for the log."""

    error: str
    at: list[str]


Finished: TypeAlias = Taken | Waits | Added | Read
Answer: TypeAlias = Progress | Finished | Refused | NoMemory | Broke


def _to_json(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError


def _from_json(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError


def encode(message: Order | Answer) -> bytes:
    """Return a message as one line."""
    return msgspec.json.encode(message, enc_hook=_to_json) + b"\n"


orders: "msgspec.json.Decoder[Order]" = msgspec.json.Decoder(Order, dec_hook=_from_json)
answers: "msgspec.json.Decoder[Answer]" = msgspec.json.Decoder(Answer)
