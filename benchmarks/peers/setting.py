"""What the peers share: their options, SqueezeNet 1.1 cut where a strategy trains, the result.

A peer is what users would otherwise run, so nothing here knows the project's own code. Each is a
process of its own, `python -m benchmarks.peers.NAME --data DIR --weights FILE --strategy NAME
--epochs N --seed S`, and prints one line of JSON: `seconds` from after the imports to the end of
the last epoch's evaluation, `accuracy` (fraction of the images in DIR/val) after it, and `epochs`,
the same two numbers after every epoch.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Else imported by the first optimiser: a second of import inside the measured time.
import torch._dynamo
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision import transforms
from torchvision.models import SqueezeNet, squeezenet1_1

SCRATCH = "from_scratch"
ZERO_SHOT = "zero_shot"

# First module of `features` that is trained; 11 is fire 8, 13 is the head.
TRAINED_FROM = {
    "feature_extraction": 13,
    "partial_fine_tuning": 11,
    "full_fine_tuning": 0,
    SCRATCH: 0,
}

SIZE, RESIZE = 224, 256
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FEATURES = 512

MOMENTUM = 0.9
RATE = 2e-4
# The head starts random: at the backbone's own rate it would lag behind within so few steps.
HEAD = 10.0


@dataclass(frozen=True)
class Options:
    """What a peer is told; `class_map` of the zero-shot pass: class to source class indices."""

    data: Path
    weights: Path
    strategy: str
    epochs: int = 1
    seed: int = 0
    learning_rate: float = RATE
    class_map: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """`net` is torchvision's; `trained` after `frozen` is the same computation, cut in two."""

    net: SqueezeNet
    frozen: nn.Sequential
    trained: nn.Sequential


@dataclass
class Clock:
    """Seconds since it was made, and accuracy, after every epoch."""

    started: float = field(default_factory=time.perf_counter)
    epochs: list[tuple[float, float]] = field(default_factory=list)

    def epoch(self, accuracy: float) -> None:
        """Note the end of an epoch's evaluation."""
        self.epochs.append((time.perf_counter() - self.started, accuracy))

    def report(self) -> str:
        """Return the line of JSON."""
        seconds, accuracy = self.epochs[-1]
        return json.dumps({"seconds": seconds, "accuracy": accuracy, "epochs": self.epochs})


def parser(description: str | None, rate: float = RATE) -> argparse.ArgumentParser:
    """Return the options' parser; `rate` is the peer's own learning rate."""
    found = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    found.add_argument("--data", type=Path, required=True, metavar="DIR")
    found.add_argument("--weights", type=Path, required=True, metavar="FILE")
    found.add_argument("--strategy", choices=[*TRAINED_FROM, ZERO_SHOT], required=True)
    found.add_argument("--epochs", type=int, default=1, metavar="N")
    found.add_argument("--seed", type=int, default=0, metavar="S")
    found.add_argument("--learning-rate", type=float, default=rate)
    found.add_argument("--class-map", type=json.loads, default={}, metavar="JSON")
    return found


def read_options(
    description: str | None, arguments: Sequence[str] | None = None, rate: float = RATE
) -> Options:
    """Return the options of a command line."""
    return Options(**vars(parser(description, rate).parse_args(arguments)))


def device() -> torch.device:
    """Return where a peer computes: the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def source_model(weights: Path) -> SqueezeNet:
    """Return the pretrained network in float32 with its 1,000 classes."""
    net = squeezenet1_1()
    net.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    return net


def build(options: Options, classes: int) -> Model:
    """Return the strategy's network with a new last layer, frozen as the strategy says.

    The new layer has no ReLU behind it as torchvision's old one has: of two rectified logits both
    may die, which would cost the peers accuracy and no user would keep.
    """
    torch.manual_seed(options.seed)
    scratch = options.strategy == SCRATCH
    net = squeezenet1_1() if scratch else source_model(options.weights)
    net.classifier = nn.Sequential(
        net.classifier[0], nn.Conv2d(FEATURES, classes, 1), nn.AdaptiveAvgPool2d(1)
    )
    net.to(device())
    cut = TRAINED_FROM[options.strategy]
    frozen = net.features[:cut]
    frozen.requires_grad_(False)
    return Model(net, frozen, nn.Sequential(net.features[cut:], net.classifier, nn.Flatten()))


def parameter_groups(model: Model, options: Options) -> list[dict[str, Any]]:
    """Return what trains, the new head ten times faster unless everything is new."""
    backbone = [p for p in model.net.features.parameters() if p.requires_grad]
    head = HEAD if options.strategy != SCRATCH else 1.0
    groups = [
        {"params": backbone, "lr": options.learning_rate},
        {"params": list(model.net.classifier.parameters()), "lr": head * options.learning_rate},
    ]
    return [group for group in groups if group["params"]]


def training_transform() -> transforms.Compose:
    """Return the tutorial's augmentation of a Pillow image."""
    steps = [transforms.RandomResizedCrop(SIZE), transforms.RandomHorizontalFlip()]
    return transforms.Compose([*steps, *_to_input()])


def evaluation_transform() -> transforms.Compose:
    """Return the centre crop of a Pillow image."""
    return transforms.Compose(
        [transforms.Resize(RESIZE), transforms.CenterCrop(SIZE), *_to_input()]
    )


def _to_input() -> list[Any]:
    return [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]


def accuracy(
    predict: Callable[[Tensor], Tensor], batches: Iterable[tuple[Tensor, Tensor]]
) -> float:
    """Return the fraction of images whose largest score is their label's; waits once, at the end.

    Raises ZeroDivisionError if there are no images.
    """
    right, seen = torch.zeros((), dtype=torch.long), 0
    with torch.no_grad():
        for images, labels in batches:
            scores = predict(images)
            right = right.to(scores.device) + (scores.argmax(1) == labels.to(scores.device)).sum()
            seen += len(labels)
    return int(right) / seen
