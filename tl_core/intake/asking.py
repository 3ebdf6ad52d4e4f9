"""Small uploads that somebody waits for: what came of each, once it has been read."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from tl_core import datasets
from tl_core.datasets import Dataset, Kind
from tl_core.ingest import bursts
from tl_core.ingest.keeping import Kept
from tl_core.ingest.tabular import Table as Rows
from tl_core.ingest.waiting import File
from tl_core.intake import messages
from tl_core.intake.process import Intake
from tl_core.intake.spool import Spool
from tl_core.weights import WeightsFile


def data_set(intake: Intake) -> Dataset:
    """Wait for a data set that is being read; raises BadInput if there is none."""
    answer = intake.result()
    assert isinstance(answer, messages.Taken)
    return datasets.load(answer.fingerprint)


def images(files: Sequence[tuple[str, IO[bytes]]], name: str, kind: Kind) -> Dataset:
    """Return the data set of some images; raises BadInput if there is none."""
    spool = Spool()
    wanted = messages.Images(name, kind, spool.add_all(files))
    return data_set(Intake(wanted, spool))


def keep_burst(message: bursts.Message, folder: Path) -> Kept:
    """Keep a camera's burst as `ingest.keeping` does."""
    spool = Spool()
    file = spool.add("burst", io.BytesIO(msgspec.json.encode(message)))
    return _kept(Intake(messages.Burst(file, str(spool.kept)), spool, folder))


def keep_files(files: Sequence[File], folder: Path) -> Kept:
    """Keep uploaded images as `ingest.keeping` does."""
    spool = Spool()
    spooled = spool.add_all([(name, file) for name, file in files if not isinstance(file, Path)])
    return _kept(Intake(messages.Files(spooled, str(spool.kept)), spool, folder))


def _kept(intake: Intake) -> Kept:
    answer = intake.result()
    assert isinstance(answer, messages.Waits)
    return answer.kept


def weights(model: str, name: str, file: IO[bytes]) -> WeightsFile:
    """Add a weights file to a model's; raises BadInput if it cannot be used."""
    spool = Spool()
    answer = Intake(messages.Weights(model, spool.add(name, file)), spool).result()
    assert isinstance(answer, messages.Added)
    return answer.file


def table(name: str, file: IO[bytes]) -> Rows | None:
    """Return the cells of a CSV, None if it is empty; raises BadInput if it is none."""
    spool = Spool()
    answer = Intake(messages.Table(spool.add(name, file)), spool).result()
    assert isinstance(answer, messages.Read)
    return answer.table
