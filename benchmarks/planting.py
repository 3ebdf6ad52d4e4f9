"""Faults put into data sets on purpose: changed copies of images, and wrong labels."""

import io
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tl_core import backbones, catalog, datasets, device
from tl_core.activations import open_read_out
from tl_core.datasets import Dataset
from tl_core.events import Progress
from tl_core.forgetting import ready
from tl_core.image_facts import Facts, open_facts
from tl_core.ingest import ingest_files
from tl_core.pixels import open_pixels
from tl_core.weights import WeightsFile

CHANGES: Final = ("re-encoded", "resized", "mirrored", "cropped")
QUALITIES: Final = (60, 91)
RESIZED: Final = (0.9, 1.1)
CROPPED: Final = 0.05

T = TypeVar("T")


@dataclass(frozen=True)
class Copies:
    """A data set with copies planted: of each, the original, the copy, and what was done to it."""

    dataset: Dataset
    truth: tuple[tuple[int, int, str], ...]


def changed(picture: Image.Image, change: str, rng: np.random.Generator) -> bytes:
    """Return a picture as a JPEG of quality 60 to 90 after one of `CHANGES`."""
    width, height = picture.size
    if change == "resized":
        scale = RESIZED[rng.integers(2)]
        size = (round(width * scale), round(height * scale))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    if change == "mirrored":
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if change == "cropped":
        less = (max(1, round(CROPPED * width)), max(1, round(CROPPED * height)))
        left, top = (int(rng.integers(side + 1)) for side in less)
        picture = picture.crop((left, top, left + width - less[0], top + height - less[1]))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=int(rng.integers(*QUALITIES)))
    return stream.getvalue()


def with_copies(dataset: Dataset, count: int, seed: int) -> Copies:
    """Return the data set with `count` changed copies, in any part, of the same class."""
    rng = np.random.default_rng([seed, count])
    parts = sorted({image.part for image in dataset.images})
    files: dict[str, bytes] = {}
    for index, image in enumerate(dataset.images):
        name = _name(dataset, image.label, image.part, f"{index}.webp")
        files[name] = (dataset.folder / image.file).read_bytes()
    made = []
    for number, index in enumerate(rng.permutation(len(dataset.images))[:count].tolist()):
        image, change = dataset.images[index], CHANGES[number % len(CHANGES)]
        picture = Image.fromarray(datasets.pixels(dataset, index))
        part = parts[rng.integers(len(parts))]
        name = _name(dataset, image.label, part, f"copy{number}.jpg")
        files[name] = changed(picture, change, rng)
        made.append((_name(dataset, image.label, image.part, f"{index}.webp"), name, change))
    opened = ((name, io.BytesIO(content)) for name, content in files.items())
    planted = ingest_files(opened, name=f"{dataset.name} with copies")
    place = {image.name: index for index, image in enumerate(planted.images)}
    return Copies(planted, tuple((place[first], place[copy], how) for first, copy, how in made))


def _name(dataset: Dataset, label: int, part: str, file: str) -> str:
    return "/".join(filter(None, (part, dataset.classes[label], file)))


def wrong_labels(
    labels: NDArray[np.int64], count: int, seed: int
) -> tuple[NDArray[np.int64], set[int]]:
    """Return labels (N) of which `count` name another class, and which ones."""
    rng = np.random.default_rng([seed, count])
    given, classes = labels.copy(), int(labels.max()) + 1
    chosen = rng.choice(len(labels), count, replace=False)
    given[chosen] = (labels[chosen] + rng.integers(1, classes, count)) % classes
    return given, set(chosen.tolist())


def features_of(dataset: Dataset, file: WeightsFile) -> NDArray[np.float32]:
    """Return the features (N x D) of every image by a pretrained model."""
    row = catalog.find(file.model)
    compute = device.resolve("auto", "float32", 0)
    compute.activate()
    original = ready(backbones.build(row, backbones.load_weights(file.path)), compute)
    pixels = last(open_pixels(dataset, row.preprocessing, compute))
    return last(open_read_out(original, file.sha256, pixels, compute, dataset.name)).features


def facts_of(dataset: Dataset) -> Facts:
    """Return the facts of every image."""
    return last(open_facts(dataset))


def last(steps: Generator[Progress, None, T]) -> T:
    """Return what a computation with signs of progress gives."""
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value
