"""Mixup (Zhang et al. 2018): training on mixtures of two images and their labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Random stream of a run, beside those of `batches`.
STREAM = 2


@dataclass(frozen=True)
class Mix:
    """How a batch is mixed: `share` of each image, the rest of its partner (places, N)."""

    share: float
    partners: Tensor

    def inputs(self, batch: Tensor) -> Tensor:
        """Return mixed images or activations, N x anything."""
        partners = batch.index_select(0, self.partners.to(batch.device))
        return self.share * batch + (1 - self.share) * partners

    def loss(self, of: Callable[[Tensor], Tensor], labels: Tensor) -> Tensor:
        """Return the mixture of a loss `of` the labels (N) and of it of the partners' labels."""
        partners = labels[self.partners.to(labels.device)]
        return self.share * of(labels) + (1 - self.share) * of(partners)


def drawn(alpha: float, seed: int, step: int, place: int, size: int) -> Mix:
    """Return the mixture of `size` images, from `place` on in the batch of a step.

    Decided by these numbers alone, so that a run that goes on, or reads kept activations, mixes the
    same images. One share for all, as in the paper.
    """
    share = float(np.random.default_rng((STREAM, seed, step)).beta(alpha, alpha))
    order = np.random.default_rng((STREAM, seed, step, place)).permutation(size)
    return Mix(share, torch.from_numpy(order))
