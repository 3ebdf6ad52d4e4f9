"""Pictures of a sample set, drawn when they are asked for; each from a seed of its own."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.datasets.records import Part

Pixels = NDArray[np.uint8]

PARTS: Final[tuple[Part, ...]] = ("train", "validation", "test")


def encoded(pixels: Pixels, kind: Literal["BMP", "PNG"]) -> bytes:
    """Return pixels (H x W x 3) as the content of an image file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@dataclass(frozen=True)
class Picture:
    """One image: its name within the set, class, part, and how to draw it (H x W x 3)."""

    name: str
    label: str
    part: Part
    draw: Callable[[], Pixels]


def drawn(
    draw: Callable[[str, np.random.Generator], Pixels],
    counts: Mapping[str, tuple[int, int, int]],
    seed: int,
) -> Iterator[Picture]:
    """Yield the pictures of a set with a given split.

    `counts`: of each class, how many are for training, validation and test.
    """
    for place, part in enumerate(PARTS):
        for number, (label, count) in enumerate(counts.items()):
            for index in range(count[place]):
                yield Picture(
                    name=f"{part}/{label}/{index:04}.png",
                    label=label,
                    part=part,
                    draw=_Drawing(draw, label, (seed, place, number, index)),
                )


@dataclass(frozen=True)
class _Drawing:
    """A drawing not yet made; the same seed gives the same picture, whatever was drawn before."""

    draw: Callable[[str, np.random.Generator], Pixels]
    label: str
    seed: tuple[int, ...]

    def __call__(self) -> Pixels:
        return self.draw(self.label, np.random.default_rng(self.seed))
