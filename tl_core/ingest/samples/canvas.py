"""Drawing with shapes: a canvas in unit coordinates, and boards that a camera sees at an angle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

# Pixels of a finished picture, and how much larger it is drawn: shapes get smooth edges.
SIDE: Final = 96
OVERSAMPLING: Final = 2

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]


class Canvas:
    """A square picture; points are N x 2 with (0, 0) at the top left and (1, 1) opposite."""

    def __init__(self, colours: Floats) -> None:
        """Start from colours 0 to 255, H x W x 3 of any size, stretched over the picture."""
        small = Image.fromarray(np.rint(colours.clip(0, 255)).astype(np.uint8))
        self.image = small.resize((SIDE * OVERSAMPLING,) * 2, Image.Resampling.BICUBIC)
        self.pen = ImageDraw.Draw(self.image)

    def fill(self, points: Floats, colour: Colour) -> None:
        """Fill a polygon."""
        corners = (points * (SIDE * OVERSAMPLING)).round(3)
        self.pen.polygon(corners.ravel().tolist(), fill=_ink(colour))

    def blur(self, side: int) -> None:
        """Keep no more detail than a picture `side` pixels wide holds."""
        if side >= SIDE:
            return
        small = self.image.resize((side, side), Image.Resampling.BOX)
        self.image.paste(small.resize(self.image.size, Image.Resampling.BICUBIC))

    def pixels(self) -> Floats:
        """Return the finished picture, SIDE x SIDE x 3, 0 to 255."""
        return np.asarray(self.image.reduce(OVERSAMPLING), dtype=np.float64)


def _ink(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = colour
    return _byte(red), _byte(green), _byte(blue)


def _byte(part: float) -> int:
    return 0 if part < 0 else 255 if part > 255 else round(part)


@dataclass(frozen=True)
class View:
    """A flat board in a picture: where its middle is, half its width, and its turns in radians."""

    centre: tuple[float, float]
    size: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    # Distance of the camera in half widths of the board: near enough for some perspective.
    distance: float = 6.0

    def __call__(self, points: Floats) -> Floats:
        """Return where points of the board (about -1 to 1, y downwards) lie in the picture."""
        x, y = turned(points, self.roll).T
        x, depth = x * np.cos(self.yaw), x * np.sin(self.yaw)
        y, depth = y * np.cos(self.pitch), depth + y * np.sin(self.pitch)
        scale = self.size * self.distance / (self.distance + depth)
        return np.stack([x * scale + self.centre[0], y * scale + self.centre[1]], axis=1)


def turned(points: Floats, angle: float) -> Floats:
    """Return points turned about (0, 0), clockwise in a picture."""
    (x, y), c, s = points.T, np.cos(angle), np.sin(angle)
    return np.stack([c * x - s * y, s * x + c * y], axis=1)


def points(*pairs: tuple[float, float]) -> Floats:
    """Return pairs as an array N x 2."""
    return np.array(pairs, dtype=np.float64)


def regular(corners: int, angle: float = 0.0) -> Floats:
    """Return a regular polygon within the unit circle; at angle 0 a corner points up."""
    around = 2 * np.pi * np.arange(corners) / corners - np.pi / 2 + angle
    return np.stack([np.cos(around), np.sin(around)], axis=1)


def disc(x: float = 0.0, y: float = 0.0, radius: float = 1.0) -> Floats:
    """Return a circle as a polygon."""
    return np.asarray(regular(40) * radius + np.array([x, y]))


def rectangle(left: float, top: float, right: float, bottom: float) -> Floats:
    """Return a rectangle's corners."""
    return points((left, top), (right, top), (right, bottom), (left, bottom))


def arc(x: float, y: float, radius: float, start: float, end: float, steps: int = 16) -> Floats:
    """Return points along a circle from one angle to another, in radians, clockwise from right."""
    around = np.linspace(start, end, steps)
    return np.stack([x + radius * np.cos(around), y + radius * np.sin(around)], axis=1)


_JOINT: Final = regular(14)


def band(path: Floats, width: float) -> list[Floats]:
    """Return a line of some width with round joints, as polygons."""
    along = np.diff(path, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length * (width / 2)
    start, end = path[:-1], path[1:]
    strips = np.stack([start + across, end + across, end - across, start - across], axis=1)
    return [*(_JOINT * (width / 2) + path[:, None]), *strips]


def rounded(corners: Floats, radius: float) -> Floats:
    """Return a polygon with its corners rounded; `radius` is cut off along each side."""
    path = []
    share = np.linspace(0, 1, 7)[:, None]
    for before, corner, after in zip(
        np.roll(corners, 1, axis=0), corners, np.roll(corners, -1, axis=0), strict=True
    ):
        sides = before - corner, after - corner
        cuts = [min(radius / max(float(np.hypot(*side)), 1e-9), 0.5) for side in sides]
        start, end = corner + sides[0] * cuts[0], corner + sides[1] * cuts[1]
        path.append((1 - share) ** 2 * start + 2 * share * (1 - share) * corner + share**2 * end)
    return np.concatenate(path)


def gradient(top: Colour, bottom: Colour, rows: int = SIDE) -> Floats:
    """Return a picture, rows x rows x 3, that goes from one colour to another downwards."""
    share = np.linspace(0, 1, rows)[:, None, None]
    ends = np.array(top), np.array(bottom)
    return np.broadcast_to(ends[0] + (ends[1] - ends[0]) * share, (rows, rows, 3)).copy()


def clouds(
    rng: np.random.Generator, cells: tuple[int, int], octaves: int = 1, side: int = SIDE
) -> Floats:
    """Return smooth noise, side x side, 0 to 1; `cells`: how many bumps across and down."""
    total = np.zeros((side, side))
    for octave in range(octaves):
        wide, high = (min(count * 2**octave, side) for count in cells)
        # Resized in whole numbers: the same on every machine.
        grid = rng.integers(0, 256, (high + 1, wide + 1), dtype=np.uint8)
        smooth = Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC)
        total += np.asarray(smooth, dtype=np.float64) / 255 / 2**octave
    return np.asarray(total / (2 - 2 ** (1 - octaves)))


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a random number of a range."""
    return float(rng.uniform(low, high))


def pick(rng: np.random.Generator, colours: Sequence[Colour], spread: float = 0.0) -> Colour:
    """Return one of the colours, each of its parts changed by up to `spread`."""
    chosen = colours[int(rng.integers(len(colours)))]
    red, green, blue = (part + between(rng, -spread, spread) for part in chosen)
    return red, green, blue


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Return a colour between two; `share` of the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def photographed(rng: np.random.Generator, pixels: Floats, harshness: float = 1.0) -> Floats:
    """Return a picture under another light: slanted, tinted, brighter or darker, with grain."""
    side = pixels.shape[0]
    down, across = np.mgrid[0:side, 0:side] / (side - 1) - 0.5
    angle = between(rng, 0, 2 * np.pi)
    slant = 1 + 0.25 * harshness * (down * np.sin(angle) + across * np.cos(angle))
    tint = 1 + harshness * rng.uniform(-0.06, 0.06, 3)
    exposure = np.exp(harshness * between(rng, -0.22, 0.15))
    grain = rng.normal(0, between(rng, 1, 4) * harshness, pixels.shape)
    return np.asarray(pixels * slant[..., None] * tint * exposure + grain)


def finished(pixels: Floats) -> NDArray[np.uint8]:
    """Return a picture in whole numbers."""
    return np.asarray(np.rint(pixels.clip(0, 255)), dtype=np.uint8)
