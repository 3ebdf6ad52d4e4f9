"""The frozen part, paid for once: activations at a boundary, and what the original model reads out.

A boundary is a number of blocks, from the input on, that stay frozen for the whole run. Arrays lie
on disk, keyed by everything that decides their values, and are opened as memory maps.
"""

import contextlib
import os
import tempfile
import threading
import time
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tl_core import cache, device, remembered
from tl_core.backbones import Backbone
from tl_core.config import Augmentation, content_hash
from tl_core.device import Compute
from tl_core.events import Progress
from tl_core.home import folder
from tl_core.inputs import EVALUATION_BATCH, ROWS, CachedInputs, Inputs, PixelInputs, full_rows
from tl_core.pixels import Pixels
from tl_core.plans import kept_views

# Raised when the content of a cached array changes.
FORMAT = 2


@dataclass(frozen=True)
class ReadOut:
    """What the original model says of every image, in the data set's order.

    `features` N x D (pooled), `source_logits` N x K, both float32; `seconds_per_image` is the cost
    of the pass that made them.
    """

    features: NDArray[np.float32]
    source_logits: NDArray[np.float32]
    seconds_per_image: float


Reading = tuple[NDArray[np.float32], NDArray[np.float32]]


def read_out_pass(
    backbone: Backbone, inputs: Inputs, indices: Sequence[int], compute: Compute
) -> Reading:
    """Return features and source logits of a fresh, uncached pass over `indices`."""
    return _joined(list(_readings(backbone, inputs, indices, compute)))


def _readings(
    backbone: Backbone, inputs: Inputs, indices: Sequence[int], compute: Compute
) -> Iterator[tuple[Tensor, Tensor]]:
    for batch, kept in inputs.evaluation_batches(indices):
        with torch.no_grad(), compute.autocast():
            final = backbone.forward_blocks(batch, start=inputs.boundary)
            features, logits = backbone.pool(final), backbone.source_logits(final)
        yield features[:kept].float().cpu(), logits[:kept].float().cpu()


def _joined(readings: list[tuple[Tensor, Tensor]]) -> Reading:
    features, logits = zip(*readings, strict=True)
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
            started, readings, done = time.perf_counter(), [], 0
            inputs = PixelInputs(pixels, False, compute)
            for reading in _readings(backbone, inputs, range(len(pixels)), compute):
                readings.append(reading)
                done += len(reading[0])
                yield Progress(
                    message=f"Original model looks at {name}", fraction=done / len(pixels)
                )
            features, logits = _joined(readings)
            np.save(part / "features.npy", features)
            np.save(part / "source_logits.npy", logits)
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
    trained: Sequence[int],
    evaluated: Sequence[int],
    augmentation: Augmentation = "crops",
) -> Generator[Progress, None, Inputs]:
    """Yield progress while the first `boundary` blocks run over images; return the inputs.

    Kept are several augmented views of the `trained` images and the evaluation view of the
    `evaluated` ones, which without augmentation serves both, each computed when it is first needed.
    Where the views do not fit the cache or
    the disk, or reading them is measured slower than computing them, the frozen part is run at
    every step instead: on the same views, so that the numbers are the same.
    """
    fresh = PixelInputs(pixels, mirror, compute, augmentation=augmentation)
    if boundary == 0:
        return fresh
    prefix = _Prefix(backbone, boundary, fresh, compute)
    sample = prefix.evaluation([0])
    per_view = len(pixels) * sample[0].numel() * sample.element_size()
    views = kept_views(per_view, augmentation) if len(trained) else 0
    if views is None:
        return fresh
    if augmentation == "none":
        evaluated = sorted({*trained, *evaluated})
    expected = (views + 1) * per_view
    path = _path("boundary", weights_sha256, pixels, compute, boundary, views, mirror, augmentation)
    if not cache.is_ready(path):
        recomputed = PixelInputs(pixels, mirror, compute, views, augmentation)
        if not cache.has_room(expected) or not _reading_pays(prefix):
            return recomputed
        try:
            with cache.building(path, expected, sealed=False) as part:
                _reserve(part / "values.bin", expected)
                np.save(part / "filled.npy", np.zeros((views + 1, len(pixels)), dtype=bool))
                np.save(part / "sums.npy", np.zeros((views + 1, len(pixels)), dtype=np.uint32))
                np.save(part / "spent.npy", np.zeros(2))
        except OSError:  # the disk filled up in this moment
            return recomputed
    kept = _Kept(path, (views + 1, len(pixels), *sample.shape[1:]), sample.dtype)
    yield from kept.fill(prefix, trained, evaluated)
    return CachedInputs(kept.values[0], kept.values[1:], boundary, kept.seconds_per_view, compute)


class _Prefix:
    """The frozen blocks before a boundary, and the images they look at."""

    def __init__(
        self, backbone: Backbone, boundary: int, inputs: PixelInputs, compute: Compute
    ) -> None:
        self.backbone, self.boundary = backbone, boundary
        self.inputs, self.compute = inputs, compute

    def run(self, batch: Tensor, kept: int) -> Tensor:
        """Return activations as they are stored: N x H x W x C, or N x what there is."""
        with torch.no_grad(), self.compute.autocast():
            found = self.backbone.forward_blocks(batch, stop=self.boundary)[:kept].cpu()
        return found.permute(0, 2, 3, 1).contiguous() if found.dim() == 4 else found

    def evaluation(self, indices: Sequence[int]) -> Tensor:
        """Return activations of centre crops."""
        batches = self.inputs.evaluation_batches(indices)
        return torch.cat([self.run(batch, kept) for batch, kept in batches])

    def view(self, indices: list[int], kept: int, view: int) -> Tensor:
        """Return activations of an augmented view."""
        return self.run(self.inputs.view_batch(indices, [view] * len(indices)), kept)


class _Kept:
    """Activations on disk, computed when they are first needed.

    `values` is (1 + views) x images x activation, the evaluation view first. A slot is marked as
    filled only after its values lie on the disk; two processes at once write the same values. What
    a process finds filled it holds against the slot's sum before it first uses it, and computes it
    again where a bit is another.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.path, self.file = path, path / "values.bin"
        if path in _marking:
            _marking.pop(path).join()
        values = torch.from_file(str(self.file), shared=True, size=int(np.prod(shape)), dtype=dtype)
        self.values = values.view(shape)
        slots = shape[:2]
        self.filled: NDArray[np.bool_] = _loaded(path / "filled.npy", slots, bool)
        self.sums: NDArray[np.uint32] = _loaded(path / "sums.npy", slots, np.uint32)
        self.spent: NDArray[np.float64] = _loaded(path / "spent.npy", (2,), np.float64)
        self._trusted = _trusted.setdefault(path, np.zeros(slots, dtype=bool))

    @property
    def seconds_per_view(self) -> float:
        """What one view of one image has cost, on average."""
        return float(self.spent[0] / max(self.spent[1], 1))

    def fill(
        self, prefix: _Prefix, trained: Sequence[int], evaluated: Sequence[int]
    ) -> Generator[Progress, None, None]:
        """Yield progress while what is missing, or damaged, is computed."""
        self._distrust(0, evaluated)
        for view in range(1, len(self.filled)):
            self._distrust(view, trained)
        wanted = [[i for i in evaluated if not self.filled[0, i]]]
        wanted += [[i for i in trained if not view[i]] for view in self.filled[1:]]
        total, done = sum(map(len, wanted)), 0
        if not total:
            return
        for view, missing in enumerate(wanted):
            for chosen, kept in full_rows(missing):
                started = time.perf_counter()
                if view:
                    found = prefix.view(chosen, kept, view - 1)
                else:
                    found = prefix.evaluation(chosen[:kept])
                self.values[view].index_copy_(0, torch.tensor(chosen[:kept]), found)
                self.spent += (time.perf_counter() - started, kept)
                self.filled[view, chosen[:kept]], self._trusted[view, chosen[:kept]] = True, False
                done += kept
                yield Progress(message="Running the frozen blocks once", fraction=done / total)
        # Beside the training: it need not wait for the disk.
        _marking[self.path] = threading.Thread(target=self._mark)
        _marking[self.path].start()

    def _distrust(self, view: int, images: Sequence[int]) -> None:
        """Take filled slots whose values are not those that were written for empty ones."""
        for image in images:
            if self.filled[view, image] and not self._trusted[view, image]:
                whole = self._sum(view, image) == self.sums[view, image]
                self.filled[view, image] = self._trusted[view, image] = whole

    def _sum(self, view: int, image: int) -> int:
        """Return the CRC of a slot's values: it finds every flipped bit, and is twice as fast."""
        return zlib.crc32(self.values[view, image].reshape(-1).view(torch.uint8).numpy().data)

    def _mark(self) -> None:
        for view, image in np.argwhere(self.filled & ~self._trusted):
            self.sums[view, image] = self._sum(view, image)
        self._trusted |= self.filled
        # A folder that another process just evicted stays readable here, and is made again later.
        with contextlib.suppress(OSError):
            with self.file.open("rb") as file:
                os.fsync(file.fileno())
            kept = {"sums": self.sums, "filled": self.filled, "spent": self.spent}
            for name, values in kept.items():
                part = self.path / f"{name}.{os.getpid()}.npy"
                np.save(part, values)
                part.replace(self.path / f"{name}.npy")


# Entries whose new slots are being marked, and the slots that this process has looked at or made.
_marking: dict[Path, threading.Thread] = {}
_trusted: dict[Path, NDArray[np.bool_]] = {}


def _loaded(path: Path, shape: tuple[int, ...], kind: type) -> NDArray[Any]:
    """Return a small array of an entry, zeros where it is damaged: nothing counts as filled."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        found: NDArray[Any] = np.load(path)
        if found.shape == shape and found.dtype == kind:
            return found
    return np.zeros(shape, dtype=kind)


def _reserve(path: Path, size: int) -> None:
    """Take the room on the disk: writing to a map of a file that has none kills the process."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)


def _reading_pays(prefix: _Prefix) -> bool:
    """Return whether activations are read from disk faster than computed; measured once, kept.

    The numbers do not depend on it, the time does: remembered for model, boundary and device.
    """
    compute, model = prefix.compute, prefix.backbone.row.name
    made = prefix.inputs.pixels.preprocessing, prefix.inputs.augmentation
    key = content_hash("reading pays", model, prefix.boundary, made, msgspec.to_builtins(compute))
    known = remembered.recall(key)
    if known is None:
        chosen = list(range(min(EVALUATION_BATCH, len(prefix.inputs.pixels))))
        started = time.perf_counter()
        found = prefix.view(chosen, len(chosen), 0)
        computed = time.perf_counter() - started
        known = remembered.remember(key, float(_reading_seconds(found) < computed))
    return bool(known)


def _reading_seconds(values: Tensor) -> float:
    """Return what reading these values takes from a file that the system holds no pages of."""
    with tempfile.TemporaryDirectory(dir=folder("cache")) as scratch:
        path = Path(scratch) / "values.bin"
        with path.open("wb") as file:
            file.write(values.contiguous().view(torch.uint8).numpy().data)
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        started = time.perf_counter()
        torch.from_file(str(path), size=values.numel(), dtype=values.dtype).clone()
        return time.perf_counter() - started


def _path(kind: str, weights: str, pixels: Pixels, compute: Compute, *rest: int | str) -> Path:
    # How many rows a batch has decides an image's last bits: see `inputs.ROWS`.
    where = (compute.device, compute.precision, compute.threads, ROWS, device.versions())
    name = content_hash(FORMAT, kind, weights, pixels.key, pixels.preprocessing, where, *rest)
    return cache.entry("activations", name)
