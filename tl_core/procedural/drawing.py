"""Seed to labelled images of the source task: a background, distractors, the object, light, lens.

What made formula-driven pretraining transfer elsewhere is drawn here too: many classes that differ
in contour (FractalDB, Kataoka et al. 2020; VisualAtom, Takashima et al. 2023), occlusion and
clutter as in dead leaves, and textures, colour and lens all varied (Baradad et al. 2021, 2022).
"""

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Generator, Tensor, nn

from tl_core.procedural import CLASSES, SIDE
from tl_core.procedural.glyphs import GLYPHS, glyph
from tl_core.procedural.outline import REACH, signed_distance
from tl_core.procedural.shapes import SHAPES
from tl_core.procedural.textures import SURFACES

# Outlines kept of each shape and fields of each surface; every use bends and colours them anew.
OUTLINES: Final = 20
FIELDS: Final = 20

# Images drawn at a time: each such part has a seed of its own.
PART: Final = 128

DISTRACTORS: Final = 3
OBJECTS: Final = len(SHAPES) + len(GLYPHS)
_BANK_SEED: Final = 20_000


@dataclass(frozen=True)
class Drawn:
    """Images (N x 3 x SIDE x SIDE, uint8), their classes, and what else was drawn (N, int64).

    `surface` and `ground`: the textures of the object and of the background, as indices into
    SURFACES; a picture of a surface has it as both. `colours`: N x 6, mean RGB from 0 to 1 of the
    object's skin and of the background, before light and lens.
    """

    images: Tensor
    labels: Tensor
    surface: Tensor
    ground: Tensor
    colours: Tensor


@functools.cache
def _outlines() -> Tensor:
    """Return OBJECTS x OUTLINES x GRID x GRID signed distances."""
    drawn = []
    for index, name in enumerate([*SHAPES, *GLYPHS]):
        for number in range(OUTLINES):
            rng = np.random.default_rng([_BANK_SEED, index, number])
            outline = SHAPES[name](rng) if name in SHAPES else glyph(name, rng)
            drawn.append(signed_distance(outline))
    bank = torch.from_numpy(np.stack(drawn))
    return bank.reshape(OBJECTS, OUTLINES, *bank.shape[1:])


@functools.cache
def _fields() -> Tensor:
    """Return surfaces x FIELDS x FIELD x FIELD values from 0 to 1."""
    drawn = [
        texture(np.random.default_rng([_BANK_SEED + 1, index, number])).astype(np.float32)
        for index, texture in enumerate(SURFACES.values())
        for number in range(FIELDS)
    ]
    bank = torch.from_numpy(np.stack(drawn))
    return bank.reshape(len(SURFACES), FIELDS, *bank.shape[1:])


class _Dice:
    """Random values of one part of the images, on the CPU."""

    def __init__(self, seed: int) -> None:
        self.generator = Generator().manual_seed(seed)

    def uniform(self, count: int, low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=self.generator) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator)

    def below(self, count: int, limit: int) -> Tensor:
        return torch.randint(limit, (count,), generator=self.generator)

    def chance(self, count: int, p: float) -> Tensor:
        return torch.rand(count, generator=self.generator) < p


def _lattice(side: int) -> Tensor:
    ticks = (torch.arange(side) + 0.5) / side * 2 - 1
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    return torch.stack([x, y], dim=-1)


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None]


def _coordinates(
    dice: _Dice, centre: Tensor, scale: Tensor, turn: Tensor, *, bend: float, mirror: Tensor
) -> Tensor:
    """Return where each pixel lies in an object's own coordinates: n x SIDE x SIDE x 2.

    Scale per axis n x 2, as a share of half the image; sheared, seen at a slant, and bent by a
    smooth random field.
    """
    n = len(centre)
    place = _lattice(SIDE)[None] - centre[:, None, None]
    cos, sin = turn.cos(), turn.sin()
    shear = dice.uniform(n, -0.25, 0.25)
    x = _wide(cos) * place[..., 0] + _wide(sin) * place[..., 1]
    y = _wide(cos) * place[..., 1] - _wide(sin) * place[..., 0]
    x = x + _wide(shear) * y
    depth = 1 + _wide(dice.uniform(n, -0.25, 0.25)) * x + _wide(dice.uniform(n, -0.25, 0.25)) * y
    own = torch.stack([x / _wide(scale[:, 0] * mirror), y / _wide(scale[:, 1])], dim=-1) / depth[
        ..., None
    ].clamp(0.5, 2)
    return own + _wobble(dice, n, bend)


def _wobble(dice: _Dice, count: int, bend: float) -> Tensor:
    """Return smooth shifts up to about `bend`, count x SIDE x SIDE x 2: waves along each axis."""
    ticks = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    waves = torch.sin(
        ticks * dice.uniform(count, 1.5, 6.0, 4, 1) + dice.uniform(count, 0.0, 6.3, 4, 1)
    ) * dice.uniform(count, 0, bend, 4, 1)
    x = waves[:, 0, :, None] + waves[:, 1, None, :]
    y = waves[:, 2, :, None] + waves[:, 3, None, :]
    return torch.stack([x, y], dim=-1)


def _sampled(bank: Tensor, places: Tensor, padding: str) -> Tensor:
    """Return n x SIDE x SIDE values of n pictures at places from -1 to 1."""
    return nn.functional.grid_sample(
        bank[:, None], places, mode="bilinear", padding_mode=padding, align_corners=False
    )[:, 0]


def _colours(dice: _Dice, count: int) -> Tensor:
    """Return three colours an image, count x 3 x 3 (RGB): near a common one, or far from it."""
    base = dice.uniform(count, 0.02, 0.98, 1, 1) + dice.normal(count, 1, 3) * 0.22
    other = dice.uniform(count, 0.0, 1.0, 3, 1) + dice.normal(count, 3, 3) * 0.22
    spread = dice.uniform(count, 0.1, 1.0) ** 1.5
    return (base + _wide(spread) * (other - base)).clamp(0, 1)


def _surface(dice: _Dice, kinds: Tensor, *, whole: bool = False) -> Tensor:
    """Return coloured surfaces, n x 3 x SIDE x SIDE, of these kinds.

    A `whole` picture of one keeps enough contrast to be recognised.
    """
    n = len(kinds)
    pictures = _fields()[kinds, dice.below(n, FIELDS)]
    zoom = dice.uniform(n, 0.55, 1.0) if whole else dice.uniform(n, 0.4, 1.3)
    stretch = torch.stack([zoom, zoom * dice.uniform(n, 0.75, 1.33)], dim=1).reciprocal()
    turn = dice.uniform(n, -0.5, 0.5) if whole else dice.uniform(n, -1.6, 1.6)
    centre = dice.uniform(n, -0.3, 0.3, 2)
    ones = torch.ones(n)
    places = _coordinates(dice, centre, stretch, turn, bend=0.08, mirror=ones)
    value = _sampled(pictures, places, "reflection")
    gamma = dice.uniform(n, -0.5, 0.5).exp()
    value = value.clamp(0, 1) ** _wide(gamma)
    palette = _colours(dice, n)
    if whole:
        grey = palette.mean(dim=2)
        apart = (grey[:, 0] - grey[:, 2]).abs()
        push = (0.3 - apart).clamp(min=0) * torch.where(grey[:, 0] < grey[:, 2], 1.0, -1.0)
        palette = palette + torch.stack([-push, 0 * push, push], dim=1)[..., None] * 0.6
    low = (1 - 2 * value).clamp(min=0)[:, None]
    high = (2 * value - 1).clamp(min=0)[:, None]
    first, middle, last = (palette[:, i, :, None, None] for i in range(3))
    return (low * first + (1 - low - high) * middle + high * last).clamp(0, 1)


def _slope(distance: Tensor) -> tuple[Tensor, Tensor]:
    x = nn.functional.pad((distance[:, :, 2:] - distance[:, :, :-2]), (1, 1))
    y = nn.functional.pad((distance[:, 2:] - distance[:, :-2]), (0, 0, 1, 1))
    length = (x * x + y * y).sqrt().clamp(min=1e-4)
    return x / length, y / length


def _mean_colour(images: Tensor) -> Tensor:
    return images.mean(dim=(2, 3))


def _paint(
    dice: _Dice,
    scene: Tensor,
    kinds: Tensor,
    skin: Tensor,
    size: tuple[float, float],
    reach: float,
) -> Tensor:
    """Return the scenes, n x 3 x SIDE x SIDE, with one object of `kinds` in its `skin` on each.

    `size`: half the object, as a share of half the image; `reach`: how far off the centre.
    """
    n = len(kinds)
    half = dice.uniform(n, *size)
    scale = half[:, None] * dice.uniform(n, -0.18, 0.18, 2).exp()
    centre = dice.uniform(n, -reach, reach, 2)
    written = kinds >= len(SHAPES)
    turn = dice.normal(n) * torch.where(written, 0.14, 0.28)
    mirror = torch.where(dice.chance(n, 0.5) & ~written, -1.0, 1.0)
    places = _coordinates(dice, centre, scale, turn, bend=0.07, mirror=mirror)
    outlines = _outlines()[kinds, dice.below(n, OUTLINES)]
    # Beyond the kept distances, at least as far as at their border.
    distance = _sampled(outlines, places / REACH, "border")
    distance = distance + (places.abs().amax(dim=-1) - REACH).clamp(min=0)
    distance = distance + _wide(dice.uniform(n, -0.03, 0.03))
    drawn_line = dice.chance(n, 0.15) & ~written
    edge = _wide(dice.uniform(n, 0.08, 0.16))
    distance = torch.where(_wide(drawn_line), (distance + edge / 2).abs() - edge / 2, distance)
    pixels = _wide(half * SIDE / 2)
    cover = (0.5 - distance * pixels / _wide(dice.uniform(n, 1.0, 2.0))).clamp(0, 1)

    light = dice.normal(n, 2)
    x, y = _slope(distance)
    facing = (x * _wide(light[:, 0]) + y * _wide(light[:, 1])).clamp(-1.5, 1.5)
    relief = _wide(dice.uniform(n, 0, 0.45)) * torch.exp(
        -distance.abs() * _wide(dice.uniform(n, 2, 9))
    )
    skin = skin * (1 + facing * relief)[:, None]
    rim = torch.where(_wide(dice.chance(n, 0.3)), (distance > -0.09).float(), torch.zeros(()))[
        :, None
    ]
    skin = torch.lerp(skin, dice.uniform(n, 0, 1, 3)[..., None, None].expand_as(skin), rim)

    step = int(dice.below(1, 3)) + 1
    shadow = nn.functional.pad(cover, (step, 0, step, 0))[:, None, :SIDE, :SIDE]
    dark = dice.uniform(n, -0.3, 0.6).clamp(min=0)[:, None, None, None]
    scene = scene * (1 - dark * shadow)
    return torch.lerp(scene, skin, cover[:, None])


def _add(
    dice: _Dice, scenes: Tensor, where: Tensor, size: tuple[float, float], reach: float
) -> None:
    """Draw one more object of any kind on some of the scenes, in place."""
    chosen = torch.nonzero(where)[:, 0]
    kinds = dice.below(len(chosen), OBJECTS)
    skin = _surface(dice, dice.below(len(chosen), len(SURFACES)))
    scenes[chosen] = _paint(dice, scenes[chosen], kinds, skin, size, reach)


def _soft(images: Tensor) -> Tensor:
    """Return the images averaged over 3 x 3 pixels."""
    wide = nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = wide[:, :, :-2] + wide[:, :, 1:-1] + wide[:, :, 2:]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def _lens(dice: _Dice, scenes: Tensor) -> Tensor:
    """Return the scenes under uneven light, out of focus, noisy, some of them grey."""
    n = len(scenes)
    slope = dice.normal(n, 2) * 0.18
    lattice = _lattice(SIDE)
    light = 1 + (lattice[None] * slope[:, None, None]).sum(-1)
    scenes = scenes * light[:, None]
    grey = scenes.mean(dim=1, keepdim=True)
    colour = torch.where(dice.chance(n, 0.12), torch.zeros(n), dice.uniform(n, 0.4, 1.3))
    scenes = grey + (scenes - grey) * colour[:, None, None, None]
    middle = scenes.mean(dim=(1, 2, 3), keepdim=True)
    contrast = dice.uniform(n, -0.5, 0.35).exp()[:, None, None, None]
    scenes = (scenes - middle) * contrast + middle + dice.normal(n, 1, 1, 1) * 0.08
    soft = _soft(scenes)
    softer = _soft(soft)
    blur = (dice.uniform(n, -0.6, 2.0).clamp(min=0))[:, None, None, None]
    scenes = torch.where(
        blur < 1, torch.lerp(scenes, soft, blur.clamp(max=1)), torch.lerp(soft, softer, blur - 1)
    )
    noise = dice.uniform(n, -0.02, 0.07).clamp(min=0)[:, None, None, None]
    return scenes + noise * dice.normal(*scenes.shape)


def _part(labels: Tensor, seed: int) -> Drawn:
    dice = _Dice(seed)
    n = len(labels)
    pictured = labels >= OBJECTS
    ground = torch.where(pictured, labels - OBJECTS, dice.below(n, len(SURFACES)))
    surface = torch.where(pictured, ground, dice.below(n, len(SURFACES)))
    scenes = torch.empty(n, 3, SIDE, SIDE)
    scenes[pictured] = _surface(dice, ground[pictured], whole=True)
    behind = _surface(dice, ground[~pictured])
    # A background is often paler than what stands before it.
    pale = dice.uniform(len(behind), -0.3, 0.9).clamp(min=0)[:, None, None, None]
    scenes[~pictured] = torch.lerp(behind, behind.mean(dim=(2, 3), keepdim=True), pale)
    colours = _mean_colour(scenes).repeat(1, 2)
    for _ in range(DISTRACTORS):
        _add(dice, scenes, ~pictured & dice.chance(n, 0.45), (0.12, 0.3), 1.0)
    chosen = torch.nonzero(~pictured)[:, 0]
    skin = _surface(dice, surface[chosen])
    colours[chosen, :3] = _mean_colour(skin)
    scenes[chosen] = _paint(dice, scenes[chosen], labels[chosen], skin, (0.4, 0.85), 0.25)
    _add(dice, scenes, ~pictured & dice.chance(n, 0.25), (0.12, 0.28), 1.1)
    images = (_lens(dice, scenes).clamp(0, 1) * 255).round().to(torch.uint8)
    return Drawn(images, labels, surface, ground, colours)


def draw(count: int, seed: int) -> Drawn:
    """Return `count` images, every class once before any comes again; the same for the same seed.

    Bit-identical on CPU whatever the number of threads.
    """
    shuffler, rounds = Generator().manual_seed(seed), -(-count // len(CLASSES))
    every = [torch.randperm(len(CLASSES), generator=shuffler) for _ in range(rounds)]
    labels = torch.cat(every)[:count]
    seeds = np.random.SeedSequence(seed).generate_state(-(-count // PART), np.uint64) >> np.uint64(
        1
    )
    parts = [
        _part(chunk, int(part_seed))
        for chunk, part_seed in zip(torch.split(labels, PART), seeds, strict=True)
    ]
    return Drawn(
        *(torch.cat([getattr(part, name) for part in parts]) for name in Drawn.__dataclass_fields__)
    )
