"""Screws on a bench, with a left-handed or a right-handed thread."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.ingest.samples.canvas import (
    Canvas,
    Colour,
    View,
    between,
    clouds,
    finished,
    mixed,
    photographed,
    pick,
    points,
    rectangle,
)

CLASSES: Final = ("left-handed", "right-handed")
COUNTS: Final = dict.fromkeys(CLASSES, (60, 20, 200))
SEED: Final = 21

_METALS: Final[list[Colour]] = [
    *((176, 180, 186), (196, 170, 96), (92, 94, 98), (186, 150, 126), (150, 158, 150)),
]
_BLACK: Final[Colour] = (10, 10, 12)
_WHITE: Final[Colour] = (255, 255, 255)
# A round shank is drawn as upright facets, each of one shade.
_FACETS: Final = np.linspace(-1, 1, 15).tolist()


def draw(label: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one photograph of a screw."""
    canvas = _bench(rng)
    upside_down = np.pi if rng.random() < 0.5 else 0.0
    middle = (between(rng, 0.42, 0.58), between(rng, 0.42, 0.58))
    view = View(middle, between(rng, 0.36, 0.46), between(rng, -0.14, 0.14) + upside_down)
    metal = pick(rng, _METALS, 8)
    half, foot = between(rng, 0.2, 0.3), between(rng, 0.75, 1.0)
    top, height = -0.62, between(rng, 0.2, 0.3)
    head = half * between(rng, 1.7, 2.2)
    shadow = np.array([between(rng, -0.02, 0.03), between(rng, 0.015, 0.03)])
    for shape in (rectangle(-half, top, half, foot), rectangle(-head, top - height, head, top)):
        canvas.fill(view(shape) + shadow, (40, 38, 36))
    canvas.blur(60)
    lamp = between(rng, -0.5, 0.5)
    for left, right in pairwise(_FACETS):
        tone = mixed((0, 0, 0), metal, _shade((left + right) / 2, lamp))
        canvas.fill(view(rectangle(left * half, top, right * half, foot)), tone)
    _thread(rng, canvas, view, label, (half, top, foot), metal, lamp)
    shades = (0.7, 1.05, 0.6) if lamp < 0 else (0.6, 1.05, 0.75)
    edges = (-1.0, -0.45, 0.45, 1.0)
    for left, right, shade in zip(edges[:-1], edges[1:], shades, strict=True):
        side = rectangle(left * head, top - height, right * head, top)
        canvas.fill(view(side), mixed((0, 0, 0), metal, shade))
    return finished(photographed(rng, canvas.pixels()))


def _thread(
    rng: np.random.Generator,
    canvas: Canvas,
    view: View,
    label: str,
    shank: tuple[float, float, float],
    metal: Colour,
    lamp: float,
) -> None:
    """Draw the turns of the thread: they rise to the left or to the right."""
    half, top, foot = shank
    half *= 1.04
    pitch = between(rng, 0.11, 0.16)
    rise = pitch * between(rng, 0.7, 1.1) * (1 if label == "left-handed" else -1)
    groove = pitch * 0.27
    start = top + between(rng, 0.0, 0.25) + between(rng, 0, pitch) + abs(rise) / 2
    turns = np.arange(start, foot - abs(rise) / 2, pitch)
    for left, right in pairwise(_FACETS):
        shade = _shade((left + right) / 2, lamp)
        dark, bright = mixed(_BLACK, metal, 0.45 * shade), mixed(_BLACK, metal, shade)
        x, y = np.array([left, right]) * half, rise * np.array([left, right]) / 2
        for below, colour in ((groove, dark), (-0.2 * groove, mixed(bright, _WHITE, 0.35))):
            corner = points(
                *((x[0], y[0] - groove), (x[1], y[1] - groove)),
                *((x[1], y[1] + below), (x[0], y[0] + below)),
            )
            every = corner + np.stack([0 * turns, turns], axis=1)[:, None]
            for crest in view(every.reshape(-1, 2)).reshape(-1, 4, 2):
                canvas.fill(crest, colour)


def _shade(across: float, lamp: float) -> float:
    """Return how bright a round shank is at a place from -1 (left) to 1 (right)."""
    return float(0.45 + 0.75 * np.exp(-(((across - lamp) / 0.55) ** 2)))


def _bench(rng: np.random.Generator) -> Canvas:
    """Return wood, cloth or a plain sheet to lie on."""
    kind = int(rng.integers(4))
    if kind == 0:
        plank = np.array(pick(rng, [(168, 120, 78), (120, 84, 58), (190, 150, 108)], 8))
        cells = (24, 2) if rng.random() < 0.5 else (2, 24)
        return Canvas(plank * (0.75 + 0.5 * clouds(rng, cells, octaves=2)[..., None]))
    if kind == 1:
        cloth = np.array(pick(rng, [(60, 84, 112), (92, 104, 96), (128, 60, 52), (58, 60, 66)], 6))
        return Canvas(cloth * (0.9 + 0.2 * clouds(rng, (40, 40))[..., None]))
    sheet = np.array(pick(rng, [(226, 224, 218), (190, 196, 200), (150, 156, 160)], 6))
    return Canvas(sheet * (0.9 + 0.15 * clouds(rng, (3, 3), octaves=3)[..., None]))
