"""A trained model as one module: a prepared image in, class probabilities out."""

import copy

import torch
from torch import Tensor, nn

from tl_core.adapted import Adapted, ClassMapHead, LinearHead


class Deployed(nn.Module):
    """An adapted model in float32 on the CPU, for eyes other than this project's."""

    def __init__(self, adapted: Adapted) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(adapted.backbone).cpu().float()
        self.head: LinearHead | ClassMapHead = copy.deepcopy(adapted.head).cpu().float()
        self.eval()

    def forward(self, prepared: Tensor) -> Tensor:
        """Return class probabilities, N x C, of preprocessed images, N x 3 x S x S."""
        final = self.backbone.forward_blocks(prepared)
        # Only one of the two is computed: what nobody reads would be exported as well.
        mapped, nothing = isinstance(self.head, ClassMapHead), torch.empty(0)
        features = nothing if mapped else self.backbone.pool(final)
        logits = self.backbone.source_logits(final) if mapped else nothing
        probabilities: Tensor = self.head(features, logits).softmax(dim=1)
        return probabilities
