"""What happens to the source skill while a model trains, epoch by epoch."""

from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tl_core import metrics
from tl_core.activations import open_inputs
from tl_core.backbones import Backbone
from tl_core.device import Compute
from tl_core.events import Progress
from tl_core.forgetting import agreement
from tl_core.inputs import Inputs
from tl_core.materials import Materials
from tl_core.plans import PER_EPOCH_IMAGES


class ModelWatch:
    """Per-epoch look at the source task.

    At a fixed part of a labelled probe; without one at the first validation images, of which the
    trainer's own look tells the source logits. `before`: the original's logits of the same images.
    """

    def __init__(
        self,
        before: NDArray[np.float32],
        compute: Compute,
        probe: Inputs | None = None,
        chosen: tuple[int, ...] = (),
        labels: NDArray[np.int64] | None = None,
    ) -> None:
        """Watch the `chosen` images of `probe`, else as many validation images as `before` has."""
        self.before, self.compute = before, compute
        self.probe, self.chosen, self.labels = probe, chosen, labels
        self.validation_images = 0 if probe is not None else len(before)

    def look(self, backbone: Backbone, validation: Tensor) -> tuple[float | None, float | None]:
        """Return (accuracy on the labelled part or None, agreement with the original model).

        `validation`: source logits of the first `validation_images` validation images.
        """
        if self.probe is None or self.labels is None:
            return None, agreement(self.before, validation.numpy())
        logits = []
        for batch, kept in self.probe.evaluation_batches(self.chosen):
            with torch.no_grad(), self.compute.autocast():
                final = backbone.forward_blocks(batch, start=self.probe.boundary)
                logits.append(backbone.source_logits(final)[:kept].float().cpu())
        after = torch.cat(logits).numpy()
        accuracy = metrics.accuracy(after.argmax(axis=1), self.labels)
        return accuracy, agreement(self.before, after)


def open_watch(
    materials: Materials, validation: tuple[int, ...], boundary: int
) -> Generator[Progress, None, ModelWatch]:
    """Yield progress while frozen blocks run over the probe, once; return the watch of a run."""
    probe, compute = materials.probe, materials.compute
    if probe is None or not probe.rated:
        chosen = list(validation[:PER_EPOCH_IMAGES])
        return ModelWatch(materials.read_out.source_logits[chosen], compute)
    inputs = yield from open_inputs(
        materials.original,
        boundary,
        materials.weights_sha256,
        probe.inputs.pixels,
        False,
        compute,
        trained=(),
        evaluated=probe.per_epoch,
    )
    chosen = list(probe.per_epoch)
    before = probe.read_out.source_logits[chosen]
    return ModelWatch(before, compute, inputs, probe.per_epoch, probe.labels[chosen])
