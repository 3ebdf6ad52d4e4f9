"""Pretrained models as rows of a data file: readable without importing torch."""

import functools
from importlib import resources
from typing import Literal

import msgspec

from tl_core.config import NotPossible


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the catalog's values; an unknown field in the data file fails."""


class Block(Row, frozen=True):
    """A piece of a backbone that is frozen or trained as a whole.

    `modules` are paths in torchvision's model, in order: of modules, or of bare parameters (ViT's
    tokens). `flops` counts one image's forward pass (a multiplication and an addition are two),
    `parameters` all weights of the block.
    """

    name: str
    modules: tuple[str, ...]
    parameters: int
    flops: int


class Preprocessing(Row, frozen=True):
    """What the weights expect: shorter side to `resize`, centre crop, scale to 0..1, normalise."""

    resize: int
    crop: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class Weights(Row, frozen=True):
    """Where pretrained weights come from and under which terms.

    `commercial` is the one sentence a user needs on commercial use.
    """

    name: str
    url: str
    megabytes: float
    top1: float
    top5: float
    source_task: str
    source_classes: str
    code_licence: str
    weights_licence: str
    commercial: str


class Recipe(Row, frozen=True):
    """Default rates of a model: for pretrained weights, and for random ones."""

    optimizer: Literal["sgd", "adamw"]
    rate: float
    scratch_rate: float


class Model(Row, frozen=True):
    """A pretrained model. `normalisation` decides rates and what freezing has to hold still.

    `family` names the wiring of pooling and original head; `parameters` and `flops` include the
    original head, `head_parameters` are its own. `feature_size` is the pooled vector's length.
    """

    name: str
    title: str
    family: str
    parameters: int
    flops: int
    feature_size: int
    normalisation: Literal["batch", "layer", "none"]
    preprocessing: Preprocessing
    weights: Weights
    recipe: Recipe
    blocks: tuple[Block, ...]
    head_parameters: int


class SourceClass(Row, frozen=True):
    """One class of a source task; `names` are synonyms, the usual one first."""

    index: int
    synset: str
    names: tuple[str, ...]


def _read(name: str) -> bytes:
    return resources.files("tl_core").joinpath("data", name).read_bytes()


@functools.cache
def catalog() -> dict[str, Model]:
    """Return all rows by name, in the order of the data file."""
    rows = msgspec.json.decode(_read("catalog.json"), type=list[Model])
    return {row.name: row for row in rows}


def find(name: str) -> Model:
    """Return a row; raises NotPossible naming the models there are."""
    rows = catalog()
    if name not in rows:
        raise NotPossible(f"There is no model '{name}'. Models: {', '.join(rows)}.")
    return rows[name]


@functools.cache
def source_classes(source: str) -> tuple[SourceClass, ...]:
    """Return the classes of a source task (`Weights.source_classes`), by index."""
    return msgspec.json.decode(_read(f"{source}.json"), type=tuple[SourceClass, ...])
