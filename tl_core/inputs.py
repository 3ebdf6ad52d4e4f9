"""What a training reads: images, or the activations that a frozen prefix makes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from tl_core.config import Augmentation
from tl_core.device import Compute
from tl_core.pixels import Pixels
from tl_core.preprocessing import normalise

# Images evaluated together. Larger ones were no faster on a CPU, and need more memory.
EVALUATION_BATCH = 32
# Evaluation batches have a multiple of this many rows. Over such sizes convolutions gave every
# image the same bits, whatever stood beside it, with one thread (where 8 rows did not) and with 2
# and 4; a lone rest of other size may round differently.
ROWS = 16


@dataclass(frozen=True)
class Part:
    """Labelled images of one purpose: indices into the inputs, and labels, in parallel."""

    indices: tuple[int, ...]
    labels: tuple[int, ...]


class Inputs(Protocol):
    """Images as a model's blocks from `boundary` on take them; indices are the data set's.

    `views`: fixed augmented views of each training image beside the one of evaluation, 0 for a
    fresh one at every step, or where nothing is augmented.
    `seconds_per_view`: what the frozen prefix took for one view of one image, 0 if nothing is kept.
    """

    boundary: int
    views: int
    seconds_per_view: float

    def training_batch(self, indices: Sequence[int], randomness: torch.Generator) -> Tensor:
        """Return augmented images, or activations of such, decided by `randomness`."""

    def evaluation_batches(self, indices: Sequence[int]) -> Iterator[tuple[Tensor, int]]:
        """Yield centre crops in order, with how many rows count: the rest fills the batch."""


class PixelInputs:
    """Inputs of a model whose first block trains, or whose activations are not kept."""

    boundary = 0
    seconds_per_view = 0.0

    def __init__(
        self,
        pixels: Pixels,
        mirror: bool,
        compute: Compute,
        views: int = 0,
        augmentation: Augmentation = "crops",
    ) -> None:
        """Read from `pixels`; `mirror` allows augmentation to flip horizontally."""
        self.pixels, self.mirror, self.compute, self.views = pixels, mirror, compute, views
        self.augmentation = augmentation

    def training_batch(self, indices: Sequence[int], randomness: torch.Generator) -> Tensor:
        """Return augmented, normalised images: new ones, or one of each image's fixed views."""
        if self.views:
            drawn = torch.randint(self.views, (len(indices),), generator=randomness)
            return self.view_batch(indices, drawn.tolist())
        return self._augmented(indices, [randomness] * len(indices))

    def view_batch(self, indices: Sequence[int], views: Sequence[int]) -> Tensor:
        """Return given views of images; a view is decided by its number and the image alone."""
        pairs = zip(indices, views, strict=True)
        return self._augmented(indices, [generator(view, index) for index, view in pairs])

    def _augmented(self, indices: Sequence[int], generators: list[torch.Generator]) -> Tensor:
        batch = self.pixels.augmented_batch(indices, generators, self.mirror, self.augmentation)
        return self._ready(batch)

    def evaluation_batches(self, indices: Sequence[int]) -> Iterator[tuple[Tensor, int]]:
        """Yield centre crops, normalised."""
        for chosen, kept in full_rows(indices):
            yield self._ready(self.pixels.evaluation_batch(chosen)), kept

    def _ready(self, batch: Tensor) -> Tensor:
        return normalise(to_device(batch, self.compute), self.pixels.preprocessing)


class CachedInputs:
    """Inputs of a model whose first blocks are frozen: kept activations at the boundary.

    `evaluation` is images x activation, `augmented` views x images x activation, both as they lie
    on disk: maps as height x width x channels. Without any augmented view the evaluation's is read.
    """

    def __init__(
        self,
        evaluation: Tensor,
        augmented: Tensor,
        boundary: int,
        seconds_per_view: float,
        compute: Compute,
    ) -> None:
        """Wrap opened arrays."""
        self.evaluation, self.flat = evaluation, augmented.flatten(0, 1)
        self.views, self.images = augmented.shape[:2]
        self.boundary, self.compute = boundary, compute
        self.seconds_per_view = seconds_per_view

    def training_batch(self, indices: Sequence[int], randomness: torch.Generator) -> Tensor:
        """Return one of the augmented views of each image."""
        if not self.views:
            batch = self.evaluation.index_select(0, torch.as_tensor(indices))
            return to_device(_as_map(batch), self.compute)
        drawn = torch.randint(self.views, (len(indices),), generator=randomness)
        places = drawn * self.images + torch.as_tensor(indices)
        return to_device(_as_map(self.flat.index_select(0, places)), self.compute)

    def evaluation_batches(self, indices: Sequence[int]) -> Iterator[tuple[Tensor, int]]:
        """Yield activations of centre crops."""
        for chosen, kept in full_rows(indices):
            batch = self.evaluation.index_select(0, torch.tensor(chosen))
            yield to_device(_as_map(batch), self.compute), kept


def generator(*numbers: int) -> torch.Generator:
    """Return a generator decided by these numbers; torch itself tells only 32 bits of a seed."""
    seed = np.random.SeedSequence(numbers).generate_state(1)[0]
    return torch.Generator().manual_seed(int(seed))


def full_rows(indices: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Yield batches of indices, the last one repeated up to a multiple of `ROWS`, and the count."""
    for start in range(0, len(indices), EVALUATION_BATCH):
        chosen = list(indices[start : start + EVALUATION_BATCH])
        yield chosen + chosen[-1:] * (-len(chosen) % ROWS), len(chosen)


def _as_map(stored: Tensor) -> Tensor:
    """Return activations as a network takes them: N x C x H x W, channels last, or as they are."""
    return stored.permute(0, 3, 1, 2) if stored.dim() == 4 else stored


def to_device(batch: Tensor, compute: Compute) -> Tensor:
    """Return a batch on the device, sent without waiting where memory can be pinned."""
    if compute.device == "cuda" and batch.device.type == "cpu":
        return batch.pin_memory().to(compute.device, non_blocking=True)
    return batch.to(compute.device)
