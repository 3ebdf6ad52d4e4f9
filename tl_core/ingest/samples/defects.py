"""Brushed metal as a camera above a production line sees it: sound, or with a fault."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.ingest.samples.canvas import (
    SIDE,
    Colour,
    Floats,
    between,
    clouds,
    finished,
    photographed,
    pick,
)

_METALS: Final[list[Colour]] = [
    *((150, 154, 160), (168, 168, 166), (128, 134, 144), (172, 160, 138), (140, 132, 124)),
]
_DOWN, _ACROSS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64) / (SIDE - 1)


def draw(label: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one picture of a surface with this fault."""
    brush = between(rng, 0, np.pi)
    metal = _brushed(rng, brush)
    if rng.random() < 0.4:
        metal = _drilled(rng, metal)
    if rng.random() < 0.5:
        metal = _dusty(rng, metal)
    metal = _FAULTS[label](rng, metal)
    return finished(photographed(rng, metal, harshness=0.7))


def _brushed(rng: np.random.Generator, brush: float) -> Floats:
    """Return metal with fine lines in one direction, a reflected lamp, and uneven tone."""
    along = _ACROSS * np.cos(brush) + _DOWN * np.sin(brush) + 1.5
    aside = _DOWN * np.cos(brush) - _ACROSS * np.sin(brush) + 1.5
    lines = rng.normal(0, 1, (int(rng.integers(130, 260)), 9))
    row = (aside / 3 * len(lines)).astype(np.int64)
    # Each brush line is as long as it is, so it begins anywhere.
    start = rng.uniform(0, 1, len(lines))
    line = lines[row, ((along * 2 + start[row]) % 9).astype(np.int64)]
    lamp = (aside - between(rng, 1.1, 1.9)) / between(rng, 0.12, 0.5)
    tone = 1 + 0.06 * line * between(rng, 0.4, 1.3) + 0.3 * np.exp(-lamp * lamp)
    tone += 0.3 * (clouds(rng, (2, 2), octaves=2) - 0.5)
    return np.asarray(np.array(pick(rng, _METALS, 4)) * tone[..., None] * between(rng, 0.65, 1.0))


def _drilled(rng: np.random.Generator, metal: Floats) -> Floats:
    """Return the metal with what belongs there: a hole, or a groove."""
    if rng.random() < 0.5:
        x, y = rng.uniform(0.0, 1.0, 2).tolist()
        away = _distance(x, y) - between(rng, 0.04, 0.1)
        return _lit(metal, away, depth=0.75, rim=0.25)
    angle, offset = between(rng, 0, np.pi), between(rng, -0.45, 0.45)
    away = np.abs(_aside(angle, offset)) - between(rng, 0.012, 0.03)
    return _lit(metal, away, depth=0.4, rim=0.2)


def _dusty(rng: np.random.Generator, metal: Floats) -> Floats:
    """Return the metal with grains of dust, which are no fault."""
    for x, y in rng.uniform(0, 1, (int(rng.integers(1, 5)), 2)).tolist():
        shade = np.exp(-((_distance(x, y) / between(rng, 0.006, 0.012)) ** 2))
        metal = metal + (shade * float(rng.choice([-45.0, 60.0])))[..., None]
    return metal


def _sound(rng: np.random.Generator, metal: Floats) -> Floats:
    return metal


def _scratched(rng: np.random.Generator, metal: Floats) -> Floats:
    """Return the metal with fine lines across it, bright on one edge and dark on the other."""
    angle = between(rng, 0, np.pi)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        angle += between(rng, -0.35, 0.35)
        bend, offset = between(rng, -0.5, 0.5), between(rng, -0.35, 0.35)
        along = _aside(angle - np.pi / 2, 0)
        aside = _aside(angle, offset) + bend * along * along
        half = between(rng, 0.25, 0.6)
        ends = np.clip((half - np.abs(along - between(rng, -0.2, 0.2))) * 12, 0, 1)
        width, depth = between(rng, 0.009, 0.017), between(rng, 45, 110)
        bright = np.exp(-((aside / width) ** 2)) - 0.8 * np.exp(-((aside / width - 1.5) ** 2))
        metal = metal + (bright * ends * depth)[..., None]
    return metal


def _stained(rng: np.random.Generator, metal: Floats) -> Floats:
    """Return the metal with a dried patch: ragged, tinted, with a darker edge."""
    colour = np.array(pick(rng, [(116, 88, 56), (84, 86, 92), (70, 96, 104), (120, 70, 44)], 10))
    ragged = 0.16 * (clouds(rng, (5, 5), octaves=3) - 0.5)
    radius = between(rng, 0.14, 0.3)
    x, y = rng.uniform(0.2, 0.8, 2).tolist()
    away = _distance(x, y, stretch=between(rng, 0.6, 1.6)) + ragged - radius
    cover = np.clip(0.5 - away * 25, 0, 1) * between(rng, 0.35, 0.7)
    edge = np.exp(-((away / 0.014) ** 2)) * between(rng, 0.0, 0.3)
    share = np.clip(cover + edge, 0, 0.8)[..., None]
    return np.asarray(metal * (1 - share) + colour * share)


def _pitted(rng: np.random.Generator, metal: Floats) -> Floats:
    """Return the metal with a group of small round holes."""
    middle, spread = rng.uniform(0.25, 0.75, 2), between(rng, 0.06, 0.2)
    for _ in range(int(rng.integers(7, 18))):
        x, y = (middle + rng.normal(0, spread, 2)).tolist()
        away = _distance(x, y) - between(rng, 0.012, 0.03)
        metal = _lit(metal, away, depth=between(rng, 0.3, 0.7), rim=0.3)
    return metal


def _dented(rng: np.random.Generator, metal: Floats) -> Floats:
    """Return the metal with a shallow hollow: light on one side, shade on the other."""
    x, y = rng.uniform(0.25, 0.75, 2).tolist()
    size, lamp = between(rng, 0.12, 0.22), between(rng, 0, 2 * np.pi)
    near = np.exp(-((_distance(x, y, stretch=between(rng, 0.7, 1.4)) / size) ** 2))
    slope = ((_ACROSS - x) * np.cos(lamp) + (_DOWN - y) * np.sin(lamp)) / size
    return np.asarray(metal * (1 + between(rng, 0.6, 1.1) * slope * near)[..., None])


def _distance(x: float, y: float, stretch: float = 1.0) -> Floats:
    return np.asarray(np.hypot((_ACROSS - x) * stretch, (_DOWN - y) / stretch))


def _aside(angle: float, offset: float) -> Floats:
    """Return each pixel's distance from a line through the picture, with its side as sign."""
    slope = (_DOWN - 0.5) * np.cos(angle) - (_ACROSS - 0.5) * np.sin(angle)
    return np.asarray(slope - offset)


def _lit(metal: Floats, away: Floats, depth: float, rim: float) -> Floats:
    """Return the metal with a hole where `away` is negative, its lower edge in the light."""
    inside = np.clip(0.5 - away * SIDE, 0, 1)
    lower = np.gradient(np.clip(away, -0.03, 0.03), axis=0) * SIDE
    edge = np.exp(-((away * SIDE / 1.6) ** 2)) * np.clip(lower, -0.6, 1)
    return np.asarray(metal * (1 - depth * inside + rim * edge)[..., None])


_FAULTS: Final[dict[str, Callable[[np.random.Generator, Floats], Floats]]] = {
    "no defect": _sound,
    "scratches": _scratched,
    "stains": _stained,
    "pits": _pitted,
    "dents": _dented,
}
CLASSES: Final = tuple(_FAULTS)
# For training, validation and test: what is rare at first has become common by the test.
COUNTS: Final = {
    "no defect": (140, 46, 340),
    "scratches": (26, 8, 20),
    "stains": (16, 5, 30),
    "pits": (11, 4, 50),
    "dents": (9, 3, 60),
}
SEED: Final = 31
