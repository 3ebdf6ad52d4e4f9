"""What happens to the source skill while a model trains, epoch by epoch."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from tl_core import metrics
from tl_core.activations import Inputs, PixelInputs
from tl_core.backbones import Backbone
from tl_core.forgetting import PER_EPOCH_IMAGES, agreement
from tl_core.materials import Materials


class ModelWatch:
    """Per-epoch look at a fixed part of the probe, or at validation images where none has labels.

    What the frozen blocks make of these images is computed once.
    """

    def __init__(self, materials: Materials, validation: tuple[int, ...], inputs: Inputs) -> None:
        """Watch the probe's per-epoch part, else the first of the validation images."""
        probe = materials.probe
        self.compute, self.boundary = materials.compute, inputs.boundary
        self.labels: NDArray[np.int64] | None = None
        if probe is not None and probe.rated:
            source: PixelInputs = probe.inputs
            self.chosen = list(probe.per_epoch)
            self.labels, logits = probe.labels[self.chosen], probe.read_out.source_logits
        else:
            source = PixelInputs(materials.pixels, False, materials.compute)
            self.chosen = list(validation[:PER_EPOCH_IMAGES])
            logits = materials.read_out.source_logits
        self.before, self.source = logits[self.chosen], source
        self.cached = list(self._prefix(materials.original)) if self.boundary else None

    def _prefix(self, backbone: Backbone) -> Iterator[torch.Tensor]:
        with torch.no_grad(), self.compute.autocast():
            for batch in self.source.evaluation_batches(self.chosen):
                yield backbone.forward_blocks(batch, stop=self.boundary)

    def look(self, backbone: Backbone) -> tuple[float | None, float | None]:
        """Return (accuracy on the labelled part or None, agreement with the original model)."""
        logits = []
        with torch.no_grad(), self.compute.autocast():
            for batch in self.cached or self._prefix(backbone):
                final = backbone.forward_blocks(batch, start=self.boundary)
                logits.append(backbone.source_logits(final).float().cpu().numpy())
        after = np.concatenate(logits)
        found = None
        if self.labels is not None:
            found = metrics.accuracy(after.argmax(axis=1), self.labels)
        return found, agreement(self.before, after)
