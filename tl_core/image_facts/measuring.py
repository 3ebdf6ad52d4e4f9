"""One picture -> its facts, on a small copy."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from tl_core.registration import SIDE as COPY_SIDE

# Every picture is measured on a copy of this many pixels square; its border is this wide.
VIEW_SIDE: Final = 128
BORDER: Final = 8

# Channels are taken as equal when they differ by so little on such a share of the picture (JPEG
# leaves traces of colour).
GREY_TOLERANCE: Final = 6
GREY_SHARE: Final = 0.99
# A channel that varies less is the same all over.
CONSTANT_STD: Final = 1.0
# The colour of the border, give or take so many grey levels.
_SAME_COLOUR: Final = 10

_HASH_SIDE: Final = 32
_BITS: Final = 64

Values = NDArray[np.float32]


def measured(pixels: NDArray[np.uint8]) -> dict[str, object]:
    """Return the facts of one picture (H x W x 3), by field."""
    picture = Image.fromarray(pixels)
    view = picture.resize((VIEW_SIDE, VIEW_SIDE), Image.Resampling.BILINEAR)
    # Channel by channel in memory: several times as fast to go over.
    planes = np.ascontiguousarray(np.moveaxis(np.asarray(view), 2, 0)).astype(np.float32)
    grey = np.asarray(view.convert("L")).astype(np.float32)
    stds = planes.std(axis=(1, 2))
    border = _border(planes)
    away = _largest(np.abs(planes - border[:, None, None]))
    small = _halved(grey)
    return {
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "channel_means": planes.mean(axis=(1, 2)).astype(np.float64),
        "channel_stds": stds.astype(np.float64),
        "colourfulness": _colourfulness(planes),
        "greyscale": _is_grey(planes),
        "constant_channel": bool((stds < CONSTANT_STD).any()),
        "sharpness": _sharpness(grey),
        "background": border.astype(np.float64),
        "background_share": float((away < _SAME_COLOUR).mean()),
        "hashes": perceptual_hash(small),
        "mirrored_hashes": perceptual_hash(small[:, ::-1]),
        "copies": np.rint(small).astype(np.uint8),
    }


def perceptual_hash(grey: Values) -> np.uint64:
    """Return 64 bits of a grey picture (square, a multiple of 32): pHash (Zauner 2010).

    One bit for each of the lowest frequencies but the mean: whether above their median.
    """
    factor = grey.shape[0] // _HASH_SIDE
    small = grey.reshape(_HASH_SIDE, factor, _HASH_SIDE, factor).mean(axis=(1, 3))
    lowest = dctn(small, norm="ortho")[_LOWEST]
    found: np.uint64 = np.packbits(lowest > np.median(lowest)).view(np.uint64)[0]
    return found


def _lowest_frequencies() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the lowest frequencies, without the mean."""
    rows, columns = np.indices((_HASH_SIDE, _HASH_SIDE)).reshape(2, -1)
    order = np.lexsort((rows, np.maximum(rows, columns), rows + columns))[1 : _BITS + 1]
    return rows[order], columns[order]


_LOWEST: Final = _lowest_frequencies()


def _halved(grey: Values) -> Values:
    found: Values = grey.reshape(COPY_SIDE, 2, COPY_SIDE, 2).mean(axis=(1, 3))
    return found


def _border(planes: Values) -> Values:
    """Return the median colour of the border."""
    outer = np.ones(planes.shape[1:], dtype=bool)
    outer[BORDER:-BORDER, BORDER:-BORDER] = False
    found: Values = np.median(planes[:, outer], axis=1)
    return found


def _largest(planes: Values) -> Values:
    found: Values = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    return found


def _colourfulness(planes: Values) -> float:
    red, green, blue = planes
    first, second = red - green, (red + green) / 2 - blue
    spread = np.hypot(first.std(), second.std())
    return float(spread + 0.3 * np.hypot(first.mean(), second.mean()))


def _is_grey(planes: Values) -> bool:
    differences = _largest(planes) + _largest(-planes)
    return bool((differences <= GREY_TOLERANCE).mean() >= GREY_SHARE)


def _sharpness(grey: Values) -> float:
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * inner).var())
