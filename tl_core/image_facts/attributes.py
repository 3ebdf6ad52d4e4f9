"""Ways to divide images by how they look, to ask where a model fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.image_facts.facts import Facts

Numbers = NDArray[np.float64] | NDArray[np.int64]

# Wider than this by more, a picture counts as landscape; the inverse as portrait.
_SQUARE: Final = 1.05

# Of a colour, as shares: less saturated is grey; darker is black, and lighter grey is white.
_LEAST_SATURATION: Final = 0.2
_BLACK: Final = 0.2
_WHITE: Final = 0.8
# Where on the circle of hues, in degrees, a colour begins; red lies on both sides of 0.
_HUES: Final = (
    (15, "orange"),
    (45, "yellow"),
    (75, "green"),
    (165, "blue"),
    (260, "purple"),
    (345, "red"),
)


@dataclass(frozen=True)
class Categories:
    """A division of images: `names` in order, and for each image an index into them (N)."""

    names: tuple[str, ...]
    of: NDArray[np.int64]

    @property
    def labels(self) -> tuple[str, ...]:
        """The name of each image's category."""
        return tuple(self.names[index] for index in self.of)


@dataclass(frozen=True)
class Attribute:
    """A property of images and the division by it."""

    title: str
    divide: Callable[[Facts], Categories]


def _terciles(values: Numbers, names: tuple[str, str, str], unit: str = "") -> Categories:
    """Return three groups of about the same size; fewer where values repeat."""
    if round(values.min()) == round(values.max()):
        return Categories((f"all {values[0]:,.0f}{unit}",), np.zeros(len(values), dtype=np.int64))
    lower, upper = np.round(np.quantile(values, [1 / 3, 2 / 3])).tolist()
    if lower == upper:
        # Most images are the same.
        two = (f"{names[0]} (under {lower:,.0f}{unit})", f"{names[2]} (from {lower:,.0f}{unit})")
        return _without_empty(two, np.digitize(values, [lower]))
    three = (
        f"{names[0]} (under {lower:,.0f}{unit})",
        f"{names[1]} ({lower:,.0f} to {upper:,.0f}{unit})",
        f"{names[2]} (from {upper:,.0f}{unit})",
    )
    return _without_empty(three, np.digitize(values, [lower, upper]))


def _without_empty(names: tuple[str, ...], of: NDArray[np.int64]) -> Categories:
    used, index = np.unique(of, return_inverse=True)
    return Categories(tuple(names[i] for i in used), index.astype(np.int64))


def _brightness(facts: Facts) -> Categories:
    return _terciles(facts.brightness, ("dark", "medium", "bright"))


def _size(facts: Facts) -> Categories:
    return _terciles(facts.shorter_side, ("small", "medium", "large"), " px")


def _background_brightness(facts: Facts) -> Categories:
    return _terciles(facts.background_brightness, ("dark", "medium", "bright"))


def _sharpness(facts: Facts) -> Categories:
    return _terciles(facts.sharpness, ("blurred", "medium", "sharp"))


def _aspect(facts: Facts) -> Categories:
    names = ("portrait", "square", "landscape")
    return _without_empty(names, np.digitize(facts.aspect, [1 / _SQUARE, _SQUARE]))


def _background_colour(facts: Facts) -> Categories:
    """Return black, grey, white or the hue of the border."""
    colours = facts.background / 255
    value, least = colours.max(axis=1), colours.min(axis=1)
    chroma = value - least
    hues = np.digitize(_hue(colours, value, chroma), [start for start, _ in _HUES])
    hues[hues == 0] = len(_HUES)
    grey = np.digitize(value, [_BLACK, _WHITE])
    plain = (chroma < _LEAST_SATURATION * value) | (value < _BLACK)
    names = ("black", "grey", "white", *(name for _, name in _HUES))
    return _without_empty(names, np.where(plain, grey, hues + 2))


def _hue(
    colours: NDArray[np.float64], value: NDArray[np.float64], chroma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return hues in degrees, 0 for grey."""
    red, green, blue = colours.T
    safe = np.where(chroma > 0, chroma, 1)
    sixths = np.select(
        [value == red, value == green],
        [(green - blue) / safe, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    found: NDArray[np.float64] = np.where(chroma > 0, sixths * 60 % 360, 0)
    return found


ATTRIBUTES: Final[dict[str, Attribute]] = {
    "brightness": Attribute("Brightness", _brightness),
    "size": Attribute("Size (shorter side)", _size),
    "background_brightness": Attribute("Brightness of the background", _background_brightness),
    "background_colour": Attribute("Colour of the background", _background_colour),
    "sharpness": Attribute("Sharpness", _sharpness),
    "aspect": Attribute("Shape", _aspect),
}
