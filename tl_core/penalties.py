"""What is added to the loss so that less is forgotten, and the hold that pulls weights back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tl_core.backbones import Backbone
from tl_core.device import Compute
from tl_core.rehearsal import Rehearsal

# Hinton et al. 2015; Li & Hoiem 2016 use it for learning without forgetting.
TEMPERATURE = 2.0
# Li et al. 2018: the new head has no start to go back to, and is pulled to zero so hard.
HEAD_STRENGTH = 0.01
# What a gradient adds up to under a momentum of 0.9.
_MOMENTUM_GAIN = 10.0


def pull(weights: Tensor, start: Tensor, importance: Tensor | float = 1.0) -> Tensor:
    """Return half the sum of importance * (weights - start)^2.

    L2-SP with importance 1 (Li et al. 2018), EWC with the Fisher information (Kirkpatrick et al.
    2017); both times their strength.
    """
    return 0.5 * (importance * (weights - start).square()).sum()


def distillation(student: Tensor, teacher: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return KL(teacher / T, student / T) of logits N x K, summed over images.

    Not multiplied by T^2: that is a matter of the strength.
    """
    wanted = (teacher / temperature).softmax(dim=1)
    found = (student / temperature).log_softmax(dim=1)
    return functional.kl_div(found, wanted, reduction="sum")


@dataclass(frozen=True)
class _Held:
    start: Tensor
    importance: Tensor | float


class Pull:
    """Pulls weights to where they started: L2-SP and EWC.

    Not by its gradient but by the step that minimises penalty plus distance (Parikh & Boyd 2014),
    after each step of the optimiser: however important a weight is, it is never pulled beyond its
    start, where a gradient step would make it swing. For small rates both are the same.
    """

    def __init__(self, strength: float, held: Mapping[nn.Parameter, _Held]) -> None:
        self.strength = strength
        self._held = dict(held)

    @classmethod
    def to_start(cls, backbone: Backbone, head: nn.Module, strength: float) -> "Pull":
        """Return L2-SP: weights of convolutions and linear layers, not biases and norms."""
        held = {
            parameter: _Held(parameter.detach().clone(), 1.0)
            for parameter in _of_blocks(backbone)
            if parameter.dim() > 1
        }
        share = HEAD_STRENGTH / strength if strength else 0.0
        for parameter in head.parameters():
            if parameter.dim() > 1:
                held[parameter] = _Held(torch.zeros_like(parameter), share)
        return cls(strength, held)

    @classmethod
    def by_importance(
        cls, backbone: Backbone, importance: Mapping[str, Tensor], strength: float
    ) -> "Pull":
        """Return EWC: every parameter of the backbone, by torchvision's name of it."""
        names = {parameter: name for name, parameter in backbone.net.named_parameters()}
        held = {
            parameter: _Held(
                parameter.detach().clone(), importance[names[parameter]].to(parameter.device)
            )
            for parameter in _of_blocks(backbone)
        }
        return cls(strength, held)

    def value(self) -> Tensor:
        """Return the penalty as it stands."""
        values = [pull(p.detach(), held.start, held.importance) for p, held in self._held.items()]
        return self.strength * torch.stack(values).sum()

    def after_step(self, groups: Sequence[Mapping[str, object]]) -> None:
        """Pull the parameters of an optimiser's groups, each by its group's rate."""
        with torch.no_grad():
            for group in groups:
                rate = _MOMENTUM_GAIN * float(group["lr"]) * self.strength  # type: ignore[arg-type]
                for parameter in group["params"]:  # type: ignore[attr-defined]
                    held = self._held.get(parameter)
                    if held is not None:
                        amount = rate * held.importance
                        share = amount / (1 + amount)
                        parameter.lerp_(held.start, share)


def _of_blocks(backbone: Backbone) -> list[nn.Parameter]:
    return [parameter for block in backbone.blocks for parameter in block.parameters()]


class Distillation:
    """Keeps the original model's answers on the training images: LwF (Li & Hoiem 2016)."""

    def __init__(self, teacher: Backbone, strength: float, compute: Compute) -> None:
        """`teacher`: the original model, frozen."""
        self.teacher, self.strength, self.compute = teacher, strength, compute

    def loss(self, batch: Tensor, boundary: int, source_logits: Tensor) -> Tensor:
        """Return the penalty summed over a batch as the blocks from `boundary` on take it."""
        with torch.no_grad(), self.compute.autocast():
            final = self.teacher.forward_blocks(batch, start=boundary)
            wanted = self.teacher.source_logits(final)
        return self.strength * distillation(source_logits.float(), wanted.float())


Penalty = Pull | Distillation | Rehearsal
