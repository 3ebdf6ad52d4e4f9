"""Catalog row and weights to a backbone: ordered blocks, a pooled feature, the original head."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from tl_core.catalog import Block, Model
from tl_core.layouts import BadWeights, check_content

Run = Callable[[Any, Tensor], Tensor]


def _average(net: Any, final: Tensor) -> Tensor:
    return torch.flatten(net.avgpool(final), 1)


def _flat(net: Any, final: Tensor) -> Tensor:
    return torch.flatten(final, 1)


def _class_token(net: Any, final: Tensor) -> Tensor:
    return final[:, 0]


def _channels_last_average(net: Any, final: Tensor) -> Tensor:
    return torch.flatten(net.avgpool(net.permute(final)), 1)


def _rectified_average(net: Any, final: Tensor) -> Tensor:
    # Not in place as in torchvision: the final map may be a cached activation.
    return torch.flatten(nn.functional.adaptive_avg_pool2d(final.relu(), (1, 1)), 1)


def _position_average(net: Any, final: Tensor) -> Tensor:
    return torch.flatten(nn.functional.adaptive_avg_pool2d(final, (1, 1)), 1)


def _position_logits(net: Any, final: Tensor) -> Tensor:
    """SqueezeNet's own order: 1x1 convolution at each position, ReLU, then the average."""
    _dropout, convolution, rectifier, average = net.classifier
    return torch.flatten(average(rectifier(convolution(final))), 1)


def _tokens(net: Any, images: Tensor) -> Tensor:
    """ViT's input: patches as N x positions x D, class token in front, position embedding added."""
    patches = net._process_input(images)
    tokens = torch.cat([net.class_token.expand(len(images), -1, -1), patches], dim=1)
    embedded: Tensor = net.encoder.dropout(tokens + net.encoder.pos_embedding)
    return embedded


@dataclass(frozen=True)
class Wiring:
    """What a family does around its blocks.

    `head` is the path of the last linear layer or 1x1 convolution; `pool` turns the final map into
    the feature vector. `logits` is given where the original head is not that layer on that vector,
    `stem` where the first block is not its modules in order. `channels_last`: maps between blocks
    are N x height x width x channels.
    """

    head: str
    pool: Run
    logits: Run | None = None
    stem: Run | None = None
    channels_last: bool = False


WIRING: dict[str, Wiring] = {
    "resnet": Wiring("fc", _average),
    "efficientnet": Wiring("classifier.1", _average),
    "mobilenet": Wiring("classifier.3", _flat),
    "convnext": Wiring("classifier.2", _flat),
    "vit": Wiring("heads.head", _class_token, stem=_tokens),
    "squeezenet": Wiring("classifier.1", _position_average, logits=_position_logits),
    "densenet": Wiring("classifier", _rectified_average),
    "regnet": Wiring("fc", _average),
    "swin": Wiring("head", _channels_last_average, channels_last=True),
}


# Networks that torchvision does not name, from its own parts; called with a number of classes.
CONSTRUCTORS: dict[str, Callable[[int], nn.Module]] = {
    "resnet10": lambda classes: ResNet(BasicBlock, [1, 1, 1, 1], num_classes=classes),
}


def construct(architecture: str, classes: int) -> nn.Module:
    """Return a network of torchvision, or of `CONSTRUCTORS`, initialised at random."""
    if architecture in CONSTRUCTORS:
        return CONSTRUCTORS[architecture](classes)
    net: nn.Module = torchvision.models.get_model(architecture, weights=None, num_classes=classes)
    return net


class BackboneBlock:
    """One block of a backbone: what is frozen or trained as a whole, in the order of the data.

    `modules` are its modules, `bare` its parameters that belong to no such module. It refers to
    the network by path, so that a deep copy of the backbone has blocks of its own.
    """

    def __init__(self, net: nn.Module, row: Block, run: Run | None = None) -> None:
        found = [_resolve(net, path) for path in row.modules]
        self.name = row.name
        self.modules = tuple(part for part in found if isinstance(part, nn.Module))
        self.bare = tuple(part for part in found if isinstance(part, nn.Parameter))
        self._net = net
        self._run = run

    def run(self, x: Tensor) -> Tensor:
        """Return the block's output: N x channels x height x width, tokens, or a vector."""
        if self._run is not None:
            return self._run(self._net, x)
        for module in self.modules:
            if isinstance(module, nn.Linear) and x.ndim == 4:
                x = torch.flatten(x, 1)  # torchvision flattens outside of any module
            x = module(x)
        return x

    def parameters(self) -> list[nn.Parameter]:
        """Return all parameters of the block, each once: bare ones first, then by module."""
        return [*self.bare, *(p for module in self.modules for p in module.parameters())]


def _resolve(net: nn.Module, path: str) -> Any:
    owner, _, name = path.rpartition(".")
    return getattr(net.get_submodule(owner), name)


class Backbone(nn.Module):
    """torchvision's model as `net`, seen as ordered blocks, pooling and the original head.

    Each parameter is in exactly one block or in the original head. The `final` map is what the
    last block returns and what `pool` and `source_logits` take.
    """

    def __init__(self, net: nn.Module, row: Model) -> None:
        super().__init__()
        self.net = net
        self.row = row
        self.wiring = WIRING[row.family]
        self.blocks = [
            BackboneBlock(net, block, self.wiring.stem if index == 0 else None)
            for index, block in enumerate(row.blocks)
        ]

    @property
    def feature_size(self) -> int:
        """Length D of the pooled feature vector."""
        return self.row.feature_size

    @property
    def source_head(self) -> nn.Linear | nn.Conv2d:
        """The original last linear layer or 1x1 convolution; in no block, never trained."""
        head = self.net.get_submodule(self.wiring.head)
        assert isinstance(head, nn.Linear | nn.Conv2d)
        return head

    def forward_blocks(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Return the output of blocks `start` to `stop` (not included) on images or activations."""
        for block in self.blocks[start:stop]:
            x = block.run(x)
        return x

    def places(self, output: Tensor) -> Tensor | None:
        """Return a block's output as maps, N x channels x height x width; None if it has no places.

        Tokens count as a square behind the class token.
        """
        if output.dim() == 4:
            found = output.permute(0, 3, 1, 2) if self.wiring.channels_last else output
            return found if found.shape[2] > 1 else None
        side = int((output.shape[1] - 1) ** 0.5) if output.dim() == 3 else 0
        if side < 2 or side * side != output.shape[1] - 1:
            return None
        maps: Tensor = output[:, 1:].transpose(1, 2).reshape(len(output), -1, side, side)
        return maps

    def pool(self, final: Tensor) -> Tensor:
        """Return the feature vectors, N x D, of a final map."""
        return self.wiring.pool(self.net, final)

    def source_logits(self, final: Tensor) -> Tensor:
        """Return the original head's logits, N x K, of a final map; dropout never applies."""
        if self.wiring.logits is not None:
            return self.wiring.logits(self.net, final)
        logits: Tensor = self.source_head(self.pool(final))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Return the feature vectors, N x D, of preprocessed images, N x 3 x height x width."""
        return self.pool(self.forward_blocks(images))


def build(row: Model, state_dict: Mapping[str, Tensor] | None, *, seed: int = 0) -> Backbone:
    """Return the row's backbone in float32 on the CPU, in train mode as torchvision returns it.

    With a state dict its values are copied. Without one, backbone and original head get
    torchvision's own initialisation from `seed`; the global random state is left as it was.
    Raises BadWeights if the state dict belongs to another model.
    """
    classes = row.head_parameters // (row.feature_size + 1)
    if state_dict is None:
        with torch.random.fork_rng(devices=[]):
            # The default generator alone: torch.manual_seed would reseed the accelerators too.
            torch.default_generator.manual_seed(seed)
            net = construct(row.architecture, classes)
        return Backbone(net, row)
    with torch.device("meta"):  # skips an initialisation that takes up to 1.4 s (ViT)
        net = construct(row.architecture, classes)
    net.to_empty(device="cpu")
    for name, buffer in net.named_buffers():
        if name.endswith("num_batches_tracked"):
            buffer.zero_()  # old files lack it, and load_state_dict then leaves it as it is
    try:
        net.load_state_dict(state_dict)
    except RuntimeError as error:
        raise BadWeights(
            f"These weights do not fit {row.title}. Choose the model they were trained with.",
            tuple(str(error).splitlines()[1:]),
        ) from error
    return Backbone(net, row)


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """Return a safetensors file's tensors; floating-point ones as float32.

    A file named by its SHA-256, as the weights folder holds them, is checked against its name, one
    that comes with the app against the catalog. Raises BadWeights if the file is unreadable,
    altered, or holds values that are not finite.
    """
    path = Path(path)
    check_content(path)
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadWeights(
            f"{path.name} cannot be read as safetensors. Add the weights again."
        ) from error
    loaded = dict(_as_float32(tensors))
    broken = [name for name, tensor in loaded.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise BadWeights(
            f"{path.name} holds values that are not finite (NaN or infinity) in {len(broken)} "
            "tensors. The file is damaged or its training diverged: use another one.",
            tuple(broken),
        )
    return loaded


def _as_float32(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in tensors.items():
        yield name, tensor.float() if tensor.is_floating_point() else tensor
