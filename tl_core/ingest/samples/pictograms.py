"""What stands on a sign: shapes within the unit circle of a board, y downwards."""

from collections.abc import Callable
from typing import Final

import numpy as np

from tl_core.ingest.samples.canvas import Floats, arc, band, disc, points, rectangle, turned

Glyph = list[Floats]
Draw = Callable[[np.random.Generator], Glyph]


def nothing(rng: np.random.Generator) -> Glyph:
    """Return no shape."""
    return []


def bar(rng: np.random.Generator) -> Glyph:
    """Return a wide bar: no entry."""
    return [rectangle(-0.62, -0.15, 0.62, 0.15)]


def exclamation(rng: np.random.Generator) -> Glyph:
    """Return an exclamation mark."""
    return [points((-0.11, -0.5), (0.11, -0.5), (0.06, 0.15), (-0.06, 0.15)), disc(0, 0.34, 0.11)]


def straight_arrow(rng: np.random.Generator) -> Glyph:
    """Return an arrow up, left or right."""
    head = points((0, -0.6), (0.36, -0.16), (-0.36, -0.16))
    glyph = [head, rectangle(-0.12, -0.2, 0.12, 0.55)]
    angle = float(rng.choice([0.0, np.pi / 2, -np.pi / 2]))
    return [turned(shape, angle) for shape in glyph]


def turn_arrow(rng: np.random.Generator) -> Glyph:
    """Return an arrow that bends to one side."""
    bend = np.concatenate([points((-0.2, 0.55), (-0.2, 0.0)), arc(0, 0, 0.2, np.pi, 1.5 * np.pi)])
    head = points((0.0, -0.45), (0.42, -0.2), (0.0, 0.05))
    return _either_side(rng, [*band(bend, 0.17), head])


def curve(rng: np.random.Generator) -> Glyph:
    """Return a road that winds."""
    down = np.linspace(-0.5, 0.5, 12)
    return _either_side(rng, band(np.stack([0.2 * np.sin(down * 6.5), down], axis=1), 0.15))


def crossroads(rng: np.random.Generator) -> Glyph:
    """Return two roads that meet."""
    glyph = [rectangle(-0.11, -0.5, 0.11, 0.5)]
    start = -0.5 if rng.random() < 0.5 else 0.0
    side = points((start, 0.0), (0.5, -0.05))
    return _either_side(rng, [*glyph, *band(side, 0.17)])


def walker(rng: np.random.Generator) -> Glyph:
    """Return a person who walks."""
    stride = rng.uniform(0.14, 0.26)
    limbs = [
        (points((0, -0.28), (0.02, 0.1)), 0.22),
        (points((0.0, 0.1), (stride, 0.36), (stride + 0.06, 0.6)), 0.13),
        (points((0.0, 0.1), (-0.08, 0.38), (-stride - 0.12, 0.58)), 0.13),
        (points((0, -0.26), (0.2, -0.06), (0.34, -0.02)), 0.09),
        (points((0, -0.26), (-0.2, -0.06), (-0.24, 0.1)), 0.09),
    ]
    shapes = [disc(0.02, -0.53, 0.14)]
    return _either_side(rng, shapes + [part for limb in limbs for part in band(*limb)])


def children(rng: np.random.Generator) -> Glyph:
    """Return two people, one smaller."""
    large = [shape * 0.85 + np.array([-0.26, 0.0]) for shape in walker(rng)]
    small = [shape * 0.62 + np.array([0.32, 0.14]) for shape in walker(rng)]
    return large + small


def bicycle(rng: np.random.Generator) -> Glyph:
    """Return a bicycle from the side."""
    frame = points((-0.36, 0.16), (-0.16, -0.14), (0.2, -0.14), (0.0, 0.16), (-0.36, 0.16))
    fork = points((0.36, 0.16), (0.2, -0.14), (0.16, -0.3), (0.28, -0.32))
    wheels = [arc(x, 0.16, 0.24, 0, 2 * np.pi, 20) for x in (-0.36, 0.36)]
    seat = points((-0.24, -0.24), (-0.08, -0.24))
    lines = [*wheels, frame, fork, points((-0.16, -0.24), (0.0, 0.16)), seat]
    return _either_side(rng, [part for line in lines for part in band(line, 0.08)])


def car(rng: np.random.Generator) -> Glyph:
    """Return a car from the front."""
    roof = points((-0.26, -0.32), (0.26, -0.32), (0.38, 0.0), (-0.38, 0.0))
    body = rectangle(-0.5, -0.02, 0.5, 0.28)
    tyres = [rectangle(-0.46, 0.2, -0.28, 0.42), rectangle(0.28, 0.2, 0.46, 0.42)]
    return [roof, body, *tyres]


def train(rng: np.random.Generator) -> Glyph:
    """Return an old engine from the side."""
    boiler = rectangle(-0.46, -0.1, 0.2, 0.22)
    cab = rectangle(0.14, -0.36, 0.5, 0.22)
    chimney = rectangle(-0.38, -0.36, -0.24, 0.0)
    wheels = [disc(x, 0.3, 0.13) for x in (-0.32, 0.0, 0.34)]
    return _either_side(rng, [boiler, cab, chimney, *wheels])


def lights(rng: np.random.Generator) -> Glyph:
    """Return three lamps above each other."""
    return [disc(0, y, 0.17) for y in (-0.42, 0.0, 0.42)]


def bumps(rng: np.random.Generator) -> Glyph:
    """Return an uneven road."""
    across = np.linspace(-0.5, 0.5, 20)
    top = np.stack([across, 0.12 - 0.2 * np.abs(np.sin(across * 2 * np.pi))], axis=1)
    return [np.concatenate([top, points((0.5, 0.28), (-0.5, 0.28))])]


def tree(rng: np.random.Generator) -> Glyph:
    """Return a fir."""
    sizes = ((-0.22, 0.26), (0.06, 0.36), (0.36, 0.46))
    tiers = [points((0, y - 0.4), (wide, y), (-wide, y)) for y, wide in sizes]
    return [*tiers, rectangle(-0.08, 0.3, 0.08, 0.56)]


def waves(rng: np.random.Generator) -> Glyph:
    """Return water."""
    across = np.linspace(-0.5, 0.5, 18)
    lines = [np.stack([across, y + 0.06 * np.sin(across * 13)], axis=1) for y in (-0.2, 0.05, 0.3)]
    return [part for line in lines for part in band(line, 0.09)]


def number(rng: np.random.Generator) -> Glyph:
    """Return a speed: two digits."""
    return _row([int(rng.choice([2, 3, 4, 5, 6, 7, 8, 9])), int(rng.choice([0, 0, 0, 5]))])


def word(rng: np.random.Generator) -> Glyph:
    """Return four letter-like marks, as of a word on a sign."""
    shapes: Glyph = []
    for place in range(4):
        x = -0.54 + 0.36 * place
        for line in _LETTERS[int(rng.integers(len(_LETTERS)))]:
            shapes += band(line * np.array([0.26, 0.46]) + np.array([x - 0.13, -0.23]), 0.09)
    return shapes


def lines(rng: np.random.Generator) -> Glyph:
    """Return lines of text too small to read."""
    rows = np.linspace(-0.4, 0.4, int(rng.integers(3, 5)))
    return [rectangle(-0.5, y - 0.07, rng.uniform(0.1, 0.5), y + 0.07) for y in rows.tolist()]


def parking(rng: np.random.Generator) -> Glyph:
    """Return a large P."""
    bowl = np.concatenate(
        [points((-0.2, -0.5), (0.05, -0.5)), arc(0.05, -0.22, 0.28, -np.pi / 2, np.pi / 2)]
    )
    path = np.concatenate([points((-0.2, 0.55)), bowl, points((-0.2, 0.06))])
    return band(path, 0.19)


def stripes(rng: np.random.Generator) -> Glyph:
    """Return slanted lines: the end of a rule."""
    rows = np.arange(-2, 3) * 0.15
    slanted = [points((x - 0.45, 0.55), (x + 0.45, -0.55)) for x in rows.tolist()]
    return [part for line in slanted for part in band(line, 0.05)]


def _either_side(rng: np.random.Generator, glyph: Glyph) -> Glyph:
    """Return the glyph, half the time mirrored."""
    if rng.random() < 0.5:
        return glyph
    return [shape * np.array([-1.0, 1.0]) for shape in glyph]


def _row(digits: list[int]) -> Glyph:
    """Return digits side by side, each of strokes in a cell one wide and two high."""
    shapes: Glyph = []
    for place, digit in enumerate(digits):
        left = -0.56 + 0.64 * place
        for line in _DIGITS[digit]:
            shapes += band(line * np.array([0.46, 0.4]) + np.array([left, -0.4]), 0.15)
    return shapes


def _loop(x: float, y: float, radius: float) -> Floats:
    return arc(x, y, radius, 0, 2 * np.pi, 14)


_DIGITS: Final[dict[int, list[Floats]]] = {
    0: [points((0.5, 0), (1, 0.4), (1, 1.6), (0.5, 2), (0, 1.6), (0, 0.4), (0.5, 0))],
    2: [points((0, 0.4), (0.3, 0), (0.8, 0.05), (1, 0.5), (0.8, 1), (0, 2), (1, 2))],
    3: [points((0, 0.1), (0.7, 0), (1, 0.5), (0.5, 0.95), (1, 1.45), (0.7, 2), (0, 1.9))],
    4: [points((0.7, 2), (0.7, 0), (0, 1.3), (1, 1.3))],
    5: [points((0.95, 0), (0.1, 0), (0, 0.9), (0.7, 0.8), (1, 1.4), (0.6, 2), (0, 1.9))],
    6: [points((0.8, 0), (0.2, 0.6), (0, 1.4), (0.5, 2), (1, 1.5), (0.5, 1), (0.05, 1.3))],
    7: [points((0, 0), (1, 0), (0.35, 2))],
    8: [_loop(0.5, 0.5, 0.45), _loop(0.5, 1.5, 0.5)],
    9: [points((0.2, 2), (0.8, 1.4), (1, 0.6), (0.5, 0), (0, 0.5), (0.5, 1), (0.95, 0.7))],
}

_LETTERS: Final[list[list[Floats]]] = [
    [points((1, 0.1), (0.1, 0.1), (0, 0.4), (1, 0.6), (0.9, 0.95), (0, 0.9))],
    [points((0, 0), (1, 0)), points((0.5, 0), (0.5, 1))],
    [_loop(0.5, 0.5, 0.5)],
    [points((0, 1), (0, 0), (0.9, 0.05), (0.9, 0.5), (0, 0.55))],
    [points((0, 1), (0.5, 0), (1, 1)), points((0.2, 0.7), (0.8, 0.7))],
    [points((0, 0), (0, 1), (1, 1))],
    [points((1, 0), (0, 0), (0, 1), (1, 1)), points((0, 0.5), (0.7, 0.5))],
    [points((0, 1), (0, 0), (1, 1), (1, 0))],
    [points((0, 0), (0, 1)), points((1, 0), (1, 1)), points((0, 0.5), (1, 0.5))],
]
