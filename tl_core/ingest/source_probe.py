"""Labelled images of a source task that this project draws itself: made once, then found again."""

from collections.abc import Iterator
from typing import Final

import filelock
import numpy as np
from numpy.typing import NDArray

from tl_core import owners
from tl_core.catalog import Model
from tl_core.config import DRAWN, NotPossible
from tl_core.datasets import records
from tl_core.datasets.records import Dataset
from tl_core.home import folder
from tl_core.ingest.assembly import commit
from tl_core.ingest.image_writer import Progress
from tl_core.ingest.layout import Layout
from tl_core.ingest.samples.pictures import encoded
from tl_core.ingest.sources import Source
from tl_core.ingest.tabular import Item
from tl_core.procedural import CLASSES, VERSION

COUNT: Final = 1000
# Training draws with the ten millions and what follows them: the model has seen none of these.
SEED: Final = 1_234_567
NAME: Final = "Drawn source images"
# Images to learn from are others than those that measure.
LEARNING_SEED: Final = 7_654_321
LEARNING_NAME: Final = "Drawn source images to learn from"

# Raised when the same images would be stored in another way.
FORMAT: Final = 1


def probe_of(row: Model) -> str | None:
    """Return what a configuration calls a model's own drawn images, None if it has none.

    It says all that decides them, and is the signature of their data set.
    """
    return _signature(row, SEED)


def _signature(row: Model, seed: int) -> str | None:
    if not row.weights.drawn:
        return None
    return f"{DRAWN}{row.weights.source_classes}:{VERSION}:{COUNT}:{seed}:{FORMAT}"


def known(row: Model) -> Dataset | None:
    """Return a model's drawn source images if they were drawn before."""
    signature = probe_of(row)
    return records.find_signature(signature) if signature else None


def drawn(row: Model, progress: Progress | None = None) -> Dataset:
    """Return a model's drawn source images, made on first need, which takes some seconds.

    Imports torch then: only for worker processes and commands. Processes that need them at the
    same time wait for the first. Raises NotPossible for a model whose source task cannot be drawn.
    """
    return _made(row, SEED, NAME, progress)


def drawn_apart(probe: Dataset, row: Model, progress: Progress | None = None) -> Dataset:
    """Return as many drawn source images, all others than those of `probe`, made on first need."""
    if probe.signature == _signature(row, LEARNING_SEED):
        return drawn(row, progress)
    return _made(row, LEARNING_SEED, LEARNING_NAME, progress)


def _made(row: Model, seed: int, name: str, progress: Progress | None) -> Dataset:
    signature = _signature(row, seed)
    if signature is None:
        raise NotPossible(
            f"{row.title} was trained on {row.weights.source_task}: they cannot be drawn. Bring "
            "labelled images of its source classes."
        )
    found = records.find_signature(signature)
    if found is not None:
        return found
    with filelock.FileLock(folder("datasets") / ".drawing.lock"):
        found = records.find_signature(signature)
        if found is not None:
            return found
        # Whoever needs them first draws them for all.
        with owners.acting(owners.EVERYBODY):
            return commit(
                Layout(list(_items(seed))),
                name=name,
                kind="probe",
                mirror=False,
                signature=signature,
                progress=progress,
            )


def is_drawn(dataset: Dataset) -> bool:
    """Return whether a data set was drawn here, so that it can be drawn again."""
    return dataset.signature.startswith(DRAWN)


def _items(seed: int) -> Iterator[Item]:
    from tl_core.procedural.drawing import draw

    made = draw(COUNT, seed)
    images = made.images.permute(0, 2, 3, 1).numpy()
    for number, (pixels, label) in enumerate(zip(images, made.labels.tolist(), strict=True)):
        name = CLASSES[label]
        yield Item(_source(f"{name}/{number:04}.png", pixels), name, "")


def _source(name: str, pixels: NDArray[np.uint8]) -> Source:
    content = encoded(pixels, "BMP")
    return Source(name, len(content), lambda limit: content[:limit])
