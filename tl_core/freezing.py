"""A strategy's stage applied to a model: what trains, what holds still, at which factor."""

from collections import defaultdict
from typing import Any, Literal

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torchvision.ops import StochasticDepth

from tl_core.adapters import updates
from tl_core.backbones import Backbone
from tl_core.stages import block_factors
from tl_core.strategies import Parameters, Stage

_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)


def apply_stage(
    backbone: Backbone, head: nn.Module, stage: Stage, parameters: Parameters = "all"
) -> list[dict[str, Any]]:
    """Freeze and unfreeze parameters; return groups `{"params": [...], "factor": float}`.

    Of the blocks that the stage trains only `parameters` train. Gradients of earlier stages are
    dropped, so that a parameter frozen now cannot be moved by a stale one. Raises RuntimeError
    unless every parameter got exactly one rule. The original source head never trains.
    """
    factors = block_factors(stage, len(backbone.blocks))
    may = _trainable(backbone, parameters)
    rules: list[tuple[nn.Parameter, float | None]] = [
        (parameter, factor if parameter in may else None)
        for block, factor in zip(backbone.blocks, factors, strict=True)
        for parameter in block.parameters()
    ]
    rules += [(parameter, stage.head) for parameter in head.parameters()]
    rules += [(parameter, None) for parameter in backbone.source_head.parameters()]
    _check_cover(backbone, head, [parameter for parameter, _ in rules])
    groups: dict[float, list[nn.Parameter]] = defaultdict(list)
    for parameter, factor in rules:
        parameter.requires_grad_(factor is not None)
        parameter.grad = None
        if factor is not None:
            groups[factor].append(parameter)
    return [{"params": members, "factor": factor} for factor, members in groups.items()]


def _trainable(backbone: Backbone, parameters: Parameters) -> set[nn.Parameter]:
    """Return the parameters of a backbone that a strategy may train at all."""
    if parameters == "norm":
        norms = [m for m in backbone.net.modules() if isinstance(m, _NORMS)]
        return {parameter for norm in norms for parameter in norm.parameters()}
    if parameters == "bias":
        named = backbone.net.named_parameters()
        return {parameter for name, parameter in named if name.endswith("bias")}
    if parameters == "lora":
        return set(updates(backbone))
    return set(backbone.net.parameters())


def _check_cover(backbone: Backbone, head: nn.Module, ruled: list[nn.Parameter]) -> None:
    expected = {id(p) for p in backbone.parameters()} | {id(p) for p in head.parameters()}
    found = [id(p) for p in ruled]
    if len(found) != len(set(found)) or set(found) != expected:
        raise RuntimeError(
            f"{backbone.row.name}: {len(expected)} parameters, but the stage has "
            f"{len(found)} rules for {len(set(found))} of them; each needs exactly one."
        )


def set_modes(
    backbone: Backbone,
    head: nn.Module,
    stage: Stage,
    norm_statistics: Literal["source", "batch"],
) -> None:
    """Put trainable parts in train mode and frozen ones in eval mode; call before every step.

    Frozen means running statistics and stochastic layers too: `requires_grad=False` alone lets
    batch normalisation drift (pytorch/pytorch#86590). With `source` statistics the normalisation
    layers of trainable blocks hold still as well, their weights excepted.
    """
    backbone.eval()
    head.train(stage.head is not None)
    for block, factor in zip(
        backbone.blocks, block_factors(stage, len(backbone.blocks)), strict=True
    ):
        if factor is None:
            continue
        for module in block.modules:
            module.train()
            if norm_statistics == "source":
                _hold_statistics(module)


def _hold_statistics(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, _NormBase):
            part.eval()


def keep_depth(backbone: Backbone) -> None:
    """Let no block be skipped or thinned out at random while it trains."""
    for module in backbone.modules():
        if isinstance(module, nn.Dropout | StochasticDepth):
            module.p = 0.0


def freeze_all(backbone: Backbone) -> None:
    """Let nothing of the backbone train: for feature extraction and every measurement."""
    backbone.eval()
    backbone.requires_grad_(False)


def unfreeze_all(backbone: Backbone) -> Backbone:
    """Let every parameter be differentiated, in eval mode: to measure gradients, not to train."""
    backbone.eval()
    backbone.requires_grad_(True)
    return backbone


def trainable_parameters(backbone: Backbone, head: nn.Module) -> int:
    """Return how many values train at the moment."""
    parameters = [*backbone.parameters(), *head.parameters()]
    return sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
