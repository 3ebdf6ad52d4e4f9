"""Sample sets, made on first use through the same door as an upload; each shows one lesson."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from tl_core import owners
from tl_core.datasets import records
from tl_core.datasets.records import SAMPLE, Dataset
from tl_core.ingest.assembly import commit
from tl_core.ingest.image_writer import Progress
from tl_core.ingest.layout import Layout
from tl_core.ingest.samples import defects, digits, leak, signs, threads
from tl_core.ingest.samples.pictures import Picture, drawn, encoded
from tl_core.ingest.sources import Source
from tl_core.ingest.tabular import Item
from tl_core.limits import BadInput

# Raised when a sample set's images change.
FORMAT: Final = 3


@dataclass(frozen=True)
class Sample:
    """A sample set.

    `summary`: what it is, in one line; `lesson`: what comparing strategies on it shows, as
    `benchmarks/sample_lessons.py` measures it. `mirror`: whether left and right may be exchanged
    without changing the class.
    """

    title: str
    summary: str
    lesson: str
    pictures: Callable[[], Iterator[Picture]]
    mirror: bool = True


SAMPLES: Final[dict[str, Sample]] = {
    "signs": Sample(
        title="Road signs by shape",
        summary="120 drawn roadside photographs of eight shapes of board, and 400 for testing.",
        lesson="Close to what the model was trained on: a frozen backbone is enough, and full "
        "fine-tuning forgets for no gain that can be measured.",
        pictures=partial(drawn, signs.draw, signs.COUNTS, signs.SEED),
    ),
    "digits": Sample(
        title="Handwritten digits",
        summary="300 real digits from 0 to 9 (scikit-learn), unlike any photograph.",
        lesson="Drawn digits taught the model, real ones profit: zero-shot reads some of them, a "
        "frozen backbone most of them.",
        pictures=digits.pictures,
        mirror=False,
    ),
    "defects": Sample(
        title="Faults on brushed metal",
        summary="268 drawn surfaces, most of them sound, and 500 of another mixture for testing.",
        lesson="Few faults, many sound parts: accuracy looks fine, balanced accuracy tells.",
        pictures=partial(drawn, defects.draw, defects.COUNTS, defects.SEED),
    ),
    "threads": Sample(
        title="Screws by thread",
        summary="160 drawn screws, left- or right-handed, and 400 for testing.",
        lesson="The classes differ in what the model learnt to ignore: training from scratch "
        "beats the frozen backbone.",
        pictures=partial(drawn, threads.draw, threads.COUNTS, threads.SEED),
        mirror=False,
    ),
    "leak": Sample(
        title="Leaves, carelessly collected",
        summary="160 drawn leaves of five trees and 450 for testing; some are in both, some are "
        "labelled wrongly.",
        lesson="Test images that repeat training images make every accuracy look better.",
        pictures=leak.pictures,
    ),
}


def sample(name: str, progress: Progress | None = None) -> Dataset:
    """Return a sample set, made on first use; raises BadInput for a name there is none of."""
    chosen = _find(name)
    found = known(name)
    if found is not None:
        return found
    items = [Item(_source(picture), picture.label, picture.part) for picture in chosen.pictures()]
    # Whoever needs it first makes it for all.
    with owners.acting(owners.EVERYBODY):
        return commit(
            Layout(items),
            name=chosen.title,
            kind="target",
            mirror=chosen.mirror,
            signature=_signature(name),
            progress=progress,
        )


def known(name: str) -> Dataset | None:
    """Return a sample set that has been made, None for one that was not used yet."""
    return records.find_signature(_signature(name))


def _signature(name: str) -> str:
    return f"{SAMPLE}{name}:{FORMAT}"


def sample_name(dataset: Dataset) -> str | None:
    """Return the name of the sample set that this data set is; None if it is none."""
    prefix, _, rest = dataset.signature.partition(":")
    return rest.partition(":")[0] if f"{prefix}:" == SAMPLE else None


def preview(name: str, most: int) -> list[tuple[str, bytes]]:
    """Return a few training images as PNG with their classes, without making the whole set.

    One of each class in turn, so that a short row shows as many classes as it can.
    """
    by_class: dict[str, list[Picture]] = {}
    for picture in _find(name).pictures():
        if picture.part in ("", "train"):
            by_class.setdefault(picture.label, []).append(picture)
    longest = max(map(len, by_class.values()))
    rows = (row[i] for i in range(longest) for row in by_class.values() if i < len(row))
    shown = [picture for picture, _ in zip(rows, range(most), strict=False)]
    return [(picture.label, encoded(picture.draw(), "PNG")) for picture in shown]


def _find(name: str) -> Sample:
    if name not in SAMPLES:
        raise BadInput(f"There is no sample '{name}'. There are: {', '.join(SAMPLES)}.")
    return SAMPLES[name]


def _source(picture: Picture) -> Source:
    # Drawn when it is read, while others are being written: until then it has no size.
    return Source(picture.name, 0, lambda limit: encoded(picture.draw(), "BMP")[:limit])
