"""What a model forgot of its source task, and how far it drifted where no labels can tell.

F = accuracy(source, original backbone + original head) - accuracy(source, adapted backbone +
original head). Without labels: agreement with the original model and 1 - debiased linear CKA,
which are drift, not forgetting.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from tl_core.activations import ReadOut, read_out_pass
from tl_core.backbones import Backbone, build
from tl_core.catalog import Model
from tl_core.device import Compute
from tl_core.freezing import freeze_all
from tl_core.inputs import PixelInputs
from tl_core.plans import PER_EPOCH_IMAGES

# Similarity needs an images x images matrix: more images than this add memory, not insight.
CKA_IMAGES = 2000


def agreement(before: ArrayLike, after: ArrayLike) -> float:
    """Return the share of images whose most likely source class stayed: logits N x K twice.

    On any one set of images |accuracy before - accuracy after| <= 1 - agreement.
    """
    first, second = np.asarray(before).argmax(axis=1), np.asarray(after).argmax(axis=1)
    return float(np.mean(first == second))


def linear_cka(x: ArrayLike, y: ArrayLike, debiased: bool = True) -> float:
    """Return linear CKA between features N x D and N x E of the same images.

    Kornblith et al. 2019; `debiased` uses U-centred Gram matrices (Szekely & Rizzo 2014), without
    which unrelated features look alike when N < D. Raises ValueError for fewer than 4 images.
    """
    first, second = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(first) < 4 or len(first) != len(second):
        raise ValueError("CKA needs the features of the same images twice, at least 4 of them.")
    centre = _u_centre if debiased else _double_centre
    a, b = centre(first @ first.T), centre(second @ second.T)
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 0 else 0.0


def _double_centre(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = gram.mean(axis=0)
    centred: NDArray[np.float64] = gram - rows[:, None] - rows[None, :] + rows.mean()
    return centred


def _u_centre(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    images = len(gram)
    gram = gram.copy()
    np.fill_diagonal(gram, 0.0)
    rows = gram.sum(axis=0) / (images - 2)
    total = rows.sum() / (2 * (images - 1))
    rows = rows - total
    gram = gram - rows[:, None] - rows[None, :]
    np.fill_diagonal(gram, 0.0)
    return gram


@dataclass(frozen=True)
class Change:
    """What an adapted backbone does with its original head.

    `source_predictions`: source class per probe image, `source_features` the images' pooled
    features; None without a probe. `agreement` and `cka_drift`: against the original model on the
    test images. `features` are theirs, N x D.
    """

    source_predictions: tuple[int, ...] | None
    source_features: NDArray[np.float32] | None
    agreement: float
    cka_drift: float | None
    features: NDArray[np.float32]


def ready(backbone: Backbone, compute: Compute) -> Backbone:
    """Return the backbone on its device, frozen and in eval mode: fit to be measured."""
    backbone = backbone.to(device=compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    freeze_all(backbone)
    return backbone


class ForgettingMeter:
    """Measures adapted weights by a fresh, uncached forward pass.

    Weights that are bit-identical to ones already measured on the same images get that
    measurement: every frozen strategy and seed shares one real pass.
    """

    def __init__(
        self,
        row: Model,
        compute: Compute,
        probe: PixelInputs | None,
        target: PixelInputs,
        original: ReadOut,
    ) -> None:
        """Compare with what `original` read; `probe` None: there are no labelled source images."""
        self.row, self.compute = row, compute
        self.probe, self.target, self.original = probe, target, original
        self._measured: dict[str, Change] = {}

    def measure(self, state: Mapping[str, Tensor], test: tuple[int, ...]) -> Change:
        """Return what a backbone's `state` (torchvision's keys) changed; `test`: target images."""
        key = _state_hash(state) + hashlib.sha256(repr(test).encode()).hexdigest()
        if key not in self._measured:
            self._measured[key] = self._fresh_pass(state, test)
        return self._measured[key]

    def _fresh_pass(self, state: Mapping[str, Tensor], test: tuple[int, ...]) -> Change:
        backbone = ready(build(self.row, state), self.compute)
        predictions = of_source = None
        if self.probe is not None:
            every = range(len(self.probe.pixels))
            of_source, logits = read_out_pass(backbone, self.probe, every, self.compute)
            predictions = tuple(int(z) for z in logits.argmax(axis=1))
        features, logits = read_out_pass(backbone, self.target, test, self.compute)
        before, chosen = self.original, list(test)
        drift = None
        if len(test) >= 4:
            first = before.features[chosen[:CKA_IMAGES]]
            drift = 1 - linear_cka(first, features[:CKA_IMAGES])
        same = agreement(before.source_logits[chosen], logits)
        return Change(predictions, of_source, same, drift, features)


def _state_hash(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().view(-1).numpy().tobytes())
    return digest.hexdigest()


def per_epoch_images(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return a fixed part of a probe, spread evenly over its classes (labels: N)."""
    if len(labels) <= PER_EPOCH_IMAGES:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    spread = np.linspace(0, len(order) - 1, PER_EPOCH_IMAGES).round().astype(np.intp)
    part: NDArray[np.intp] = np.sort(order[spread])
    return part
