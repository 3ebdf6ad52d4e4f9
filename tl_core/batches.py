"""Which images every step of a training sees, and how fast it learns from them."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tl_core.config import RunConfig
from tl_core.heads import class_weights
from tl_core.inputs import generator
from tl_core.range_test import rate_at

WARM_UP = 0.1
# Random streams of a run: the order of the images, and the views that are drawn of them.
ORDER, VIEWS = 0, 1


class Batches:
    """The batches of a run, decided by seed and step alone: nothing of it is needed to continue.

    `weights` (C): what an image of each class counts so that all classes weigh the same; ones if
    classes are left as they are.
    """

    def __init__(self, labels: Sequence[int], run: RunConfig, classes: int) -> None:
        """Prepare for training images with these labels."""
        self.run, self.images = run, len(labels)
        self._labels = torch.tensor(labels)
        self._orders: dict[int, Tensor] = {}
        self.weights = torch.ones(classes)
        if run.class_balance != "none":
            self.weights = torch.from_numpy(class_weights(np.array(labels), classes)).float()

    def places(self, step: int) -> Tensor:
        """Return a step's places among the training images: epochs in random order, joined.

        Balanced by sampling, each place is drawn anew: every class equally often, then any of its
        images.
        """
        size, images = self.run.batch_size, self.images
        if self.run.class_balance == "sampling":
            chances, draw = self.weights[self._labels], generator(ORDER, self.run.seed, step)
            return torch.multinomial(chances, size, replacement=True, generator=draw)
        first, found = step * size, []
        for epoch in range(first // images, (first + size - 1) // images + 1):
            if epoch not in self._orders:
                order = torch.randperm(images, generator=generator(ORDER, self.run.seed, epoch))
                self._orders = {k: v for k, v in self._orders.items() if k >= epoch - 1}
                self._orders[epoch] = order
            start = epoch * images
            found.append(self._orders[epoch][max(0, first - start) : first + size - start])
        return torch.cat(found)


def learning_rate(run: RunConfig, step: int) -> float:
    """Return the learning rate of a step: by the schedule, or of a range test."""
    if run.kind == "range_test":
        return rate_at(run, step)
    return run.learning_rate * schedule(step, run.steps)


def schedule(step: int, steps: int) -> float:
    """Return the factor on the learning rate: linear warm-up over a tenth, then a half cosine."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
