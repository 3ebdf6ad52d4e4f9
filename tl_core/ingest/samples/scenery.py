"""What is behind a road sign: sky, clouds, hills, trees, houses, a road; out of focus."""

from typing import Final

import numpy as np

from tl_core.ingest.samples.canvas import (
    SIDE,
    Canvas,
    Colour,
    between,
    clouds,
    gradient,
    mixed,
    pick,
    points,
    rectangle,
    regular,
)

# Colours of the sky, above and at the horizon, and how much light there is on the ground.
_SKIES: Final[list[tuple[Colour, Colour, float]]] = [
    ((70, 130, 205), (190, 215, 238), 1.0),
    ((95, 155, 225), (215, 228, 240), 1.0),
    ((150, 162, 175), (205, 210, 214), 0.85),
    ((185, 190, 196), (222, 222, 220), 0.85),
    ((90, 105, 150), (245, 190, 140), 0.7),
    ((55, 65, 105), (205, 140, 130), 0.55),
]
_LEAVES: Final[list[Colour]] = [
    *((52, 88, 42), (70, 110, 48), (38, 70, 46), (92, 118, 52)),
    *((140, 96, 40), (168, 120, 44)),
]
_GROUND: Final[list[Colour]] = [(96, 128, 62), (122, 132, 74), (150, 140, 110), (110, 108, 104)]
_WALLS: Final[list[Colour]] = [
    *((176, 150, 128), (150, 88, 70), (200, 192, 178), (128, 132, 140), (214, 196, 150)),
]
_DARK: Final[Colour] = (20, 22, 30)
_RING: Final = regular(10)


def scene(rng: np.random.Generator) -> Canvas:
    """Return a landscape or a street to draw on."""
    above, horizon, light = _SKIES[int(rng.integers(len(_SKIES)))]
    sky = gradient(above, horizon)
    cover = clouds(rng, (3, 5), octaves=3)[..., None]
    amount = np.clip((cover - between(rng, 0.4, 0.75)) * 4, 0, 1)
    canvas = Canvas(sky + (np.array(mixed(horizon, (255, 255, 255), 0.6)) - sky) * amount)
    level = between(rng, 0.55, 0.85)
    if rng.random() < 0.4:
        _houses(rng, canvas, level, light)
    if rng.random() < 0.75:
        _trees(rng, canvas, level, light)
    _ground(rng, canvas, level, light)
    canvas.blur(int(rng.choice([32, 40, 48, SIDE])))
    return canvas


def _trees(rng: np.random.Generator, canvas: Canvas, level: float, light: float) -> None:
    """Draw rows of crowns, the nearer the higher and the darker."""
    leaf = pick(rng, _LEAVES, 10)
    for row, distance in enumerate((0.55, 0.25)):
        height = between(rng, 0.1, 0.4) * (1 + 0.4 * row)
        colour = mixed(mixed(_DARK, leaf, light), (190, 205, 215), distance * 0.6)
        for x in np.arange(-0.1, 1.1, between(rng, 0.09, 0.2)).tolist():
            if rng.random() < 0.15:
                continue
            top = level - height * between(rng, 0.5, 1.0)
            _crown(rng, canvas, x + between(rng, -0.05, 0.05), top, level + 0.05, colour)


def _crown(
    rng: np.random.Generator, canvas: Canvas, x: float, top: float, foot: float, colour: Colour
) -> None:
    """Draw a tree as clumps of leaves, lighter above."""
    height = foot - top
    level = np.repeat([0.85, 0.6, 0.4, 0.2], 2)
    shade = rng.uniform(-14, 14, 8) + 18 * (0.6 - level)
    middle = np.stack([x + rng.uniform(-0.2, 0.2, 8) * height, top + height * level], axis=1)
    ragged = height * rng.uniform(0.17, 0.28, (8, 1, 1)) * rng.uniform(0.8, 1.2, (8, 10, 1))
    clumps = _RING * ragged + middle[:, None]
    for clump, lighter in zip(clumps, shade.tolist(), strict=True):
        canvas.fill(clump, (colour[0] + lighter, colour[1] + lighter, colour[2] + lighter))


def _houses(rng: np.random.Generator, canvas: Canvas, level: float, light: float) -> None:
    """Draw fronts of houses with windows."""
    x = between(rng, -0.2, 0.0)
    while x < 1:
        width, height = between(rng, 0.2, 0.42), between(rng, 0.25, 0.6)
        wall = mixed(_DARK, pick(rng, _WALLS, 12), light)
        top = level - height
        canvas.fill(rectangle(x, top, x + width, level + 0.03), wall)
        if rng.random() < 0.5:
            roof = mixed(_DARK, pick(rng, [(120, 62, 50), (82, 80, 84)], 10), light)
            peak = points((x - 0.02, top), (x + width / 2, top - 0.12), (x + width + 0.02, top))
            canvas.fill(peak, roof)
        pane = mixed(wall, (235, 215, 150) if light < 0.6 else _DARK, 0.6)
        for left in np.arange(x + 0.03, x + width - 0.05, 0.09).tolist():
            for y in np.arange(top + 0.05, level - 0.06, 0.13).tolist():
                canvas.fill(rectangle(left, y, left + 0.045, y + 0.07), pane)
        x += width + max(0.0, between(rng, -0.1, 0.15))


def _ground(rng: np.random.Generator, canvas: Canvas, level: float, light: float) -> None:
    """Draw a meadow, often with a road that leads away."""
    grass = mixed(_DARK, pick(rng, _GROUND, 10), light)
    for strip in range(5):
        top = level + (1 - level) * (strip / 5) ** 1.6
        shade = between(rng, -7, 7)
        colour = (grass[0] + shade, grass[1] + shade, grass[2] + shade)
        canvas.fill(rectangle(0, top, 1, 1), colour)
    if rng.random() < 0.6:
        away, left = between(rng, 0.2, 0.8), between(rng, -0.5, 0.5)
        asphalt = mixed(_DARK, pick(rng, [(112, 112, 116), (90, 90, 94)], 8), light)
        width = between(rng, 0.5, 0.9)
        edge = points((away - 0.02, level), (away + 0.02, level), (left + width, 1), (left, 1))
        canvas.fill(edge, asphalt)
        middle = left + width / 2
        dash = points((away, level), (away + 0.004, level), (middle + 0.03, 1), (middle, 1))
        canvas.fill(dash, mixed(asphalt, (240, 240, 235), 0.8))
