"""Road signs, told apart by the shape of the board, photographed at the roadside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.ingest.samples import pictograms as on
from tl_core.ingest.samples.canvas import (
    SIDE,
    Canvas,
    Colour,
    Floats,
    View,
    band,
    between,
    clouds,
    disc,
    finished,
    mixed,
    photographed,
    points,
    regular,
    rounded,
    turned,
)
from tl_core.ingest.samples.scenery import scene

_RED: Final[Colour] = (190, 28, 38)
_BLUE: Final[Colour] = (22, 84, 168)
_GREEN: Final[Colour] = (20, 112, 72)
_YELLOW: Final[Colour] = (246, 196, 32)
_ORANGE: Final[Colour] = (240, 130, 30)
_LIME: Final[Colour] = (198, 222, 40)
_WHITE: Final[Colour] = (238, 238, 234)
_BLACK: Final[Colour] = (26, 26, 28)
_GREY: Final[Colour] = (120, 122, 124)
_STEEL: Final[Colour] = (148, 150, 154)


@dataclass(frozen=True)
class Face:
    """How a board is painted: its rim and its field, and what may stand on it."""

    field: Colour
    rim: Colour
    ink: Colour
    glyphs: Sequence[on.Draw]
    # Width of the rim as a share of the board, and the thin edge outside it.
    width: float = 0.16
    edge: Colour | None = None


_ROAD: Final = (
    *(on.exclamation, on.curve, on.crossroads, on.walker, on.children, on.bumps, on.tree),
    *(on.bicycle, on.car, on.waves, on.lights, on.train),
)
_ORDERED: Final = (on.straight_arrow, on.turn_arrow, on.bicycle, on.walker)
_BANNED: Final = (on.number, on.number, on.walker, on.bicycle, on.car, on.turn_arrow)

_SQUARE: Final = regular(4, np.pi / 4) * 1.18
_SHIELD_HOUSE: Final = points((0, -1), (0.92, -0.22), (0.78, 0.95), (-0.78, 0.95), (-0.92, -0.22))
_ARROW: Final = points((-1.3, -0.46), (0.45, -0.46), (1.25, 0.0), (0.45, 0.46), (-1.3, 0.46))
_POINTED: Final = points(
    *((-1.25, -0.36), (0.2, -0.36), (0.2, -0.8), (1.2, 0.0), (0.2, 0.8), (0.2, 0.36)),
    (-1.25, 0.36),
)

# How much of its shortest side a board loses at either end to a round corner. A share, not a
# length: what only softens a triangle's long sides would leave a circle of an octagon's short ones.
_CORNER: Final = (0.02, 0.1)

# Each class's outlines and faces.
_BOARDS: Final[dict[str, tuple[Sequence[Floats], Sequence[Face]]]] = {
    "arrow": (
        [_POINTED],
        [
            Face(_YELLOW, _BLACK, _BLACK, [on.nothing, on.lines], 0.1),
            Face(_BLUE, _WHITE, _WHITE, [on.nothing, on.lines], 0.1),
            Face(_WHITE, _BLACK, _BLACK, [on.nothing, on.lines], 0.1),
            Face(_GREEN, _WHITE, _WHITE, [on.nothing, on.lines], 0.1),
        ],
    ),
    "circle": (
        [disc()],
        [
            Face(_WHITE, _RED, _BLACK, _BANNED, 0.2),
            Face(_WHITE, _RED, _BLACK, [on.number, on.nothing], 0.2),
            Face(_BLUE, _WHITE, _WHITE, _ORDERED, 0.06),
            Face(_RED, _WHITE, _WHITE, [on.bar], 0.05),
            Face(_WHITE, _GREY, _GREY, [on.stripes], 0.05),
            Face(_YELLOW, _RED, _BLACK, _BANNED, 0.18),
        ],
    ),
    "diamond": (
        [regular(4) * 1.1],
        [
            Face(_YELLOW, _BLACK, _BLACK, _ROAD, 0.08, _YELLOW),
            Face(_ORANGE, _BLACK, _BLACK, _ROAD, 0.08, _ORANGE),
            Face(_YELLOW, _WHITE, _BLACK, [on.nothing], 0.3, _BLACK),
            Face(_LIME, _BLACK, _BLACK, [on.walker, on.bicycle, on.children], 0.08, _LIME),
        ],
    ),
    "octagon": (
        [regular(8, np.pi / 8) * 1.04],
        [
            Face(_RED, _WHITE, _WHITE, [on.word], 0.09, _RED),
            Face(_RED, _WHITE, _WHITE, [on.word], 0.09),
            Face(_WHITE, _RED, _RED, [on.word, on.nothing], 0.12),
            Face(_BLUE, _WHITE, _WHITE, [on.word, on.walker], 0.09),
        ],
    ),
    "pentagon": (
        [_SHIELD_HOUSE, regular(5) * 1.08],
        [
            Face(_LIME, _BLACK, _BLACK, [on.children, on.walker], 0.08, _LIME),
            Face(_BLUE, _YELLOW, _YELLOW, [on.number], 0.1),
            Face(_YELLOW, _BLACK, _BLACK, [on.children, on.number], 0.08),
            Face(_GREEN, _WHITE, _WHITE, [on.walker, on.tree], 0.1),
        ],
    ),
    "square": (
        [_SQUARE],
        [
            Face(_BLUE, _WHITE, _WHITE, [on.parking, on.straight_arrow, on.car, on.train], 0.06),
            Face(_GREEN, _WHITE, _WHITE, [on.walker, on.straight_arrow, on.lines], 0.06),
            Face(_WHITE, _BLACK, _BLACK, [on.lines, on.turn_arrow, on.number], 0.05),
            Face(_ORANGE, _BLACK, _BLACK, [on.lines, on.exclamation], 0.05),
        ],
    ),
    "triangle": (
        [regular(3) * 1.2],
        [
            Face(_WHITE, _RED, _BLACK, _ROAD, 0.2),
            Face(_YELLOW, _RED, _BLACK, _ROAD, 0.2),
            Face(_YELLOW, _BLACK, _BLACK, _ROAD, 0.1),
        ],
    ),
}
CLASSES: Final = (*_BOARDS, "cross")
COUNTS: Final = dict.fromkeys(sorted(CLASSES), (10, 5, 50))
SEED: Final = 11

# A glyph's size and its middle's height within boards where the plain middle does not serve.
_FITTED: Final[dict[str, tuple[float, float]]] = {
    "arrow": (0.5, 0.0),
    "diamond": (0.72, 0.0),
    "square": (0.9, 0.0),
    "triangle": (0.52, 0.16),
    "pentagon": (0.72, 0.12),
}


def draw(label: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return one photograph of a sign with a board of this shape."""
    canvas = scene(rng)
    size = between(rng, 0.27, 0.4)
    view = View(
        (between(rng, 0.4, 0.6), between(rng, 0.38, 0.52)),
        size * (0.8 if label == "arrow" else 1.0),
        roll=between(rng, -0.12, 0.12),
        yaw=between(rng, -0.6, 0.6),
        pitch=between(rng, -0.25, 0.25),
    )
    _pole(rng, canvas, view)
    if label == "cross":
        _crossbuck(rng, canvas, view)
    else:
        _board(rng, canvas, view, label)
    if rng.random() < 0.2:
        _twig(rng, canvas)
    canvas.blur(int(rng.choice([56, 72, SIDE, SIDE])))
    return finished(_weathered(rng, canvas.pixels()))


def _pole(rng: np.random.Generator, canvas: Canvas, view: View) -> None:
    """Draw the post, its bright side towards the light."""
    middle, width = view(points((0, 0)))[0], view.size * between(rng, 0.09, 0.16)
    foot = middle + np.array([between(rng, -0.03, 0.03), 1.2])
    shade = between(rng, 0.6, 1.0)
    steel = mixed((0, 0, 0), _STEEL, shade)
    for shape in band(np.array([middle, foot]), width):
        canvas.fill(shape, steel)
    for shape in band(np.array([middle, foot]) + np.array([width * 0.15, 0.0]), width * 0.3):
        canvas.fill(shape, mixed(steel, _WHITE, 0.4))


def _board(rng: np.random.Generator, canvas: Canvas, view: View, label: str) -> None:
    outlines, faces = _BOARDS[label]
    outline = outlines[int(rng.integers(len(outlines)))]
    face = faces[int(rng.integers(len(faces)))]
    flip = np.array([-1.0 if label == "arrow" and rng.random() < 0.5 else 1.0, 1.0])
    board = outline * flip
    if label != "circle":
        board = rounded(board, between(rng, *_CORNER) * _shortest_side(board))
    fade = between(rng, 0.0, 0.35)

    def painted(colour: Colour) -> Colour:
        return mixed(colour, (170, 168, 164), fade)

    def layer(scale: float, colour: Colour, shift: float = 0.0) -> None:
        canvas.fill(view(board * scale) + shift, painted(colour))

    layer(1.03, mixed(_STEEL, _BLACK, 0.4), shift=0.01)
    if face.edge is not None:
        layer(1.0, face.edge)
    layer(0.94 if face.edge is not None else 1.0, face.rim)
    layer(0.94 - face.width if face.edge is not None else 1.0 - face.width, face.field)
    glyph = face.glyphs[int(rng.integers(len(face.glyphs)))](rng)
    fitted, lower = _FITTED.get(label, (0.8, 0.0))
    wide = np.array([1.7, 1.0]) if label == "arrow" else np.array([1.0, 1.0])
    for shape in glyph:
        canvas.fill(view(shape * fitted * wide + np.array([0.0, lower])), painted(face.ink))


def _shortest_side(outline: Floats) -> float:
    """Return the length of a polygon's shortest side."""
    return float(np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1).min())


def _crossbuck(rng: np.random.Generator, canvas: Canvas, view: View) -> None:
    """Draw two crossed beams, as at a railway crossing."""
    field, rim = [(_WHITE, _RED), (_YELLOW, _BLACK), (_WHITE, _BLACK)][int(rng.integers(3))]
    fade, lean = between(rng, 0.0, 0.35), between(rng, 0.62, 0.85)
    for angle in (lean, -lean):
        for length, width, colour in ((1.25, 0.46, rim), (1.17, 0.32, field)):
            beam = points((-length, -width / 2), (length, -width / 2), (length, width / 2))
            beam = np.concatenate([beam, points((-length, width / 2))])
            canvas.fill(view(turned(beam, angle)), mixed(colour, (170, 168, 164), fade))
        if rng.random() < 0.7:
            for x in np.arange(-0.9, 0.95, 0.22).tolist():
                mark = points((x, -0.08), (x + 0.12, -0.08), (x + 0.12, 0.08), (x, 0.08))
                if abs(x) > 0.2:
                    canvas.fill(view(turned(mark, angle)), mixed(_BLACK, field, fade))


def _twig(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draw leaves that hang into the picture from a corner."""
    corner = np.array([float(rng.choice([0.0, 1.0])), between(rng, 0.0, 0.5)])
    colour: Colour = (60, 96, 44)
    for _ in range(int(rng.integers(5, 12))):
        offset = corner + rng.normal(0, 0.09, 2)
        leaf = turned(disc() * np.array([0.055, 0.022]), between(rng, 0, np.pi))
        canvas.fill(leaf + offset, mixed(colour, (140, 160, 80), between(rng, 0, 1)))


def _weathered(rng: np.random.Generator, pixels: Floats) -> Floats:
    """Return the picture with haze, shadows of leaves and the camera's own light."""
    if rng.random() < 0.35:
        shadow = np.clip((clouds(rng, (5, 5), octaves=2) - 0.5) * 5, 0, 1)[..., None]
        pixels = pixels * (1 - 0.4 * shadow)
    haze = between(rng, 0.0, 0.18)
    return photographed(rng, pixels * (1 - haze) + 205 * haze)
