"""Surfaces by formula: each a field of values from 0 to 1, drawn anew with its own proportions."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.floating[Any]]
Texture = Callable[[Generator], Field]

# Samples along a field's side; it covers -1 to 1.
FIELD: Final = 96

_TICKS: Final = (((np.arange(FIELD) + 0.5) / FIELD) * 2 - 1).astype(np.float32)
X, Y = np.meshgrid(_TICKS, _TICKS)


def _smooth(coarse: NDArray[np.floating[Any]]) -> Field:
    image = Image.fromarray(coarse.astype(np.float32))
    return np.asarray(image.resize((FIELD, FIELD), Image.Resampling.BICUBIC), dtype=np.float32)


def _noise(rng: Generator, cells: int, octaves: int = 4, fall: float = 0.55) -> Field:
    """Return smooth noise around 0 with about unit spread, each octave half as large and weaker."""
    total = np.zeros((FIELD, FIELD), dtype=np.float32)
    for octave in range(octaves):
        side = min(cells * 2**octave, FIELD)
        total += fall**octave * _smooth(rng.standard_normal((side + 1, side + 1)))
    even: Field = total / total.std()
    return even


def _unit(field: Field) -> Field:
    spread: Field = (field - field.min()) / max(float(field.max() - field.min()), 1e-6)
    return spread


def _step(field: Field, sharp: float) -> Field:
    """Return 0 to 1 across the zero of a field; sharper with larger `sharp`."""
    share: Field = 1 / (1 + np.exp(-np.clip(sharp * field, -30, 30)))
    return share


def _wave(phase: Field, rng: Generator) -> Field:
    return _step(np.sin(phase) + rng.uniform(-0.5, 0.5), rng.uniform(2, 20))


def _fraction(field: Field) -> Field:
    return field - np.floor(field)


def _count(rng: Generator, low: float = 6, high: float = 22) -> float:
    return float(rng.uniform(low, high))


def _stripes(rng: Generator) -> Field:
    return _wave(X * _count(rng) + 0.15 * _noise(rng, 3, 1), rng)


def _checkerboard(rng: Generator) -> Field:
    k = _count(rng, 5, 16)
    return _step(np.sin(k * X) * np.sin(k * Y), rng.uniform(8, 40))


def _polka_dots(rng: Generator) -> Field:
    k, shift = _count(rng, 1.8, 5), rng.choice([0.0, 0.5])
    row = np.floor(k * Y)
    u, v = _fraction(k * X + shift * row) - 0.5, _fraction(k * Y) - 0.5
    return _step(rng.uniform(0.2, 0.36) - np.hypot(u, v), rng.uniform(20, 60))


def _grid(rng: Generator) -> Field:
    k, width = _count(rng, 2, 6), rng.uniform(0.06, 0.16)
    u, v = np.abs(_fraction(k * X) - 0.5), np.abs(_fraction(k * Y) - 0.5)
    return _step(width - np.minimum(u, v), 60)


def _bricks(rng: Generator) -> Field:
    rows, width = _count(rng, 2.5, 6), rng.uniform(0.04, 0.12)
    v = rows * Y
    u = rows * X / rng.uniform(1.8, 2.6) + 0.5 * (np.floor(v) % 2)
    edge = np.minimum(
        2 * np.minimum(_fraction(u), 1 - _fraction(u)), np.minimum(_fraction(v), 1 - _fraction(v))
    )
    tone = _fraction(np.sin(np.floor(u) * 12.9898 + np.floor(v) * 78.233) * 43758.547)
    return _step(edge - width, 60) * (0.6 + 0.4 * tone)


def _waves(rng: Generator) -> Field:
    bend = rng.uniform(0.8, 2.5) * np.sin(X * _count(rng, 4, 9))
    return _wave(Y * _count(rng, 9, 24) + bend, rng)


def _zigzag(rng: Generator) -> Field:
    teeth = np.abs(_fraction(X * _count(rng, 1.5, 4)) - 0.5)
    return _wave(Y * _count(rng, 9, 24) + rng.uniform(4, 10) * teeth, rng)


def _rings(rng: Generator) -> Field:
    x, y = rng.uniform(-0.4, 0.4, 2)
    return _wave(np.hypot(X - x, Y - y) * _count(rng, 12, 30), rng)


def _spiral_bands(rng: Generator) -> Field:
    x, y = rng.uniform(-0.3, 0.3, 2)
    radius, angle = np.hypot(X - x, Y - y), np.arctan2(Y - y, X - x)
    return _wave(radius * _count(rng, 9, 24) + int(rng.integers(1, 4)) * angle, rng)


def _wood(rng: Generator) -> Field:
    stretched = np.hypot(X * rng.uniform(2, 4), Y * 0.4 + rng.uniform(0.5, 2))
    grain = np.sin(stretched * _count(rng, 9, 18) + 0.8 * _noise(rng, 2, 3))
    fibres = _smooth(rng.standard_normal((8, FIELD)))
    return _unit(grain + 0.35 * fibres)


def _marble(rng: Generator) -> Field:
    veins = np.abs(np.sin(X * _count(rng, 2, 5) + rng.uniform(1, 2.2) * _noise(rng, 2, 5, 0.6)))
    return veins ** np.float32(rng.uniform(0.25, 0.6))


def _clouds(rng: Generator) -> Field:
    return _unit(_noise(rng, int(rng.integers(2, 5)), 5, rng.uniform(0.45, 0.65)))


def _speckle(rng: Generator) -> Field:
    grain = _smooth(rng.standard_normal((FIELD // 2, FIELD // 2)))
    return _step(grain - rng.uniform(-0.8, 1.2), rng.uniform(3, 12))


def _cells(rng: Generator, count: int, jitter: float = 0.5) -> tuple[Field, Field, Field]:
    """Return the distances to the two nearest of scattered points, and the nearest one's tone."""
    side = int(np.sqrt(count))
    ticks = (np.arange(side + 2) - 0.5) / side * 2 - 1
    gx, gy = (axis.ravel() for axis in np.meshgrid(ticks, ticks))
    px, py = (
        gx + rng.uniform(-jitter, jitter, gx.size) * 2 / side,
        gy + rng.uniform(-jitter, jitter, gy.size) * 2 / side,
    )
    far = np.hypot(
        X[None] - px[:, None, None].astype(np.float32),
        Y[None] - py[:, None, None].astype(np.float32),
    )
    two = np.partition(far, 1, axis=0)
    tone = rng.random(gx.size).astype(np.float32)[far.argmin(axis=0)]
    return two[0] * side, two[1] * side, tone


def _cracks(rng: Generator) -> Field:
    first, second, tone = _cells(rng, int(rng.integers(9, 40)), 0.55)
    return _step(second - first - rng.uniform(0.06, 0.16), 40) * (0.75 + 0.25 * tone)


def _pebbles(rng: Generator) -> Field:
    first, second, tone = _cells(rng, int(rng.integers(16, 80)), 0.45)
    domes: Field = np.clip((second - first) * 1.5, 0, 1) * (0.4 + 0.6 * tone)
    return domes


def _honeycomb(rng: Generator) -> Field:
    k = _count(rng, 2, 5.5)
    a, b = np.stack([X * k, Y * k]), np.array([1.0, np.sqrt(3)], dtype=np.float32)[:, None, None]
    p, q = np.mod(a, b) - b / 2, np.mod(a - b / 2, b) - b / 2
    near = np.where((p**2).sum(0) < (q**2).sum(0), p, q)
    edge = 0.5 - np.maximum(np.abs(near[0]), np.abs(near[0]) / 2 + np.abs(near[1]) * np.sqrt(3) / 2)
    return _step(edge - rng.uniform(0.03, 0.1), 60)


def _scales(rng: Generator) -> Field:
    k, sharp = _count(rng, 2.5, 6), rng.uniform(1.0, 2.0)
    v = k * Y
    row = np.floor(v)
    best = np.zeros_like(X)
    for back in (1, 0):  # the upper row lies over the lower one
        u = _fraction(k * X + 0.5 * ((row - back) % 2)) - 0.5
        radius = np.hypot(u, (v - (row - back)) * 0.55) / 0.62
        best = np.where(radius < 1, radius**sharp, best)
    return best


def _weave(rng: Generator) -> Field:
    k = _count(rng, 2.5, 6)
    u, v = k * X, k * Y
    over = (np.floor(u) + np.floor(v)) % 2 == 0
    across, along = np.sin(np.pi * _fraction(u)), np.sin(np.pi * _fraction(v))
    threads: Field = np.where(over, across * (0.7 + 0.3 * along), 0.55 * along)
    return threads ** np.float32(rng.uniform(0.5, 1))


def _crosshatch(rng: Generator) -> Field:
    k, lean = _count(rng, 14, 30), rng.uniform(0.5, 1.2)
    shaky = 0.3 * _noise(rng, 4, 1)
    one, two = np.sin(k * (X + lean * Y) + shaky), np.sin(k * (X - lean * Y) - shaky)
    return _step(np.minimum(one, two) + rng.uniform(0.5, 0.9), rng.uniform(4, 15))


def _maze(rng: Generator) -> Field:
    # A band of wavelengths of white noise, cut at its mean: labyrinths as on some fish.
    spectrum = np.fft.fft2(rng.standard_normal((FIELD, FIELD)))
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(FIELD), np.fft.fftfreq(FIELD))) * FIELD
    centre = rng.uniform(5, 11)
    band = np.fft.ifft2(spectrum * np.exp(-(((f - centre) / (0.18 * centre)) ** 2))).real
    return _step((band / band.std()).astype(np.float32), rng.uniform(4, 12))


def _blotches(rng: Generator) -> Field:
    noise = _noise(rng, int(rng.integers(4, 10)), 2, 0.4)
    ring = rng.random() < 0.4
    return _step(0.35 - np.abs(noise - 0.6) if ring else noise - rng.uniform(0.2, 0.9), 12)


def _rays(rng: Generator) -> Field:
    x, y = rng.uniform(-0.5, 0.5, 2)
    return _wave(np.arctan2(Y - y, X - x) * int(rng.integers(6, 18)) + 0.2 * _noise(rng, 3, 1), rng)


def _plaid(rng: Generator) -> Field:
    k = _count(rng, 3, 8)
    across = [np.sin(k * m * X + rng.uniform(0, 6)) > rng.uniform(-0.3, 0.7) for m in (1, 2)]
    along = [np.sin(k * m * Y + rng.uniform(0, 6)) > rng.uniform(-0.3, 0.7) for m in (1, 2)]
    threads: Field = (2.0 * across[0] + across[1] + 2.0 * along[0] + along[1]) / 6
    return threads


def _fur(rng: Generator) -> Field:
    strands = _smooth(rng.standard_normal((int(rng.integers(8, 16)), 72)))
    bent = np.clip((X + 0.12 * _noise(rng, 3, 1) + 1) / 2 * (FIELD - 1), 0, FIELD - 1).astype(int)
    rows = np.arange(FIELD)[:, None]
    return _unit(np.clip(strands[rows, bent], -2, 2) + 0.4 * _noise(rng, 3, 2))


def _ripples(rng: Generator) -> Field:
    total = np.zeros_like(X)
    for _ in range(int(rng.integers(2, 5))):
        x, y = rng.uniform(-1.5, 1.5, 2)
        total += np.sin(np.hypot(X - x, Y - y) * _count(rng, 10, 24))
    return _unit(total)


SURFACES: Final[dict[str, Texture]] = {
    "stripes": _stripes,
    "checkerboard": _checkerboard,
    "polka dots": _polka_dots,
    "grid": _grid,
    "bricks": _bricks,
    "waves": _waves,
    "zigzag": _zigzag,
    "concentric rings": _rings,
    "spiral bands": _spiral_bands,
    "wood grain": _wood,
    "marble": _marble,
    "clouds": _clouds,
    "speckle": _speckle,
    "cracks": _cracks,
    "pebbles": _pebbles,
    "honeycomb": _honeycomb,
    "scales": _scales,
    "weave": _weave,
    "crosshatch": _crosshatch,
    "maze": _maze,
    "blotches": _blotches,
    "rays": _rays,
    "plaid": _plaid,
    "fur": _fur,
    "ripples": _ripples,
}
