"""Outlines of points and the distance to them: what shapes and glyphs are made of.

Coordinates: x to the right, y down, an object fills about -1 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# The grid on which distances are kept: its side in samples, and how far it reaches from 0.
GRID: Final = 48
REACH: Final = 1.3


@dataclass(frozen=True)
class Part:
    """Points, n x 2: a filled area, a hole in what came before, or a line of half-width `width`."""

    points: NDArray[np.float64]
    kind: Literal["fill", "hole", "line"] = "fill"
    width: float = 0.0


Outline = list[Part]


def fill(points: Sequence[tuple[float, float]] | NDArray[np.float64]) -> Part:
    """Return the area within closed points."""
    return Part(np.asarray(points, dtype=np.float64))


def hole(part: Part) -> Part:
    """Return the part as a hole in those before it."""
    return Part(part.points, "hole")


def line(points: Sequence[tuple[float, float]] | NDArray[np.float64], width: float) -> Part:
    """Return open points as a line of half-width `width`."""
    return Part(np.asarray(points, dtype=np.float64), "line", width)


def arc(
    x: float, y: float, rx: float, ry: float, start: float = 0.0, stop: float = 360.0
) -> NDArray[np.float64]:
    """Return points on an ellipse about (x, y), from `start` to `stop` degrees (90 is down)."""
    steps = max(4, int(abs(stop - start) / 10) + 1)
    angle = np.radians(np.linspace(start, stop, steps))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def regular(corners: int, radius: float = 0.95, turn: float = -90.0) -> NDArray[np.float64]:
    """Return a regular polygon's corners, the first at `turn` degrees (-90 is up)."""
    angle = np.radians(turn + 360 / corners * np.arange(corners))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def polar(radius: NDArray[np.float64], turn: float = -90.0) -> NDArray[np.float64]:
    """Return the closed contour with these radii at equal angles."""
    angle = np.radians(turn) + np.linspace(0, 2 * np.pi, len(radius), endpoint=False)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _grid() -> tuple[Array, Array]:
    ticks = ((np.arange(GRID) + 0.5) / GRID * 2 - 1) * REACH
    x, y = np.meshgrid(ticks.astype(np.float32), ticks.astype(np.float32))
    return x.ravel(), y.ravel()


GRID_X, GRID_Y = _grid()


def _distance(points: NDArray[np.float64], closed: bool) -> tuple[Array, NDArray[np.bool_]]:
    """Return the distance to a line of points at each sample of the grid, and what it encloses."""
    corners = points.astype(np.float32)
    ends = np.roll(corners, -1, axis=0) if closed else corners[1:]
    starts = corners if closed else corners[:-1]
    ax, ay = starts[:, :1], starts[:, 1:]
    dx, dy = ends[:, :1] - ax, ends[:, 1:] - ay
    px, py = GRID_X[None] - ax, GRID_Y[None] - ay
    along = np.clip((px * dx + py * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0, 1)
    squared = (px - along * dx) ** 2 + (py - along * dy) ** 2
    crosses = (py < 0) != (py < dy)
    # Crossings of a ray to the right: an odd number means inside.
    right = crosses & ((px * dy < py * dx) == (dy > 0))
    return np.sqrt(squared.min(axis=0)), right.sum(axis=0) % 2 == 1


def signed_distance(outline: Outline) -> Array:
    """Return GRID x GRID signed distances to an outline: negative inside, about -1 to 1."""
    total = np.full(GRID * GRID, np.inf, dtype=np.float32)
    for part in outline:
        distance, inside = _distance(part.points, part.kind != "line")
        if part.kind == "line":
            total = np.minimum(total, distance - np.float32(part.width))
            continue
        signed = np.where(inside, -distance, distance)
        total = np.minimum(total, signed) if part.kind == "fill" else np.maximum(total, -signed)
    return total.reshape(GRID, GRID)
