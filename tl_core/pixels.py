"""Images decoded once: resized uint8 pixels of a data set in one memory-mapped file."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tl_core import cache, datasets, preprocessing
from tl_core.catalog import Preprocessing
from tl_core.config import Augmentation, content_hash
from tl_core.cores import cores
from tl_core.device import Compute
from tl_core.events import Progress

# Raised when decoding, resizing or the file's layout changes, so that no older file is read.
FORMAT = 2

# Images decoded between two signs of progress.
CHUNK = 64


class Pixels:
    """Resized images of a data set: `pixels[i]` is a uint8 tensor 1 x 3 x H x W of the file.

    Stored as H x W x 3: cropping and resizing read neighbouring bytes that way.
    """

    def __init__(self, path: Path, wanted: Preprocessing, key: str, device: str = "cpu") -> None:
        """Open a finished cache folder; `key` identifies its content and resize.

        On a graphics card with room to spare the pixels move there once, and so does all that is
        done to them.
        """
        self.key = key
        shapes = np.load(path / "shapes.npy")
        self.preprocessing = wanted
        self.shapes = shapes.tolist()
        self.offsets = np.concatenate([[0], np.cumsum(3 * shapes.prod(axis=1))]).tolist()
        self.values = torch.from_numpy(np.memmap(path / "pixels.bin", dtype=np.uint8, mode="c"))
        if device == "cuda" and self.values.numel() < torch.cuda.mem_get_info()[0] // 4:
            self.values = self.values.to(device)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.shapes)

    def __getitem__(self, index: int) -> Tensor:
        """Return one resized image."""
        height, width = self.shapes[index]
        values = self.values[self.offsets[index] : self.offsets[index + 1]]
        return values.view(1, height, width, 3).permute(0, 3, 1, 2)

    def evaluation_batch(self, indices: Sequence[int]) -> Tensor:
        """Return centre crops, N x 3 x crop x crop, uint8."""
        return torch.cat([preprocessing.centre_crop(self[i], self.preprocessing) for i in indices])

    def augmented_batch(
        self,
        indices: Sequence[int],
        generators: Sequence[torch.Generator],
        mirror: bool,
        augmentation: Augmentation = "crops",
    ) -> Tensor:
        """Return varied images, N x 3 x crop x crop, uint8; one generator an image.

        Random resized crops, recoloured for `colour`; for `none` the centre crops of evaluation.
        """
        if augmentation == "none":
            return self.evaluation_batch(indices)
        crops = [
            preprocessing.augmented_crop(self[index], self.preprocessing, generator, mirror)
            for index, generator in zip(indices, generators, strict=True)
        ]
        if augmentation == "colour":
            pairs = zip(crops, generators, strict=True)
            crops = [preprocessing.recoloured(crop, generator) for crop, generator in pairs]
        return torch.cat(crops)


def open_pixels(
    dataset: datasets.Dataset, wanted: Preprocessing, compute: Compute
) -> Generator[Progress, None, Pixels]:
    """Yield progress while decoding whatever is not cached yet; return the open cache.

    Keyed by the content and order of the images and by the resize, so that a stale file cannot be
    found.
    """
    key = content_hash(
        FORMAT,
        [image.pixels for image in dataset.images],
        wanted.resize,
        wanted.interpolation,
    )
    path = cache.entry("pixels", key)
    if not cache.is_ready(path):
        # Photographs are rarely wider than 3:2; the cap is no exact science.
        expected = len(dataset.images) * 3 * wanted.resize**2 * 3 // 2
        with cache.building(path, expected) as part:
            yield from _build(dataset, wanted, part)
    return Pixels(path, wanted, key, compute.device)


def _build(
    dataset: datasets.Dataset, wanted: Preprocessing, path: Path
) -> Generator[Progress, None, None]:
    """Write pixels and shapes in the data set's order."""

    def decode(index: int) -> Tensor:
        image = torch.from_numpy(datasets.pixels(dataset, index))[None].permute(0, 3, 1, 2)
        resized = preprocessing.resize(image, wanted)
        return resized[0].permute(1, 2, 0).contiguous()

    total, shapes = len(dataset.images), []
    pixels = path / "pixels.bin"
    with ThreadPoolExecutor(max_workers=cores()) as pool, pixels.open("wb") as file:
        for start in range(0, total, CHUNK):
            for image in pool.map(decode, range(start, min(start + CHUNK, total))):
                shapes.append(tuple(image.shape[:2]))
                file.write(image.numpy().data)
            yield Progress(message=f"Reading {dataset.name}", fraction=len(shapes) / total)
    np.save(path / "shapes.npy", np.array(shapes, dtype=np.int64))
