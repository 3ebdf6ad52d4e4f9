"""Where a model looks: class-activation heat maps, laid on the picture as the model sees it."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from tl_core.adapted import Adapted
from tl_core.backbones import Backbone
from tl_core.catalog import Preprocessing
from tl_core.preprocessing import normalise

# Dark to light and readable without red and green: anchors of the map's colours, 0 to 255.
_ANCHORS = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
# How much of the picture the strongest place of a map covers.
_COVER = 0.65
# Pixels across, under which a picture is too small to be looked at.
_LEAST_SIDE = 224


@torch.no_grad()
def heat_map(adapted: Adapted, image: Tensor, target: int) -> Tensor:
    """Return how much each place speaks for the class `target`, S x S, 0 to 1.

    `image`: 1 x 3 x S x S, preprocessed, on the model's device. Grad-CAM (Selvaraju et al. 2017) at
    the last blocks that still know places: for a linear layer on averaged features exactly the
    class-activation map (Zhou et al. 2016). All 0 where nothing speaks for the class.
    """
    blocks = adapted.backbone.blocks
    outputs = [image]
    for block in blocks:
        # Some blocks work in place, and every block's output is needed.
        outputs.append(block.run(outputs[-1].clone()))
    for place in range(len(blocks), 0, -1):
        values = outputs[place]
        if adapted.backbone.places(values) is None:
            continue
        # A class token draws on other places in an earlier block alone: after the last they are
        # flat.
        found = _weighed(adapted.backbone, values, _slopes(adapted, values, place, target))
        if found is not None:
            return _enlarged(found, image.shape[-1])
    return torch.zeros(image.shape[-2:])


def _slopes(adapted: Adapted, values: Tensor, place: int, target: int) -> Tensor:
    """Return the gradient of the class's score with respect to the output of a block."""

    def score(activation: Tensor) -> Tensor:
        final = adapted.backbone.forward_blocks(activation.clone(), start=place)
        return adapted.scores(final)[0, target]

    slopes: Tensor = torch.func.grad(score)(values)
    return slopes


def _weighed(backbone: Backbone, values: Tensor, slopes: Tensor) -> Tensor | None:
    """Return channels weighed by their mean slope, what speaks against cut off.

    None where the output has no places, or what follows does not look at them.
    """
    maps, steep = backbone.places(values), backbone.places(slopes)
    if maps is None or steep is None or not bool(steep.any()):
        return None
    weights = steep.mean(dim=(2, 3), keepdim=True)
    found: Tensor = (weights * maps).sum(dim=1)[0].relu().float()
    return found


def _enlarged(found: Tensor, side: int) -> Tensor:
    scaled = functional.interpolate(
        found[None, None], size=(side, side), mode="bilinear", align_corners=False
    )[0, 0].cpu()
    most = float(scaled.max())
    return scaled / most if most > 0 else scaled


def heat_maps(
    adapted: Adapted, crops: Tensor, targets: Sequence[int], wanted: Preprocessing
) -> list[bytes]:
    """Return for each centre crop (N x 3 x S x S, uint8) a PNG with the map of its target class."""
    device = next(adapted.backbone.parameters()).device
    pictures = []
    for crop, target in zip(crops, targets, strict=True):
        found = heat_map(adapted, normalise(crop[None].to(device), wanted), target)
        pictures.append(_laid_on(crop, found))
    return pictures


def picture(crop: Tensor) -> bytes:
    """Return a centre crop (3 x S x S, uint8) as PNG, enlarged pixel by pixel if it is small."""
    times = max(1, _LEAST_SIDE // crop.shape[-1])
    large = crop.cpu().repeat_interleave(times, dim=1).repeat_interleave(times, dim=2)
    content = io.BytesIO()
    Image.fromarray(large.permute(1, 2, 0).numpy()).save(content, "PNG")
    return content.getvalue()


def _laid_on(crop: Tensor, found: Tensor) -> bytes:
    strength = found.numpy()
    places = np.linspace(0, 1, len(_ANCHORS))
    colours = np.stack([np.interp(strength, places, c) for c in np.transpose(_ANCHORS)])
    grey = crop.float().mean(dim=0, keepdim=True).expand(3, -1, -1).numpy()
    cover = _COVER * np.sqrt(strength)
    mixed = cover * colours + (1 - cover) * grey
    return picture(torch.from_numpy(mixed.round().astype(np.uint8)))
