"""Handwritten digits that come with scikit-learn."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.ingest.samples.pictures import Picture, Pixels

SIDE: Final = 64
PER_CLASS: Final = 30


def pictures() -> Iterator[Picture]:
    """Yield 30 digits of each class, 64 x 64, white on black, without a given split."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    rng = np.random.default_rng(0)
    number = 0
    for digit in range(10):
        every = np.flatnonzero(loaded.target == digit)
        for index in sorted(rng.choice(every, PER_CLASS, replace=False)):
            name = f"{digit}/{number:04}.png"
            yield Picture(name, str(digit), "", partial(_enlarged, loaded.images[index]))
            number += 1


def _enlarged(ink: NDArray[np.float64]) -> Pixels:
    # The ink of a cell is given as 0 to 16.
    cells = np.rint(ink * (255 / 16)).astype(np.uint8)
    image = Image.fromarray(cells).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.array(image.convert("RGB"))
