"""Shapes with a name: each draws its outline anew with its own proportions."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tl_core.procedural.outline import (
    Outline,
    Part,
    arc,
    fill,
    hole,
    line,
    polar,
    regular,
)

Shape = Callable[[Generator], Outline]

_AROUND: Final = np.linspace(0, 2 * np.pi, 72, endpoint=False)


def _mirrored(half: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Return a closed outline from its right half, given from top to bottom."""
    right = np.array(half, dtype=np.float64)
    left = right[::-1] * np.array([-1.0, 1.0])
    return np.concatenate([right, left])


def _star(corners: int, inner: float) -> NDArray[np.float64]:
    points = regular(2 * corners, 0.98)
    points[1::2] *= inner
    return points


def _circle(rng: Generator) -> Outline:
    return [fill(arc(0, 0, 0.92, 0.92))]


def _ellipse(rng: Generator) -> Outline:
    thin = rng.uniform(0.4, 0.68)
    return [fill(arc(0, 0, 0.97, thin) if rng.random() < 0.5 else arc(0, 0, thin, 0.97))]


def _semicircle(rng: Generator) -> Outline:
    return [fill(arc(0, 0.4, 0.95, rng.uniform(0.75, 1.1), 180, 360))]


def _crescent(rng: Generator) -> Outline:
    inner = rng.uniform(0.65, 0.85)
    return [fill(arc(0, 0, 0.95, 0.95)), hole(fill(arc(rng.uniform(0.35, 0.5), 0, inner, inner)))]


def _ring(rng: Generator) -> Outline:
    inner = rng.uniform(0.4, 0.75)
    return [fill(arc(0, 0, 0.95, 0.95)), hole(fill(arc(0, 0, inner, inner)))]


def _triangle(rng: Generator) -> Outline:
    top = rng.uniform(-0.25, 0.25)
    return [fill([(top, -0.9), (0.95, 0.75), (-0.95, 0.75)])]


def _right_triangle(rng: Generator) -> Outline:
    wide = rng.uniform(0.65, 0.95)
    return [fill([(-wide, -0.9), (-wide, 0.85), (wide, 0.85)])]


def _square(rng: Generator) -> Outline:
    return [fill(regular(4, rng.uniform(1.0, 1.15), -45))]


def _rectangle(rng: Generator) -> Outline:
    thin = rng.uniform(0.3, 0.6)
    wide, high = (0.95, thin) if rng.random() < 0.6 else (thin, 0.95)
    return [fill([(-wide, -high), (wide, -high), (wide, high), (-wide, high)])]


def _diamond(rng: Generator) -> Outline:
    return [
        fill([(0, -0.97), (rng.uniform(0.6, 0.97), 0), (0, 0.97), (-rng.uniform(0.6, 0.97), 0)])
    ]


def _parallelogram(rng: Generator) -> Outline:
    lean, high = rng.uniform(0.3, 0.6), rng.uniform(0.4, 0.65)
    return [fill([(lean - 0.6, -high), (0.97, -high), (0.6 - lean, high), (-0.97, high)])]


def _trapezoid(rng: Generator) -> Outline:
    top, high = rng.uniform(0.3, 0.6), rng.uniform(0.45, 0.75)
    return [fill([(-top, -high), (top, -high), (0.97, high), (-0.97, high)])]


def _pentagon(rng: Generator) -> Outline:
    return [fill(regular(5))]


def _hexagon(rng: Generator) -> Outline:
    return [fill(regular(6, 0.95, rng.choice([0.0, 30.0])))]


def _octagon(rng: Generator) -> Outline:
    return [fill(regular(8, 0.95, 22.5))]


def _five_pointed(rng: Generator) -> Outline:
    return [fill(_star(5, rng.uniform(0.35, 0.58)))]


def _four_pointed(rng: Generator) -> Outline:
    return [fill(_star(4, rng.uniform(0.2, 0.42)))]


def _starburst(rng: Generator) -> Outline:
    return [fill(_star(int(rng.integers(9, 16)), rng.uniform(0.6, 0.8)))]


def _cross(rng: Generator) -> Outline:
    arm = rng.uniform(0.18, 0.38)
    half = [(arm, -0.95), (arm, -arm), (0.95, -arm), (0.95, arm), (arm, arm), (arm, 0.95)]
    return [fill(_mirrored(half))]


def _arrow(rng: Generator) -> Outline:
    thick, neck = rng.uniform(0.12, 0.3), rng.uniform(-0.1, 0.3)
    wide = rng.uniform(0.5, 0.8)
    upper = [(-0.95, -thick), (neck, -thick), (neck, -wide), (0.97, 0.0)]
    return [fill(upper + [(x, -y) for x, y in upper[-2::-1]])]


def _double_arrow(rng: Generator) -> Outline:
    thick, neck, wide = rng.uniform(0.1, 0.25), rng.uniform(0.3, 0.5), rng.uniform(0.45, 0.7)
    half = [(-neck, -wide), (-neck, -thick), (neck, -thick), (neck, -wide), (0.97, 0.0)]
    return [fill([(-0.97, 0.0), *half, *[(-x, -y) for x, y in half[:-1]]])]


def _chevron(rng: Generator) -> Outline:
    thick, tip = rng.uniform(0.3, 0.55), rng.uniform(0.35, 0.6)
    outer = [(-0.5, -0.9), (thick - 0.5, -0.9), (tip + 0.2, 0.0), (thick - 0.5, 0.9), (-0.5, 0.9)]
    return [fill([*outer, (tip - thick + 0.2, 0.0)])]


def _heart(rng: Generator) -> Outline:
    t = _AROUND
    x = 0.95 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    return [fill(np.stack([x * rng.uniform(0.85, 1.0), y * rng.uniform(0.85, 1.0)], axis=1))]


def _drop(rng: Generator) -> Outline:
    t, sharp = _AROUND, rng.uniform(1.2, 2.2)
    x = rng.uniform(0.65, 0.9) * np.sin(t) * np.sin(t / 2) ** sharp
    return [fill(np.stack([x, -0.95 * np.cos(t)], axis=1))]


def _leaf(rng: Generator) -> Outline:
    t = np.linspace(-1, 1, 24)
    wide = rng.uniform(0.35, 0.6) * (1 - t**2) * (1 - rng.uniform(0, 0.4) * t)
    right = np.stack([wide, t * 0.85], axis=1)
    left = (right * np.array([-1.0, 1.0]))[::-1]
    return [fill(np.concatenate([right, left])), line([(0, 0.7), (0.1, 1.1)], 0.05)]


def _flower(rng: Generator) -> Outline:
    petals, depth = int(rng.integers(5, 8)), rng.uniform(0.2, 0.4)
    outer = fill(polar(0.95 - depth + depth * np.cos(petals * _AROUND)))
    return [outer, hole(fill(arc(0, 0, 0.16, 0.16)))] if rng.random() < 0.5 else [outer]


def _clover(rng: Generator) -> Outline:
    leaves, size = int(rng.integers(3, 5)), rng.uniform(0.4, 0.48)
    centres = regular(leaves, 0.5, -90 if leaves == 3 else -45)
    parts = [fill(arc(x, y, size, size)) for x, y in centres]
    return [*parts, line([(0, 0), (0.12, 1.1)], 0.08)]


def _gear(rng: Generator) -> Outline:
    teeth = int(rng.integers(8, 13))
    wave = np.tanh(4 * np.cos(teeth * np.linspace(0, 2 * np.pi, 96, endpoint=False)))
    bore = rng.uniform(0.2, 0.4)
    return [fill(polar(0.82 + rng.uniform(0.1, 0.14) * wave)), hole(fill(arc(0, 0, bore, bore)))]


def _lightning(rng: Generator) -> Outline:
    kink = rng.uniform(0.0, 0.2)
    points = [(0.2, -0.97), (-0.6, kink), (-0.1, kink), (-0.3, 0.97), (0.6, kink - 0.25)]
    return [fill([*points, (0.1, kink - 0.25), (0.55, -0.97)])]


def _house(rng: Generator) -> Outline:
    eaves, wall = rng.uniform(-0.3, 0.1), rng.uniform(0.6, 0.85)
    outer = [(0, -0.95), (0.97, eaves), (wall, eaves), (wall, 0.9)]
    door = fill([(-0.2, 0.9), (-0.2, 0.35), (0.15, 0.35), (0.15, 0.9)])
    return [fill(_mirrored(outer)), hole(door)]


def _crown(rng: Generator) -> Outline:
    low, mid = rng.uniform(-0.1, 0.2), rng.uniform(-0.85, -0.6)
    return [fill(_mirrored([(0, mid), (0.4, low), (0.95, -0.7), (0.75, 0.7)]))]


def _key(rng: Generator) -> Outline:
    bow = rng.uniform(0.32, 0.42)
    shaft = [
        line([(-0.3, 0), (0.9, 0)], 0.1),
        line([(0.8, 0), (0.8, 0.4)], 0.1),
        line([(0.45, 0), (0.45, 0.3)], 0.1),
    ]
    return [fill(arc(-0.55, 0, bow, bow)), hole(fill(arc(-0.55, 0, bow / 2, bow / 2))), *shaft]


def _mushroom(rng: Generator) -> Outline:
    stem = rng.uniform(0.2, 0.38)
    foot = [(-stem, -0.05), (stem, -0.05), (stem * 1.2, 0.9), (-stem * 1.2, 0.9)]
    return [fill(arc(0, 0, 0.95, rng.uniform(0.7, 0.9), 180, 360)), fill(foot)]


def _fish(rng: Generator) -> Outline:
    high, tail = rng.uniform(0.4, 0.6), rng.uniform(0.4, 0.6)
    body = [fill(arc(-0.2, 0, 0.75, high)), fill([(0.35, 0), (0.97, -tail), (0.97, tail)])]
    return [*body, hole(fill(arc(-0.6, -0.12, 0.08, 0.08)))]


def _bottle(rng: Generator) -> Outline:
    neck, wide, shoulder = rng.uniform(0.13, 0.22), rng.uniform(0.38, 0.55), rng.uniform(-0.4, 0.0)
    half = [(neck, -0.97), (neck, shoulder - 0.25), (wide, shoulder), (wide, 0.95)]
    return [fill(_mirrored(half))]


def _cup(rng: Generator) -> Outline:
    low = rng.uniform(0.4, 0.6)
    body = [(-0.75, -0.7), (0.5, -0.7), (low, 0.8), (-low - 0.2, 0.8)]
    return [fill(body), line(arc(0.5, -0.05, 0.42, 0.42, -80, 100), 0.09)]


def _pine(rng: Generator) -> Outline:
    tiers = int(rng.integers(2, 4))
    half: list[tuple[float, float]] = [(0.0, -0.97)]
    for tier in range(tiers):
        bottom = -0.97 + 1.6 * (tier + 1) / tiers
        half += [(0.35 + 0.5 * (tier + 1) / tiers, bottom), (0.2 + 0.25 * tier / tiers, bottom)]
    return [fill(_mirrored([*half[:-1], (0.14, half[-1][1]), (0.14, 0.97)]))]


def _butterfly(rng: Generator) -> Outline:
    upper, lower = rng.uniform(0.45, 0.55), rng.uniform(0.3, 0.42)
    wings = [
        fill(arc(side * 0.48, y, size * 0.95, size))
        for side in (-1, 1)
        for y, size in ((-0.35, upper), (0.45, lower))
    ]
    return [*wings, line([(0, -0.7), (0, 0.8)], 0.09)]


def _cloud(rng: Generator) -> Outline:
    puffs = [(-0.55, 0.15, 0.4), (-0.1, -0.2, 0.5), (0.45, 0.05, 0.45), (0, 0.25, 0.4)]
    parts = [
        fill(arc(x, y, r * rng.uniform(0.85, 1.1), r * rng.uniform(0.85, 1.1))) for x, y, r in puffs
    ]
    return [*parts, fill([(-0.55, 0.1), (0.45, 0.1), (0.5, 0.5), (-0.6, 0.5)])]


def _keyhole(rng: Generator) -> Outline:
    head, foot = rng.uniform(0.4, 0.52), rng.uniform(0.35, 0.6)
    return [fill(arc(0, -0.45, head, head)), fill([(0, -0.6), (foot, 0.95), (-foot, 0.95)])]


def _bow_tie(rng: Generator) -> Outline:
    high, knot = rng.uniform(0.5, 0.8), rng.uniform(0.08, 0.2)
    return [
        fill([(-0.97, -high), (0, -knot), (0.97, -high), (0.97, high), (0, knot), (-0.97, high)])
    ]


def _hourglass(rng: Generator) -> Outline:
    return [Part(part.points[:, ::-1].copy(), part.kind) for part in _bow_tie(rng)]


def _bell(rng: Generator) -> Outline:
    half = [(0.1, -0.9), (0.45, -0.65), (0.55, 0.2), (rng.uniform(0.75, 0.95), 0.6)]
    return [fill(_mirrored(half)), fill(arc(0, 0.72, 0.2, 0.2))]


def _apple(rng: Generator) -> Outline:
    dent = rng.uniform(0.15, 0.3)
    radius = 0.85 - dent * np.exp(-((np.minimum(_AROUND, 2 * np.pi - _AROUND) / 0.4) ** 2))
    return [fill(polar(radius)), line([(0, -0.6), (rng.uniform(0.1, 0.3), -1.05)], 0.06)]


def _umbrella(rng: Generator) -> Outline:
    handle = np.concatenate([np.array([[0.0, -0.9]]), arc(0.2, 0.7, 0.2, 0.22, 180, 20)])
    return [fill(arc(0, 0.0, 0.95, rng.uniform(0.75, 0.95), 180, 360)), line(handle, 0.07)]


def _anchor(rng: Generator) -> Outline:
    width = rng.uniform(0.08, 0.14)
    return [
        line([(0, -0.6), (0, 0.85)], width),
        line([(-0.4, -0.35), (0.4, -0.35)], width),
        line(arc(0, 0.15, 0.75, 0.7, 0, 180), width),
        line(arc(0, -0.75, 0.18, 0.18), width * 0.7),
    ]


def _spiral(rng: Generator) -> Outline:
    angle = np.linspace(0, rng.uniform(2.2, 3.2) * 2 * np.pi, 72) + rng.uniform(0, 6.3)
    radius = np.linspace(0.05, 0.9, 72)
    return [
        line(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), rng.uniform(0.05, 0.1))
    ]


def _squiggle(rng: Generator) -> Outline:
    x = np.linspace(-0.95, 0.95, 48)
    y = rng.uniform(0.3, 0.55) * np.sin(x * rng.uniform(4.5, 8) + rng.uniform(0, 6.3))
    return [line(np.stack([x, y], axis=1), rng.uniform(0.07, 0.16))]


def _fern(rng: Generator) -> Outline:
    parts, bend = [line([(0, 1.0), (0, -0.95)], 0.05)], rng.uniform(0.15, 0.45)
    for y in np.linspace(0.7, -0.8, int(rng.integers(6, 9))):
        reach = 0.8 * (y + 1.1) / 1.8
        parts += [line([(0, y), (side * reach, y - bend)], 0.045) for side in (-1, 1)]
    return parts


def _branch(x: float, y: float, angle: float, length: float, depth: int, rng: Generator) -> Outline:
    end = (x + length * np.sin(angle), y - length * np.cos(angle))
    here: Outline = [line([(x, y), end], 0.025 + 0.028 * depth)]
    for side in (-1, 1) if depth else ():
        turn = angle + side * rng.uniform(0.3, 0.75)
        here += _branch(*end, turn, length * rng.uniform(0.6, 0.8), depth - 1, rng)
    return here


def _bare_tree(rng: Generator) -> Outline:
    return _branch(0, 1.0, rng.uniform(-0.1, 0.1), 0.7, 3, rng)


def _snowflake(rng: Generator) -> Outline:
    width, twig = rng.uniform(0.04, 0.08), rng.uniform(0.2, 0.35)
    parts: Outline = []
    for x, y in regular(6, 0.95):
        parts.append(line([(0, 0), (x, y)], width))
        angle = np.arctan2(y, x)
        for side in (-0.8, 0.8):
            tip = (0.6 * x + twig * np.cos(angle + side), 0.6 * y + twig * np.sin(angle + side))
            parts.append(line([(0.6 * x, 0.6 * y), tip], width))
    return parts


def _blob(rng: Generator) -> Outline:
    radius = np.full(len(_AROUND), 0.7)
    for k in (2, 3, 4):
        radius += rng.uniform(0.02, 0.16) * np.cos(k * _AROUND + rng.uniform(0, 6.3))
    return [fill(polar(radius))]


def _aeroplane(rng: Generator) -> Outline:
    span, back = rng.uniform(0.7, 0.95), rng.uniform(0.1, 0.4)
    return [
        line([(-0.9, 0), (0.85, 0)], rng.uniform(0.1, 0.16)),
        fill(
            [
                (-0.3, 0),
                (back, -span),
                (back + 0.25, -span),
                (0.2, 0),
                (back + 0.25, span),
                (back, span),
            ]
        ),
        fill([(0.55, 0), (0.85, -0.4), (0.97, -0.4), (0.9, 0), (0.97, 0.4), (0.85, 0.4)]),
    ]


def _sailing_boat(rng: Generator) -> Outline:
    top = rng.uniform(-0.97, -0.75)
    return [
        fill([(-0.9, 0.45), (0.9, 0.45), (0.6, 0.9), (-0.6, 0.9)]),
        fill([(0.0, top), (0.75, 0.3), (0.0, 0.3)]),
        fill([(-0.1, top + 0.3), (-0.1, 0.3), (-0.6, 0.3)]),
    ]


def _car(rng: Generator) -> Outline:
    roof, front = rng.uniform(-0.55, -0.35), rng.uniform(0.3, 0.5)
    body = [(-0.97, 0.0), (-0.6, -0.05), (-0.4, roof), (front - 0.1, roof), (front + 0.2, -0.05)]
    wheels = [fill(arc(x, 0.42, 0.22, 0.22)) for x in (-0.52, 0.52)]
    return [fill([*body, (0.97, 0.05), (0.97, 0.4), (-0.97, 0.4)]), *wheels]


def _insect(rng: Generator) -> Outline:
    body = [
        fill(arc(0, -0.62, 0.2, 0.2)),
        fill(arc(0, -0.2, 0.2, 0.26)),
        fill(arc(0, 0.45, rng.uniform(0.24, 0.36), 0.48)),
    ]
    reach = rng.uniform(0.6, 0.9)
    legs = [
        line([(0, -0.2), (side * 0.5, start - 0.1), (side * reach, start + down)], 0.04)
        for side in (-1, 1)
        for start, down in ((-0.55, -0.2), (-0.15, 0.15), (0.2, 0.5))
    ]
    return [*body, *legs]


def _bird(rng: Generator) -> Outline:
    wing = rng.uniform(0.5, 0.9)
    return [
        fill(arc(0, 0.1, 0.62, 0.28)),
        fill(arc(-0.62, -0.1, 0.2, 0.2)),
        fill([(-0.75, -0.18), (-1.0, -0.02), (-0.7, 0.03)]),
        fill([(0.4, 0.1), (0.98, -0.15), (0.95, 0.25)]),
        fill([(-0.25, 0.05), (0.3, -wing), (0.35, 0.1)]),
    ]


def _pin(rng: Generator) -> Outline:
    wide = rng.uniform(0.5, 0.65)
    inner = wide * rng.uniform(0.35, 0.5)
    tip = fill([(-wide * 0.93, -0.2), (wide * 0.93, -0.2), (0, 0.97)])
    return [fill(arc(0, -0.4, wide, wide * 0.95)), tip, hole(fill(arc(0, -0.4, inner, inner)))]


SHAPES: Final[dict[str, Shape]] = {
    "circle": _circle,
    "ellipse": _ellipse,
    "semicircle": _semicircle,
    "crescent": _crescent,
    "ring": _ring,
    "triangle": _triangle,
    "right triangle": _right_triangle,
    "square": _square,
    "rectangle": _rectangle,
    "diamond": _diamond,
    "parallelogram": _parallelogram,
    "trapezoid": _trapezoid,
    "pentagon": _pentagon,
    "hexagon": _hexagon,
    "octagon": _octagon,
    "star": _five_pointed,
    "four-pointed star": _four_pointed,
    "starburst": _starburst,
    "cross": _cross,
    "arrow": _arrow,
    "double arrow": _double_arrow,
    "chevron": _chevron,
    "heart": _heart,
    "drop": _drop,
    "leaf": _leaf,
    "flower": _flower,
    "clover": _clover,
    "gear": _gear,
    "lightning bolt": _lightning,
    "house": _house,
    "crown": _crown,
    "key": _key,
    "mushroom": _mushroom,
    "fish": _fish,
    "bottle": _bottle,
    "cup": _cup,
    "pine tree": _pine,
    "butterfly": _butterfly,
    "cloud": _cloud,
    "keyhole": _keyhole,
    "bow tie": _bow_tie,
    "hourglass": _hourglass,
    "bell": _bell,
    "apple": _apple,
    "umbrella": _umbrella,
    "anchor": _anchor,
    "spiral": _spiral,
    "squiggle": _squiggle,
    "fern": _fern,
    "bare tree": _bare_tree,
    "snowflake": _snowflake,
    "blob": _blob,
    "aeroplane": _aeroplane,
    "sailing boat": _sailing_boat,
    "car": _car,
    "insect": _insect,
    "bird": _bird,
    "map pin": _pin,
}
