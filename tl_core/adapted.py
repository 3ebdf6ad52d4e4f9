"""A trained model as it is used: the backbone with its new head, or with a class map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from tl_core.backbones import Backbone

# Under this share of source probability a class counts as this much: logarithms stay finite.
_LEAST_SHARE = 1e-30


class TargetHead(Protocol):
    """From what a backbone reads to a score for each target class, a logarithm up to a constant."""

    def __call__(self, features: Tensor, source_logits: Tensor) -> Tensor:
        """Return scores N x C; softmax makes them probabilities."""


class LinearHead(nn.Module):
    """Scores of a linear layer on pooled features, in the precision of its weights."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """`weight` C x D, `bias` C."""
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, features: Tensor, source_logits: Tensor) -> Tensor:
        """Return scores N x C of features N x D."""
        with torch.autocast(features.device.type, enabled=False):
            return functional.linear(features.to(self.weight.dtype), self.weight, self.bias)


class ClassMapHead(nn.Module):
    """Scores of zero-shot transfer: logarithm of the source probability mapped to each class."""

    members: Tensor

    def __init__(
        self, class_map: Mapping[str, Sequence[int]], classes: Sequence[str], source_classes: int
    ) -> None:
        super().__init__()
        members = torch.zeros(source_classes, len(classes))
        for column, name in enumerate(classes):
            members[list(class_map.get(name, ())), column] = 1
        self.register_buffer("members", members)

    def forward(self, features: Tensor, source_logits: Tensor) -> Tensor:
        """Return scores N x C of source logits N x K."""
        with torch.autocast(source_logits.device.type, enabled=False):
            shares = source_logits.float().softmax(dim=1) @ self.members
            return shares.clamp_min(_LEAST_SHARE).log()


@dataclass(frozen=True)
class Adapted:
    """A trained model. `backbone` is frozen and in eval mode, `head` on the same device."""

    backbone: Backbone
    head: LinearHead | ClassMapHead

    def scores(self, final: Tensor) -> Tensor:
        """Return scores N x C of the backbone's final map."""
        scores: Tensor = self.head(self.backbone.pool(final), self.backbone.source_logits(final))
        return scores
