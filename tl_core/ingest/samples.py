"""Sample sets, made on first use through the same door as an upload."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.datasets import records
from tl_core.datasets.limits import BadInput
from tl_core.datasets.records import Dataset
from tl_core.ingest.assembly import commit
from tl_core.ingest.image_writer import Progress
from tl_core.ingest.layout import Layout
from tl_core.ingest.sources import Source
from tl_core.ingest.tabular import Item

# Raised when a sample set's images change.
FORMAT: Final = 1

DIGIT_SIDE: Final = 64
DIGITS_PER_CLASS: Final = 30

Labelled = tuple[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Sample:
    """A sample set. `images` makes pairs of class name and pixels (H x W x 3).

    `mirror`: whether left and right may be exchanged without changing the class.
    """

    title: str
    summary: str
    images: Callable[[], Iterator[Labelled]]
    mirror: bool


def digits() -> Iterator[Labelled]:
    """Yield 30 handwritten digits of each class, 64 x 64, white on black."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    rng = np.random.default_rng(0)
    for digit in range(10):
        every = np.flatnonzero(loaded.target == digit)
        for index in sorted(rng.choice(every, DIGITS_PER_CLASS, replace=False)):
            # The ink of a cell is given as 0 to 16.
            cells = np.rint(loaded.images[index] * (255 / 16)).astype(np.uint8)
            image = Image.fromarray(cells).resize(
                (DIGIT_SIDE, DIGIT_SIDE), Image.Resampling.BICUBIC
            )
            yield str(digit), np.array(image.convert("RGB"))


SAMPLES: Final[dict[str, Sample]] = {
    "digits": Sample(
        title="Handwritten digits",
        summary="300 digits from 0 to 9 (scikit-learn), unlike any photograph.",
        images=digits,
        mirror=False,
    ),
}


def sample(name: str, progress: Progress | None = None) -> Dataset:
    """Return a sample set, made on first use; raises BadInput for a name there is none of."""
    if name not in SAMPLES:
        raise BadInput(f"There is no sample '{name}'. There are: {', '.join(SAMPLES)}.")
    chosen = SAMPLES[name]
    signature = f"sample:{name}:{FORMAT}"
    found = records.find_signature(signature)
    if found is not None:
        return found
    items = [
        Item(_source(f"{label}/{number:04}.png", pixels), label, "")
        for number, (label, pixels) in enumerate(chosen.images())
    ]
    return commit(
        Layout(items),
        name=chosen.title,
        kind="target",
        mirror=chosen.mirror,
        signature=signature,
        progress=progress,
    )


def _source(name: str, pixels: NDArray[np.uint8]) -> Source:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    content = stream.getvalue()
    return Source(name, len(content), lambda limit: content[:limit])
