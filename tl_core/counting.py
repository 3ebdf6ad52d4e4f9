"""What one image costs a network: operations and values, counted block by block as it runs."""

from collections.abc import Callable
from typing import Any

import torch
from msgspec.structs import replace
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tl_core.backbones import Backbone
from tl_core.catalog import Model


def counted(backbone: Backbone) -> Model:
    """Return the backbone's row with FLOPs and values as one image of its input size has them.

    The backbone is in eval mode: there is one image, and statistics stay as they are.
    """
    row, device = backbone.row, next(backbone.parameters()).device
    x = torch.zeros(1, 3, *[row.preprocessing.crop] * 2, device=device)
    blocks = []
    for block, uncounted in zip(backbone.blocks, row.blocks, strict=True):
        x, flops = _flops(block.run, x)
        blocks.append(replace(uncounted, flops=flops, values=x.numel()))
    _, head = _flops(backbone.source_logits, x)
    return replace(row, blocks=tuple(blocks), flops=sum(block.flops for block in blocks) + head)


def _flops(run: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Any, int]:
    """Return a piece's output and its count; gradients stay on, attention is plain products.

    Without these two, attention runs in fused kernels that torch does not count in every version.
    """
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        return run(x), counter.get_total_flops()
