"""Greyscale with more than 8 bits -> 8 bits, a strip of the image at a time."""

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.limits import Unreadable

# Large images are converted strip by strip: a second copy of the whole would be too much memory.
STRIP_PIXELS: Final = 2_000_000

SIXTEEN_BITS: Final = 65535

# How deeper values became 8 bits: divided by 257, or stretched from lowest to highest value.
Scaling = Literal["", "16-bit", "range"]


def strips(image: Image.Image, multiple: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield the top row and pixels of each strip; all but the last have a multiple of rows."""
    rows = multiple * max(1, STRIP_PIXELS // (image.width * multiple))
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def is_deep(image: Image.Image) -> bool:
    """Return whether Pillow holds the image with more than 8 bits per value."""
    return image.mode.startswith(("I", "F"))


def to_eight_bits(image: Image.Image) -> tuple[Image.Image, Scaling]:
    """Return deeper greyscale as "L"; Pillow's own conversion would cut it off at 255.

    16-bit values are divided by 257, so that 65535 becomes 255. 32-bit integers that lie in the
    16-bit range likewise; others, and floats, are stretched from their lowest to highest value.
    Raises Unreadable if no value is finite.
    """
    if image.mode.startswith("I;16"):
        return _stretched(image, 0, SIXTEEN_BITS), "16-bit"
    low, high = _range(image)
    if image.mode == "I" and low >= 0 and 255 < high <= SIXTEEN_BITS:
        return _stretched(image, 0, SIXTEEN_BITS), "16-bit"
    return _stretched(image, low, high), "range"


def _range(image: Image.Image) -> tuple[float, float]:
    lowest, highest = np.inf, -np.inf
    for _, strip in strips(image):
        values = np.asarray(strip)
        finite = values[np.isfinite(values)]
        if finite.size:
            lowest, highest = min(lowest, finite.min()), max(highest, finite.max())
    if lowest > highest:
        raise Unreadable("it holds no finite value")
    return float(lowest), float(highest)


def _stretched(image: Image.Image, low: float, high: float) -> Image.Image:
    """Map low..high to 0..255; what is not a number becomes 0, infinities the ends."""
    factor = 255 / (high - low) if high > low else 0.0
    result = Image.new("L", image.size)
    for top, strip in strips(image):
        values: NDArray[np.float64] = np.asarray(strip).astype(np.float64)
        values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
        scaled = np.rint((values - low) * factor).astype(np.uint8)
        result.paste(Image.fromarray(scaled), (0, top))
    return result
