"""Digits and letters as pen strokes, each drawing with its own hand."""

from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tl_core.procedural.outline import Outline, arc, line

Strokes = tuple[NDArray[np.float64], ...]


def _points(*pairs: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(pairs, dtype=np.float64)


def _joined(*pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate(pieces)


_SIX: Final[Strokes] = (
    _joined(arc(0.5, 0.4, 1.0, 1.3, 265, 180), arc(0, 0.4, 0.5, 0.5, 180, -180)),
)
_STEM: Final = _points((-0.5, -0.9), (-0.5, 0.9))

GLYPHS: Final[dict[str, Strokes]] = {
    "digit zero": (arc(0, 0, 0.55, 0.9),),
    "digit one": (_points((-0.35, -0.5), (0.05, -0.9), (0.05, 0.9)),),
    "digit two": (_joined(arc(0, -0.4, 0.5, 0.5, -170, 30), _points((-0.55, 0.9), (0.6, 0.9))),),
    "digit three": (
        _joined(arc(0, -0.45, 0.48, 0.45, -160, 80), arc(0, 0.42, 0.55, 0.48, -80, 160)),
    ),
    "digit four": (_points((0.25, 0.9), (0.25, -0.9), (-0.6, 0.3), (0.65, 0.3)),),
    "digit five": (
        _joined(
            _points((0.5, -0.9), (-0.4, -0.9), (-0.45, -0.1)), arc(0, 0.33, 0.55, 0.55, -125, 150)
        ),
    ),
    "digit six": _SIX,
    "digit seven": (_points((-0.5, -0.9), (0.55, -0.9), (-0.1, 0.9)),),
    "digit eight": (arc(0, -0.45, 0.42, 0.43), arc(0, 0.42, 0.52, 0.46)),
    "digit nine": tuple(-stroke for stroke in _SIX),
    "letter A": (
        _points((-0.6, 0.9), (0, -0.9), (0.6, 0.9)),
        _points((-0.38, 0.25), (0.38, 0.25)),
    ),
    "letter B": (
        _STEM,
        _joined(_points((-0.5, -0.9)), arc(0, -0.47, 0.45, 0.43, -90, 90), _points((-0.5, -0.04))),
        _joined(_points((-0.5, -0.04)), arc(0, 0.43, 0.55, 0.47, -90, 90), _points((-0.5, 0.9))),
    ),
    "letter E": (
        _points((0.5, -0.9), (-0.5, -0.9), (-0.5, 0.9), (0.5, 0.9)),
        _points((-0.5, 0), (0.35, 0)),
    ),
    "letter F": (_points((0.5, -0.9), (-0.5, -0.9), (-0.5, 0.9)), _points((-0.5, 0), (0.35, 0))),
    "letter G": (_joined(arc(0, 0, 0.65, 0.9, -45, -340), _points((0.62, 0.1), (0.1, 0.1))),),
    "letter H": (_STEM, -_STEM, _points((-0.5, 0), (0.5, 0))),
    "letter J": (_joined(_points((0.4, -0.9)), arc(0, 0.45, 0.4, 0.45, 0, 170)),),
    "letter K": (_STEM, _points((0.55, -0.9), (-0.5, 0.1), (0.6, 0.9))),
    "letter M": (_points((-0.65, 0.9), (-0.6, -0.9), (0, 0.3), (0.6, -0.9), (0.65, 0.9)),),
    "letter N": (_points((-0.5, 0.9), (-0.5, -0.9), (0.5, 0.9), (0.5, -0.9)),),
    "letter P": (
        _STEM,
        _joined(_points((-0.5, -0.9)), arc(0, -0.4, 0.52, 0.5, -90, 90), _points((-0.5, 0.1))),
    ),
    "letter Q": (arc(0, -0.05, 0.65, 0.85), _points((0.15, 0.4), (0.7, 0.95))),
    "letter R": (
        _STEM,
        _joined(
            _points((-0.5, -0.9)),
            arc(0, -0.42, 0.5, 0.48, -90, 90),
            _points((-0.5, 0.06), (-0.05, 0.06), (0.6, 0.9)),
        ),
    ),
    "letter S": (_joined(arc(0, -0.45, 0.5, 0.45, -30, -260), arc(0, 0.45, 0.52, 0.45, -80, 150)),),
    "letter W": (_points((-0.75, -0.9), (-0.4, 0.9), (0, -0.4), (0.4, 0.9), (0.75, -0.9)),),
    "letter Y": (_points((-0.6, -0.9), (0, 0), (0.6, -0.9)), _points((0, 0), (0, 0.9))),
}


def glyph(name: str, rng: Generator) -> Outline:
    """Return one writing of a glyph: its own width, slant, proportions and tremor."""
    width = rng.uniform(0.07, 0.2)
    stretch = np.array([rng.uniform(0.75, 1.15), rng.uniform(0.85, 1.0)])
    slant = rng.uniform(-0.25, 0.25)
    bend = rng.normal(0, 0.06, size=(2, 2, 2))
    outline = []
    for stroke in GLYPHS[name]:
        x, y = stroke[:, 0], stroke[:, 1]
        shaky = stroke + np.stack(
            [
                bend[0, 0, 0] * np.sin(2.5 * y + 9 * bend[0, 1, 1]) + bend[0, 0, 1] * x * y,
                bend[1, 0, 0] * np.sin(2.5 * x + 9 * bend[1, 1, 1]) + bend[1, 0, 1] * x * y,
            ],
            axis=1,
        )
        shaky = shaky + rng.normal(0, 0.02, size=shaky.shape)
        shaky[:, 0] -= slant * shaky[:, 1]
        outline.append(line(shaky * stretch, width))
    return outline
