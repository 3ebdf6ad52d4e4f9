"""Which block the target images pull at hardest: the choice of surgical fine-tuning."""

import torch
from torch import Tensor

from tl_core.backbones import Backbone
from tl_core.device import Compute
from tl_core.heads import Head
from tl_core.inputs import Inputs, Part


def relative_gradients(
    backbone: Backbone, head: Head, inputs: Inputs, part: Part, compute: Compute
) -> list[float]:
    """Return |gradient| / |weights| of each block, input to output, over all images of a part.

    Of the mean cross-entropy in eval mode (Lee et al. 2023). The blocks' parameters have to be free
    to be differentiated.
    """
    backbone.eval()
    head.eval()
    groups = [block.parameters() for block in backbone.blocks]
    flat = [parameter for group in groups for parameter in group]
    sums = [torch.zeros_like(parameter) for parameter in flat]
    labels, seen = torch.tensor(part.labels, device=compute.device), 0
    for batch, kept in inputs.evaluation_batches(part.indices):
        with compute.autocast():
            logits: Tensor = head(backbone.pool(backbone.forward_blocks(batch)))[:kept]
        loss = torch.nn.functional.cross_entropy(
            logits, labels[seen : seen + kept], reduction="sum"
        )
        for total, gradient in zip(sums, torch.autograd.grad(loss, flat), strict=True):
            total += gradient
        seen += kept
    norms = [float(total.square().sum()) for total in sums]
    lengths = [float(parameter.detach().square().sum()) for parameter in flat]
    found, place = [], 0
    for group in groups:
        end = place + len(group)
        found.append((sum(norms[place:end]) / max(sum(lengths[place:end]), 1e-30)) ** 0.5)
        place = end
    return [value / max(seen, 1) for value in found]


def most_relevant(
    backbone: Backbone, head: Head, inputs: Inputs, part: Part, compute: Compute
) -> int:
    """Return the block with the largest relative gradient, counted from the input."""
    found = relative_gradients(backbone, head, inputs, part, compute)
    return max(range(len(found)), key=found.__getitem__)
