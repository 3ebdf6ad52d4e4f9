"""The bundled model's source task: labelled images drawn by formula. Nothing here imports torch."""

from typing import Final

from tl_core.procedural.glyphs import GLYPHS
from tl_core.procedural.shapes import SHAPES
from tl_core.procedural.textures import SURFACES

# Raised whenever the same seed would give other images.
VERSION: Final = 1

SIDE: Final = 64

CLASSES: Final[tuple[str, ...]] = (*SHAPES, *GLYPHS, *SURFACES)
