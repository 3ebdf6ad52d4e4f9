"""Weights between two models of one architecture (Wortsman et al. 2022)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _NormBase

from tl_core.backbones import Backbone
from tl_core.device import Compute
from tl_core.inputs import Inputs


def between(
    start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Return (1 - share) * start + share * end of two state dicts; the ends bit for bit.

    Integers, such as counters of batches, are those of the nearer end.
    """
    if share in (0.0, 1.0):
        return {name: value.clone() for name, value in (end if share else start).items()}
    found = {}
    for name, first in start.items():
        last = end[name]
        if first.is_floating_point():
            found[name] = (1 - share) * first + share * last
        else:
            found[name] = (last if share >= 0.5 else first).clone()
    return found


def reestimate_statistics(
    backbone: Backbone, inputs: Inputs, images: Sequence[int], compute: Compute
) -> None:
    """Give batch normalisation the mean statistics of batches of images, weights as they are.

    Averaged weights see activations that neither end has seen (Izmailov et al. 2018, section 3.2).
    All else stays in eval mode, and the backbone is in it afterwards.
    """
    norms = [
        m for m in backbone.net.modules() if isinstance(m, _NormBase) and m.track_running_stats
    ]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
        norm.train()
    with torch.no_grad(), compute.autocast():
        for batch, kept in inputs.evaluation_batches(images):
            # One image alone has no variance where its map is a single position.
            backbone.forward_blocks(batch[:kept] if kept > 1 else batch, start=inputs.boundary)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    backbone.eval()
