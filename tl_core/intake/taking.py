"""What each kind of request does, inside the process that is made for it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from tl_core import ingest, weights
from tl_core.catalog import catalog
from tl_core.ingest import bursts, keeping, tabular
from tl_core.ingest.image_writer import Progress
from tl_core.ingest.sources import file_source
from tl_core.intake import messages
from tl_core.intake.messages import Finished, Request, Spooled
from tl_core.limits import MAX_TABLE_BYTES, BadInput, Unreadable

# What is to be said at the end, once it is known how much memory it took.
Answer: TypeAlias = Callable[[float | None], Finished]


def take(request: Request, progress: Progress) -> Answer:
    """Do what is asked; raises BadInput or BadWeights, with nothing left, if it cannot be done."""
    match request:
        case messages.Images(name, kind, files):
            data = ingest.ingest_files(_paths(files), name=name, kind=kind, progress=progress)
            return lambda peak: messages.Taken(peak, data.fingerprint)
        case messages.Zip(name, kind, file):
            data = ingest.ingest_zip(Path(file.path), name=name, kind=kind, progress=progress)
            return lambda peak: messages.Taken(peak, data.fingerprint)
        case messages.Collected(name, room):
            data = ingest.ingest_waiting(room, name=name, progress=progress)
            return lambda peak: messages.Taken(peak, data.fingerprint)
        case messages.Burst(file, into):
            kept = keeping.keep_burst(bursts.decode(Path(file.path).read_bytes()), Path(into))
            return lambda peak: messages.Waits(peak, kept)
        case messages.Files(files, into):
            kept = keeping.keep_files(_paths(files), Path(into))
            return lambda peak: messages.Waits(peak, kept)
        case messages.Weights(model, file):
            added = weights.add(catalog()[model], Path(file.path), name=file.name)
            return lambda peak: messages.Added(peak, added)
        case messages.Table(file):
            table = _table(file)
            return lambda peak: messages.Read(peak, table)


def _paths(files: Sequence[Spooled]) -> list[tuple[str, Path]]:
    return [(file.name, Path(file.path)) for file in files]


def _table(file: Spooled) -> tabular.Table | None:
    try:
        return tabular.read(file_source(Path(file.path), file.name).read(MAX_TABLE_BYTES))
    except Unreadable as error:
        raise BadInput(f"The table cannot be used: {error}.") from error
