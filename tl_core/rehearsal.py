"""Practising the source task while a new one is learnt: labelled source images at every step."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tl_core.backbones import Backbone
from tl_core.device import Compute
from tl_core.inputs import Inputs, generator

# Random streams of a run, beside those of `batches` and `mixup`: the images that are practised on,
# and what the network leaves out at random while it sees them.
IMAGES, LEFT_OUT = 3, 4


class Rehearsal:
    """Keeps the original head right about source images (Robins 1995; Chaudhry et al. 2019).

    What a step sees is decided by seed and step alone: nothing of it is needed to continue.
    """

    def __init__(
        self, inputs: Inputs, labels: Sequence[int], strength: float, seed: int, compute: Compute
    ) -> None:
        """`inputs`: the source images; `labels`: their source classes, in parallel."""
        self.inputs, self.strength, self.seed, self.compute = inputs, strength, seed, compute
        self._labels = torch.tensor(labels, device=compute.device)

    def places(self, step: int, size: int) -> Tensor:
        """Return the images of a step: none twice before all were there once."""
        draw, images = generator(IMAGES, self.seed, step), len(self._labels)
        orders = [torch.randperm(images, generator=draw) for _ in range(-(-size // images))]
        return torch.cat(orders)[:size]

    def losses(
        self, backbone: Backbone, step: int, size: int, micro_batch: int
    ) -> Iterator[Tensor]:
        """Yield the penalty summed over the images of each micro-batch of a step of `size`.

        One at a time: what the last one needs to be differentiated is free before the next.
        """
        for number, part in enumerate(torch.split(self.places(step, size), micro_batch)):
            # As they are measured: practice in random crops was seen to keep less, most of all
            # where source images are few (docs/strategies.md).
            seen = self.inputs.evaluation_batches(part.tolist())
            batch = torch.cat([rows[:kept] for rows, kept in seen])
            # The target images meet the same random numbers as without rehearsal.
            with torch.random.fork_rng(), self.compute.autocast():
                torch.manual_seed(generator(LEFT_OUT, self.seed, step, number).initial_seed())
                found = backbone.source_logits(backbone.forward_blocks(batch))
            wanted = self._labels[part.to(self._labels.device)]
            yield self.strength * functional.cross_entropy(found.float(), wanted, reduction="sum")
