"""Handing images over to the original model in some way, and whether that way looks right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor

from tl_core import input_check, preprocessing
from tl_core.catalog import Preprocessing
from tl_core.input_check import InputValues
from tl_core.inputs import EVALUATION_BATCH, to_device
from tl_core.materials import Materials
from tl_core.pixels import Pixels

Floats = NDArray[np.float64]
# From a resized uint8 image (1 x 3 x H x W) to the network's input.
Way = Callable[[Tensor, Preprocessing], Tensor]
# Images of a kind that are looked at in each way.
MOST_IMAGES = input_check.MOST_IMAGES


def usual(image: Tensor, wanted: Preprocessing) -> Tensor:
    """Return the input as it is meant to be."""
    return preprocessing.normalise(preprocessing.centre_crop(image, wanted), wanted)


@dataclass(frozen=True)
class Look:
    """What the original model makes of images handed over in one way."""

    features: NDArray[np.float32]
    source_logits: NDArray[np.float32]
    values: InputValues

    @property
    def energy(self) -> Floats:
        """log sum exp of the source logits, N: how familiar each image is."""
        found: Floats = logsumexp(self.source_logits.astype(np.float64), axis=1)
        return found


def spread(indices: Sequence[int], most: int = MOST_IMAGES) -> list[int]:
    """Return at most `most` of the indices, evenly from first to last."""
    if len(indices) <= most:
        return list(indices)
    return [indices[i] for i in np.linspace(0, len(indices) - 1, most).round().astype(int)]


def look(materials: Materials, pixels: Pixels, chosen: Sequence[int], way: Way) -> Look:
    """Return what the original model reads of images handed over in one way."""
    net, compute = materials.original, materials.compute
    features, logits, values = [], [], []
    for start in range(0, len(chosen), EVALUATION_BATCH):
        some = chosen[start : start + EVALUATION_BATCH]
        batch = torch.cat([way(pixels[i].cpu(), pixels.preprocessing) for i in some])
        values.append(batch)
        batch = to_device(batch.contiguous(memory_format=torch.channels_last), compute)
        with torch.no_grad(), compute.autocast():
            final = net.forward_blocks(batch)
            features.append(net.pool(final).float().cpu())
            logits.append(net.source_logits(final).float().cpu())
    return Look(
        torch.cat(features).numpy(),
        torch.cat(logits).numpy(),
        input_check.input_values(iter(values)),
    )


def fault(materials: Materials, chosen: Sequence[int], found: Look, way: Way) -> str:
    """Return what the input check says of `chosen` images handed over in a way, empty if nothing.

    `found`: what the model made of them; it looks once more, with red and blue exchanged.
    """
    wrong = input_check.range_fault(found.values, materials.row.preprocessing)
    if wrong:
        return wrong
    swapped = look(materials, materials.pixels, chosen, lambda image, to: way(image.flip(-3), to))
    return input_check.order_fault(input_check.familiarity_gain(found.energy, swapped.energy))


def data_fault(materials: Materials) -> str:
    """Return what looks wrong with the images as they come, empty if nothing."""
    chosen = spread(range(len(materials.labels)))
    return fault(materials, chosen, look(materials, materials.pixels, chosen, usual), usual)
