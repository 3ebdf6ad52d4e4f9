"""What pictures look like, measured without a model: light, colour, blur, and how they are hashed.

Measured on small copies of the stored images, once per data set, and kept.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from tl_core import cache, datasets, owners
from tl_core.config import content_hash
from tl_core.cores import cores
from tl_core.events import Progress
from tl_core.image_facts.attributes import ATTRIBUTES, Attribute, Categories
from tl_core.image_facts.facts import BLANK_STD, EMPTY_SHARE, Facts
from tl_core.image_facts.measuring import measured
from tl_core.registration import SIDE as COPY_SIDE

__all__ = [
    "ATTRIBUTES",
    "BLANK_STD",
    "EMPTY_SHARE",
    "Attribute",
    "Categories",
    "Facts",
    "is_measured",
    "known_facts",
    "measured",
    "open_facts",
]

# Raised when what is measured changes, so that no older figures are read.
FORMAT: Final = 1

# Images measured between two signs of progress.
_CHUNK: Final = 64
# What an image takes beside its small copy.
_FACTS_BYTES: Final = 256


def open_facts(dataset: datasets.Dataset) -> Generator[Progress, None, Facts]:
    """Yield progress while images are measured that were not yet; return the facts.

    Keyed by the content and order of the images. Raises BadInput where a stored image is damaged.
    """
    path = _entry(dataset)
    if not cache.is_ready(path):
        expected = len(dataset.images) * (COPY_SIDE**2 + _FACTS_BYTES)
        with cache.building(path, expected) as part:
            yield from _build(dataset, part)
    return _read(dataset, path)


def is_measured(dataset: datasets.Dataset) -> bool:
    """Return whether the facts were measured before and are still kept."""
    return cache.is_ready(_entry(dataset))


def known_facts(dataset: datasets.Dataset) -> Facts | None:
    """Return the facts if they were measured before and are still kept."""
    path = _entry(dataset)
    return _read(dataset, path) if cache.is_ready(path) else None


def _entry(dataset: datasets.Dataset) -> Path:
    return cache.entry("facts", content_hash(FORMAT, [image.pixels for image in dataset.images]))


def _read(dataset: datasets.Dataset, path: Path) -> Facts:
    return Facts(
        width=np.array([image.width for image in dataset.images], dtype=np.int64),
        height=np.array([image.height for image in dataset.images], dtype=np.int64),
        **{file.stem: np.load(file) for file in path.glob("*.npy")},
    )


def _build(dataset: datasets.Dataset, path: Path) -> Generator[Progress, None, None]:
    """Measure each different picture once and write the arrays."""
    places: dict[str, int] = {}
    for index, image in enumerate(dataset.images):
        places.setdefault(image.pixels, index)
    different = list(places.values())
    found: list[dict[str, object]] = []
    measure = owners.bound(lambda index: measured(datasets.pixels(dataset, index)))
    with ThreadPoolExecutor(max_workers=cores()) as pool:
        for start in range(0, len(different), _CHUNK):
            chunk = different[start : start + _CHUNK]
            found += pool.map(measure, chunk)
            yield Progress(
                message=f"Measuring the images of {dataset.name}",
                fraction=len(found) / len(different),
            )
    first = np.array([places[image.pixels] for image in dataset.images], dtype=np.int64)
    rows = np.searchsorted(different, first)
    columns = {name: np.array([row[name] for row in found])[rows] for name in found[0]}
    for name, values in (columns | {"first": first}).items():
        np.save(path / f"{name}.npy", values)
