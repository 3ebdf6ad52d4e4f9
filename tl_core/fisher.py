"""How much each weight matters for what a model knows: the diagonal of its Fisher information."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from tl_core.backbones import Backbone
from tl_core.inputs import Inputs, generator

# Images that importance is measured on, and the random stream of the labels drawn for them.
IMAGES = 200
_DRAWS = 7


def diagonal_fisher(
    logits: Callable[[Tensor], Tensor],
    parameters: Mapping[str, nn.Parameter],
    images: Iterable[Tensor],
    draws: torch.Generator | None,
) -> dict[str, Tensor]:
    """Return E over images, E over y ~ p(y | image), of (d log p(y | image) / d parameter)^2.

    Kirkpatrick et al. 2017, on the model's own labels, not the true ones. `images` are single ones,
    1 x ...; `logits` gives 1 x K of one. The expectation over y is exact, or one draw of
    `draws`. Squares of single images' gradients: those of batches shrink with the batch.
    """
    names, values = list(parameters), list(parameters.values())
    sums = [torch.zeros_like(value) for value in values]
    count = 0
    for image in images:
        found = logits(image).float().log_softmax(dim=1)[0]
        chances = found.detach().exp().cpu()
        if draws is None:
            labels, weights = list(range(len(chances))), chances.tolist()
        else:
            labels, weights = torch.multinomial(chances, 1, generator=draws).tolist(), [1.0]
        for place, (label, weight) in enumerate(zip(labels, weights, strict=True)):
            last = place == len(labels) - 1
            gradients = torch.autograd.grad(found[label], values, retain_graph=not last)
            for total, gradient in zip(sums, gradients, strict=True):
                total.addcmul_(gradient, gradient, value=weight)
        count += 1
    return {name: total / max(count, 1) for name, total in zip(names, sums, strict=True)}


def importance(backbone: Backbone, inputs: Inputs, images: int, seed: int) -> dict[str, Tensor]:
    """Return each parameter's Fisher information on source images, over its mean, by name.

    `backbone` is the original, all of its blocks free to be differentiated. With mean 1 a strength
    means the same for every model.
    """
    chosen = torch.linspace(0, images - 1, min(images, IMAGES)).round().int().tolist()
    names = {id(parameter): name for name, parameter in backbone.net.named_parameters()}
    parameters = {names[id(p)]: p for block in backbone.blocks for p in block.parameters()}
    singles = (
        batch[place : place + 1]
        for batch, kept in inputs.evaluation_batches(chosen)
        for place in range(kept)
    )

    def logits(image: Tensor) -> Tensor:
        return backbone.source_logits(backbone.forward_blocks(image))

    found = diagonal_fisher(logits, parameters, singles, generator(_DRAWS, seed))
    weights = sum(value.numel() for value in found.values())
    mean = float(torch.stack([value.double().sum() for value in found.values()]).sum()) / weights
    return {name: (value / max(mean, 1e-30)).float() for name, value in found.items()}
