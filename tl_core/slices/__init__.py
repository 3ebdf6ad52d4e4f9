"""Accuracy by group of images: automatic attributes or the user's own, judged with intervals."""

from tl_core.slices.automatic import automatic
from tl_core.slices.groups import FEWEST_IMAGES
from tl_core.slices.judging import Attribute, Slice, Turn, slices, source_model
from tl_core.slices.own_table import MAX_ATTRIBUTES, MAX_VALUES, OwnTable, own_table

__all__ = [
    "FEWEST_IMAGES",
    "MAX_ATTRIBUTES",
    "MAX_VALUES",
    "Attribute",
    "OwnTable",
    "Slice",
    "Turn",
    "automatic",
    "own_table",
    "slices",
    "source_model",
]
