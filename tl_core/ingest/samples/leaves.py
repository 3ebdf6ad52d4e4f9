"""Leaves of trees that look alike, laid down and photographed from above."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core.ingest.samples.canvas import (
    SIDE,
    Canvas,
    Colour,
    Floats,
    View,
    band,
    between,
    clouds,
    finished,
    gradient,
    mixed,
    photographed,
    pick,
    points,
    rectangle,
)


@dataclass(frozen=True)
class Species:
    """A tree's leaf, each measure as mean and spread.

    `width`: of the length; `widest`: how far from the base, of the length; `tip`: how drawn out;
    `teeth`: on each side; `depth` of the teeth, of the width; `veins`: on each side.
    """

    width: tuple[float, float]
    widest: tuple[float, float]
    tip: tuple[float, float]
    teeth: tuple[float, float]
    depth: tuple[float, float]
    veins: tuple[float, float]


_TREES: Final[dict[str, Species]] = {
    "alder": Species((0.88, 0.07), (0.58, 0.05), (0.3, 0.12), (13, 2), (0.035, 0.012), (6, 0.8)),
    "beech": Species((0.62, 0.06), (0.48, 0.04), (0.9, 0.15), (7, 1), (0.012, 0.008), (7, 0.8)),
    "birch": Species((0.74, 0.07), (0.32, 0.04), (1.3, 0.2), (11, 2), (0.06, 0.018), (6, 0.8)),
    "elm": Species((0.58, 0.06), (0.52, 0.05), (1.2, 0.2), (15, 2), (0.05, 0.015), (12, 1.5)),
    "hornbeam": Species((0.5, 0.05), (0.45, 0.05), (1.1, 0.2), (17, 2), (0.035, 0.012), (12, 1.2)),
}
CLASSES: Final = tuple(_TREES)

_GREENS: Final[list[Colour]] = [
    *((72, 112, 46), (58, 98, 44), (92, 128, 56), (112, 138, 62)),
    *((150, 142, 58), (164, 116, 52)),
]


def draw(label: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one photograph of a leaf."""
    return photograph(lay(label, rng), rng)


def lay(label: str, rng: np.random.Generator) -> Canvas:
    """Return a leaf of this tree on some ground, not yet photographed."""
    tree = _TREES[label]
    canvas = _ground(rng)
    size = between(rng, 0.3, 0.42)
    middle = (between(rng, 0.42, 0.58), between(rng, 0.42, 0.58))
    view = View(middle, size, between(rng, 0, 2 * np.pi), between(rng, -0.3, 0.3))
    measures = {
        name: float(rng.normal(*getattr(tree, name))) for name in Species.__dataclass_fields__
    }
    edge = _outline(rng, measures)
    shadow = np.array([between(rng, -0.02, 0.02), between(rng, 0.01, 0.03)])
    canvas.fill(view(edge) + shadow, (70, 66, 60))
    canvas.blur(48)
    green = pick(rng, _GREENS, 14)
    stalk = points((0, 1), (between(rng, -0.1, 0.1), 1.25))
    for shape in band(stalk, 0.06):
        canvas.fill(view(shape), mixed(green, (120, 90, 60), 0.5))
    canvas.fill(view(edge), green)
    # The half away from the light is a little darker.
    half = np.concatenate([edge[: len(edge) // 2], points((0, -1))])
    canvas.fill(view(half), mixed(green, (0, 0, 0), 0.12))
    _veins(rng, canvas, view, edge, measures["veins"], mixed(green, (220, 226, 170), 0.45))
    if rng.random() < 0.5:
        _spots(rng, canvas, view, green)
    return canvas


def photograph(canvas: Canvas, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one photograph of what lies there; no two are cut and lit the same."""
    image = canvas.image.rotate(between(rng, -4, 4), Image.Resampling.BILINEAR)
    side = image.width
    edge = side * between(rng, 0.08, 0.11)
    left, top = (edge + side * rng.uniform(-0.025, 0.025, 2)).tolist()
    box = (left, top, left + side - 2 * edge, top + side - 2 * edge)
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX, box=box)
    return finished(photographed(rng, np.asarray(small, dtype=np.float64), harshness=0.6))


def _ground(rng: np.random.Generator) -> Canvas:
    """Return a sheet of paper, wood, stone or soil."""
    kind = int(rng.integers(4))
    if kind == 0:
        paper = pick(rng, [(232, 228, 214), (240, 240, 238), (214, 206, 186)], 6)
        return Canvas(gradient(paper, mixed(paper, (0, 0, 0), between(rng, 0, 0.15))))
    if kind == 1:
        plank = np.array(pick(rng, [(168, 120, 78), (120, 84, 58), (190, 150, 108)], 10))
        grain = clouds(rng, (2, 24), octaves=2)
        canvas = Canvas(plank * (0.75 + 0.5 * grain[..., None]))
        gap = between(rng, 0.1, 0.9)
        canvas.fill(rectangle(0, gap, 1, gap + 0.012), (58, 42, 32))
        return canvas
    stone: Colour = pick(rng, [(128, 128, 130), (164, 158, 150), (96, 84, 70)], 10)
    rough = (
        0.7 + 0.6 * clouds(rng, (12, 12), octaves=3)
        if kind == 2
        else 0.6 + 0.8 * clouds(rng, (5, 5), octaves=4)
    )
    return Canvas(np.array(stone) * rough[..., None])


def _outline(rng: np.random.Generator, of: dict[str, float]) -> Floats:
    """Return the leaf's edge, from the stalk (0, 1) up the left side to the tip and back."""
    along = np.linspace(0, 1, 120)
    widest = np.clip(of["widest"], 0.2, 0.8)
    below = np.sin(np.pi / 2 * np.clip(along / widest, 0, 1)) ** 0.75
    above = np.cos(np.pi / 2 * np.clip((along - widest) / (1 - widest), 0, 1))
    shape = np.where(along < widest, below, above ** max(of["tip"], 0.2))
    sides = []
    for side in (-1, 1):
        phase = (along * of["teeth"] + between(rng, 0, 1)) % 1
        teeth = 1 + 2 * abs(of["depth"]) * (phase - 0.5) * np.minimum(1, 6 * (1 - along))
        wave = 1 + 0.03 * np.sin(along * between(rng, 4, 9) + between(rng, 0, 6))
        half = shape * teeth * wave * of["width"] * (1 + between(rng, -0.06, 0.06))
        sides.append(np.stack([side * half, 1 - 2 * along], axis=1))
    return np.concatenate([sides[0], sides[1][::-1]])


def _veins(
    rng: np.random.Generator, canvas: Canvas, view: View, edge: Floats, count: float, ink: Colour
) -> None:
    """Draw the midrib and the veins that leave it towards the tip."""
    for shape in band(points((0, 1), (0, -0.9)), 0.045):
        canvas.fill(view(shape), ink)
    number, half = max(3, round(count)), edge[: len(edge) // 2]
    rise = between(rng, 0.22, 0.34)
    for start in np.linspace(0.08, 0.8, number).tolist():
        place = min(int((start + rise / 2) * len(half)), len(half) - 1)
        reach = float(-half[place, 0]) * 0.9
        for side in (-1, 1):
            vein = points((0, 1 - 2 * start), (side * reach, 1 - 2 * start - rise * (0.5 + reach)))
            for shape in band(vein, 0.022):
                canvas.fill(view(shape), ink)


def _spots(rng: np.random.Generator, canvas: Canvas, view: View, green: Colour) -> None:
    """Draw brown spots of age."""
    for _ in range(int(rng.integers(1, 6))):
        spot = rng.normal(0, [0.15, 0.4])
        around = np.linspace(0, 2 * np.pi, 10)[:-1]
        ring = np.stack([np.cos(around), np.sin(around)], axis=1) * between(rng, 0.02, 0.07)
        canvas.fill(view(ring + spot), mixed(green, (92, 60, 36), between(rng, 0.4, 0.9)))
