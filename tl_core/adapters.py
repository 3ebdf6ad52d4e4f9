"""Low-rank updates of frozen weights (LoRA, Hu et al. 2021), for linear layers and convolutions."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tl_core.backbones import Backbone

RANK = 8
# Where torch's attention keeps a weight that is no layer's own.
_ATTENTION_WEIGHT = "in_proj_weight"


class LowRank(nn.Module):
    """W + B A, with A rank x inputs at random and B outputs x rank at 0: at first W itself.

    A convolution's weight is taken as outputs x (inputs * height * width).
    """

    def __init__(self, weight: Tensor, rank: int, randomness: torch.Generator) -> None:
        super().__init__()
        outputs, inputs = weight.shape[0], weight[0].numel()
        rank = min(rank, outputs, inputs)
        bound = 1 / math.sqrt(inputs)  # Kaiming's with a = sqrt(5), as in the paper's code
        first = (2 * torch.rand(rank, inputs, generator=randomness) - 1) * bound
        self.a = nn.Parameter(first.to(weight.device))
        self.b = nn.Parameter(torch.zeros(outputs, rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the updated weight, in the precision and the order of values of `weight`."""
        with torch.autocast(weight.device.type, enabled=False):
            update = (self.b @ self.a).view(weight.shape)
            if weight.dim() == 4:
                update = update.contiguous(memory_format=torch.channels_last)
            return weight + update


def insert(backbone: Backbone, seed: int, rank: int = RANK) -> None:
    """Give every linear layer and convolution of the blocks an update of its own."""
    randomness = torch.Generator().manual_seed(seed)
    for block in backbone.blocks:
        for module in block.modules:
            for part in list(module.modules()):
                for name in _weights(part):
                    weight = getattr(part, name)
                    parametrize.register_parametrization(
                        part, name, LowRank(weight.detach(), rank, randomness)
                    )


def _weights(module: nn.Module) -> list[str]:
    if isinstance(module, nn.Linear | nn.Conv2d):
        return ["weight"]
    if isinstance(module, nn.MultiheadAttention):
        return [_ATTENTION_WEIGHT]
    return []


def updates(backbone: Backbone) -> list[nn.Parameter]:
    """Return the parameters of all updates."""
    return [
        parameter
        for module in backbone.net.modules()
        if isinstance(module, LowRank)
        for parameter in module.parameters()
    ]


def merged(backbone: Backbone) -> dict[str, Tensor]:
    """Return the backbone's state dict with every update added to its weight.

    Just what the adapted model computes with, under torchvision's names.
    """
    state = backbone.net.state_dict()
    for path, module in backbone.net.named_modules():
        if not parametrize.is_parametrized(module):
            continue
        for name in module.parametrizations:
            prefix = f"{path}.parametrizations.{name}."
            state = {key: value for key, value in state.items() if not key.startswith(prefix)}
            state[f"{path}.{name}"] = getattr(module, name).detach()
    return state
