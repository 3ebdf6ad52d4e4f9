"""Pretrained models as rows of a data file: readable without importing torch."""

import functools
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import msgspec

from tl_core.config import NotPossible

# Widths in pixels at which a model may see images. Every network here halves its maps five times
# at the most: under 32 pixels nothing would be left of them. Images are kept 512 pixels high.
SMALLEST_INPUT, LARGEST_INPUT = 32, 512
# Families with an embedding learnt for each position of the image: no other size has those.
_FIXED_INPUT = {"vit"}


Optimizer = Literal["sgd", "adamw"]


class Row(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Base of the catalog's values; an unknown field in the data file fails."""


class Block(Row, frozen=True):
    """A piece of a backbone that is frozen or trained as a whole.

    `modules` are paths in torchvision's model, in order: of modules, or of bare parameters (ViT's
    tokens). `flops` counts one image's forward pass (a multiplication and an addition are two),
    `parameters` all weights of the block, `values` the numbers it passes on for one image.
    """

    name: str
    modules: tuple[str, ...]
    parameters: int
    flops: int
    values: int


class Preprocessing(Row, frozen=True):
    """What the weights expect: shorter side to `resize`, centre crop, scale to 0..1, normalise."""

    resize: int
    crop: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class Weights(Row, frozen=True, kw_only=True):
    """Where pretrained weights come from and under which terms.

    `commercial` is the one sentence a user needs on commercial use, its answer before a colon.
    `url` is empty for weights that come with the app: then `file` is their name under
    `tl_core/data`, `sha256` what that file has to be. `drawn`: the source task is this project's
    own generator (`tl_core.procedural`), so labelled source images can be had without a user.
    """

    name: str
    url: str
    file: str = ""
    sha256: str = ""
    drawn: bool = False
    megabytes: float
    top1: float
    top5: float
    source_task: str
    source_classes: str
    code_licence: str
    weights_licence: str
    commercial: str

    @property
    def may_be_sold(self) -> Literal["yes", "no", "unclear"]:
        """Whether commercial use is allowed, as far as the sentence says."""
        return COMMERCIAL.get(self.commercial.split(":")[0], "unclear")


# What the first words of `Weights.commercial` answer; every row begins with one of them.
COMMERCIAL: Final[dict[str, Literal["yes", "no", "unclear"]]] = {
    "Commercial use is allowed": "yes",
    "Commercial use is forbidden": "no",
    "Commercial use is not cleared": "unclear",
}


class Recipe(Row, frozen=True):
    """Default rates of a model: for pretrained weights, and for random ones."""

    optimizer: Optimizer
    rate: float
    scratch_rate: float


class Model(Row, frozen=True):
    """A pretrained model. `normalisation` decides rates and what freezing has to hold still.

    `architecture` names the network's constructor, `family` the wiring of pooling and original
    head; `parameters` and `flops` include the original head, `head_parameters` are its own.
    `feature_size` is the pooled vector's length.
    """

    name: str
    title: str
    architecture: str
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


class SourceClass(Row, frozen=True, kw_only=True):
    """One class of a source task; `names` are synonyms, the usual one first.

    `synset` is WordNet's number, empty where the task has none.
    """

    index: int
    synset: str = ""
    names: tuple[str, ...]


def data_file(name: str) -> Path:
    """Return where a file of `tl_core/data` lies."""
    return Path(str(resources.files("tl_core").joinpath("data", name)))


@functools.cache
def catalog() -> dict[str, Model]:
    """Return all rows by name, in the order of the data file."""
    rows = msgspec.json.decode(data_file("catalog.json").read_bytes(), type=list[Model])
    return {row.name: row for row in rows}


def find(name: str) -> Model:
    """Return a row; raises NotPossible naming the models there are."""
    rows = catalog()
    if name not in rows:
        raise NotPossible(f"There is no model '{name}'. Models: {', '.join(rows)}.")
    return rows[name]


def at_size(row: Model, size: int | None) -> Model:
    """Return a model that sees images `size` pixels wide; None is its own size.

    Images are first resized in proportion. Work and values of its blocks grow with the area, which
    is an estimate: `counting.counted` knows better. Raises NotPossible for sizes it cannot take.
    """
    if size is None or size == row.preprocessing.crop:
        return row
    if not SMALLEST_INPUT <= size <= LARGEST_INPUT:
        raise NotPossible(f"The input size is from {SMALLEST_INPUT} to {LARGEST_INPUT} pixels.")
    if row.family in _FIXED_INPUT:
        raise NotPossible(
            f"{row.title} has learnt a position for every part of an image of "
            f"{row.preprocessing.crop} pixels and takes no other size. Choose another model, or "
            "leave the input size out."
        )
    wanted = row.preprocessing
    area = (size / wanted.crop) ** 2
    head = row.flops - sum(block.flops for block in row.blocks)
    # SqueezeNet's head looks at every position, all others at one vector.
    head = round(head * area) if head > 2 * row.head_parameters else head
    blocks = tuple(_of_area(block, area) for block in row.blocks)
    resize = round(wanted.resize * size / wanted.crop)
    return msgspec.structs.replace(
        row,
        preprocessing=msgspec.structs.replace(wanted, resize=resize, crop=size),
        blocks=blocks,
        flops=sum(block.flops for block in blocks) + head,
    )


def _of_area(block: Block, area: float) -> Block:
    """Return a block that sees `area` times as much of an image; pooled it passes on a vector."""
    values = block.values if "avgpool" in block.modules else round(block.values * area)
    return msgspec.structs.replace(
        block, flops=max(1, round(block.flops * area)), values=max(1, values)
    )


@functools.cache
def source_classes(source: str) -> tuple[SourceClass, ...]:
    """Return the classes of a source task (`Weights.source_classes`), by index."""
    return msgspec.json.decode(
        data_file(f"{source}.json").read_bytes(), type=tuple[SourceClass, ...]
    )
