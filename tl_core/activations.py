"""The frozen part, paid for once: activations at a boundary, and what the original model reads out.

A boundary is a number of blocks, from the input on, that stay frozen for the whole run. Arrays lie
on disk, keyed by everything that decides their values, and are opened as memory maps.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tl_core import cache
from tl_core.backbones import Backbone
from tl_core.config import content_hash
from tl_core.device import Compute, synchronise
from tl_core.events import Progress
from tl_core.pixels import Pixels
from tl_core.preprocessing import normalise

# Raised when the content of a cached array changes.
FORMAT = 1

# Augmented views per image: a frozen prefix is run once per view instead of once per step.
VIEWS = 4
EVALUATION_BATCH = 64

# A boundary whose views would need more than this is cached with fewer views, or not at all.
BOUNDARY_BYTES = 2 * 1024**3


class PixelInputs:
    """Inputs of a model whose first block trains: augmented afresh at every step."""

    boundary = 0
    passes = 0
    seconds_per_image = 0.0

    def __init__(self, pixels: Pixels, mirror: bool, compute: Compute) -> None:
        """Read from `pixels`; `mirror` allows horizontal flips."""
        self.pixels, self.mirror, self.compute = pixels, mirror, compute

    def training_batch(self, indices: Sequence[int], generator: torch.Generator) -> Tensor:
        """Return augmented, normalised images."""
        batch = self.pixels.augmented_batch(indices, generator, self.mirror)
        return normalise(batch.to(self.compute.device), self.pixels.preprocessing)

    def evaluation_batches(self, indices: Sequence[int]) -> Iterator[Tensor]:
        """Yield centre crops, normalised, in order."""
        for start in range(0, len(indices), EVALUATION_BATCH):
            batch = self.pixels.evaluation_batch(indices[start : start + EVALUATION_BATCH])
            yield normalise(batch.to(self.compute.device), self.pixels.preprocessing)


class CachedInputs:
    """Inputs of a model whose first blocks are frozen: activations at the boundary.

    `arrays` has the evaluation view first, then the augmented ones, each images x activation.
    """

    def __init__(
        self, arrays: list[Tensor], boundary: int, seconds_per_image: float, compute: Compute
    ) -> None:
        """Wrap opened arrays; `seconds_per_image` is what computing all views once has cost."""
        self.arrays, self.boundary, self.compute = arrays, boundary, compute
        self.seconds_per_image, self.passes = seconds_per_image, len(arrays)

    def training_batch(self, indices: Sequence[int], generator: torch.Generator) -> Tensor:
        """Return one of the augmented views of each image, drawn by `generator`."""
        views = torch.randint(1, len(self.arrays), (len(indices),), generator=generator).tolist()
        batch = [self.arrays[view][index] for view, index in zip(views, indices, strict=True)]
        return _to_device(torch.stack(batch), self.compute)

    def evaluation_batches(self, indices: Sequence[int]) -> Iterator[Tensor]:
        """Yield activations of centre crops, in order."""
        for start in range(0, len(indices), EVALUATION_BATCH):
            chosen = list(indices[start : start + EVALUATION_BATCH])
            yield _to_device(self.arrays[0][chosen], self.compute)


Inputs = PixelInputs | CachedInputs


def _to_device(batch: Tensor, compute: Compute) -> Tensor:
    batch = batch.to(compute.device)
    return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == 4 else batch


@dataclass(frozen=True)
class ReadOut:
    """What the original model says of every image, in the data set's order.

    `features` N x D (pooled), `source_logits` N x K, both float32; `seconds_per_image` is the cost
    of the pass that made them.
    """

    features: NDArray[np.float32]
    source_logits: NDArray[np.float32]
    seconds_per_image: float


def read_out_pass(
    backbone: Backbone, inputs: Inputs, indices: Sequence[int], compute: Compute
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features and source logits of a fresh, uncached pass over `indices`."""
    features, logits = [], []
    with torch.no_grad(), compute.autocast():
        for batch in inputs.evaluation_batches(indices):
            final = backbone.forward_blocks(batch, start=inputs.boundary)
            features.append(backbone.pool(final).float().cpu())
            logits.append(backbone.source_logits(final).float().cpu())
    return torch.cat(features).numpy(), torch.cat(logits).numpy()


def open_read_out(
    backbone: Backbone, weights_sha256: str, pixels: Pixels, compute: Compute, name: str
) -> Generator[Progress, None, ReadOut]:
    """Yield progress while the original model reads all images; return what it read, cached."""
    path = _path("read-out", weights_sha256, pixels, compute)
    if not cache.is_ready(path):
        row = backbone.row
        expected = 4 * len(pixels) * (row.feature_size + row.head_parameters // row.feature_size)
        with cache.building(path, expected) as part:
            started, features, logits = time.perf_counter(), [], []
            inputs = PixelInputs(pixels, False, compute)
            for start in range(0, len(pixels), EVALUATION_BATCH):
                chosen = range(start, min(start + EVALUATION_BATCH, len(pixels)))
                read = read_out_pass(backbone, inputs, chosen, compute)
                features.append(read[0])
                logits.append(read[1])
                yield Progress(
                    message=f"Original model looks at {name}", fraction=chosen.stop / len(pixels)
                )
            np.save(part / "features.npy", np.concatenate(features))
            np.save(part / "source_logits.npy", np.concatenate(logits))
            np.save(part / "seconds.npy", (time.perf_counter() - started) / len(pixels))
    return ReadOut(
        np.load(path / "features.npy"),
        np.load(path / "source_logits.npy"),
        float(np.load(path / "seconds.npy")),
    )


def open_inputs(
    backbone: Backbone,
    boundary: int,
    weights_sha256: str,
    pixels: Pixels,
    mirror: bool,
    compute: Compute,
) -> Generator[Progress, None, Inputs]:
    """Yield progress while the first `boundary` blocks run over all images; return the inputs.

    Where the activations of at least two views do not fit `BOUNDARY_BYTES`, nothing is cached and
    the frozen part is run at every step instead.
    """
    pixel_inputs = PixelInputs(pixels, mirror, compute)
    if boundary == 0:
        return pixel_inputs
    shape, dtype = _activation(backbone, boundary, pixel_inputs, compute)
    per_view = len(pixels) * shape.numel() * dtype.itemsize
    kept = min(VIEWS, BOUNDARY_BYTES // max(per_view, 1) - 1)
    if kept < 2:
        return pixel_inputs
    path = _path("boundary", weights_sha256, pixels, compute, boundary, kept, mirror)
    if not cache.is_ready(path):
        with cache.building(path, (kept + 1) * per_view) as part:
            yield from _run_prefix(backbone, boundary, pixel_inputs, part, kept, shape, dtype)
    arrays = [_map(path / f"{view}.bin", (len(pixels), *shape), dtype) for view in range(kept + 1)]
    return CachedInputs(arrays, boundary, float(np.load(path / "seconds.npy")), compute)


def _run_prefix(
    backbone: Backbone,
    boundary: int,
    inputs: PixelInputs,
    part: Path,
    views: int,
    shape: torch.Size,
    dtype: torch.dtype,
) -> Generator[Progress, None, None]:
    """Write one file per view; view 0 is the evaluation view. Views depend on nothing but data."""
    started, total = time.perf_counter(), len(inputs.pixels)
    for view in range(views + 1):
        generator = torch.Generator().manual_seed(view)
        target = _map(part / f"{view}.bin", (total, *shape), dtype, create=True)
        for start in range(0, total, EVALUATION_BATCH):
            chosen = range(start, min(start + EVALUATION_BATCH, total))
            batch = (
                inputs.training_batch(chosen, generator)
                if view
                else next(iter(inputs.evaluation_batches(chosen)))
            )
            with torch.no_grad(), inputs.compute.autocast():
                target[start : chosen.stop] = backbone.forward_blocks(batch, stop=boundary).cpu()
            done = (view * total + chosen.stop) / ((views + 1) * total)
            yield Progress(message="Running the frozen blocks once", fraction=done)
    synchronise(inputs.compute.device)
    np.save(part / "seconds.npy", (time.perf_counter() - started) / total)


def _activation(
    backbone: Backbone, boundary: int, inputs: PixelInputs, compute: Compute
) -> tuple[torch.Size, torch.dtype]:
    """Return shape and type of one image's activation at the boundary."""
    with torch.no_grad(), compute.autocast():
        first = backbone.forward_blocks(next(iter(inputs.evaluation_batches([0]))), stop=boundary)
    return first.shape[1:], first.dtype


def _map(path: Path, shape: tuple[int, ...], dtype: torch.dtype, create: bool = False) -> Tensor:
    """Return a tensor over a file of exactly its values."""
    values = int(np.prod(shape))
    if create:
        path.touch()
    flat = torch.from_file(str(path), shared=create, size=values, dtype=dtype)
    return flat.view(shape)


def _path(kind: str, weights: str, pixels: Pixels, compute: Compute, *rest: int) -> Path:
    where = (compute.device, compute.precision, compute.threads)
    name = content_hash(FORMAT, kind, weights, pixels.key, pixels.preprocessing, where, *rest)
    return cache.entry("activations", name)
