"""(b) The best plain loop we can write: no cache, but everything else that makes it fast.

    python -m benchmarks.peers.tuned --data DIR --weights FILE --strategy full_fine_tuning [--bf16]

Batches of 32 from two worker processes that stay, decoded and cropped as uint8 tensors, normalised
a batch at a time, channels last, the frozen part without gradients, a fused optimiser, no waiting
for the device within an epoch. Float32; with `--bf16` under autocast, which is the row b16.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

from benchmarks.peers import setting
from benchmarks.peers.setting import Clock, Model, Options

BATCH = 32
WORKERS = 2
WARM_UP = 0.1


@dataclass(frozen=True)
class Loaders:
    """Batches of uint8 images with labels."""

    train: DataLoader[tuple[Tensor, Tensor]]
    val: DataLoader[tuple[Tensor, Tensor]]


def _read(path: str) -> Tensor:
    return decode_image(path, mode=ImageReadMode.RGB)


def open_loaders(options: Options, workers: int = WORKERS) -> Loaders:
    """Return the batches of both parts; raises FileNotFoundError without train/ and val/."""
    shared: dict[str, Any] = {
        "batch_size": BATCH,
        "num_workers": workers,
        "persistent_workers": workers > 0,
        "pin_memory": setting.device().type == "cuda",
    }
    augmented = v2.Compose([v2.RandomResizedCrop(setting.SIZE), v2.RandomHorizontalFlip()])
    centre = v2.Compose([v2.Resize(setting.RESIZE), v2.CenterCrop(setting.SIZE)])
    train = ImageFolder(options.data / "train", augmented, loader=_read)
    val = ImageFolder(options.data / "val", centre, loader=_read)
    return Loaders(DataLoader(train, shuffle=True, **shared), DataLoader(val, **shared))


class Network:
    """A model's two parts in one call, in the precision that was asked for."""

    def __init__(self, model: Model, bf16: bool) -> None:
        """Put both parts into channels-last order."""
        self.model, self.bf16, self.device = model, bf16, setting.device()
        model.net.to(memory_format=torch.channels_last)
        self.shift = 255 * torch.tensor(setting.MEAN, device=self.device).view(1, 3, 1, 1)
        self.scale = 255 * torch.tensor(setting.STD, device=self.device).view(1, 3, 1, 1)

    def __call__(self, images: Tensor) -> Tensor:
        """Return logits, N x C in float32, of uint8 images."""
        batch = images.to(self.device, non_blocking=True).float().sub_(self.shift).div_(self.scale)
        batch = batch.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            with torch.no_grad():
                batch = self.model.frozen(batch)
            logits: Tensor = self.model.trained(batch)
        return logits.float()


def train(model: Model, loaders: Loaders, options: Options, clock: Clock, bf16: bool) -> None:
    """Train the model in place, noting every epoch's validation accuracy."""
    network = Network(model, bf16)
    optimizer = optim.SGD(
        setting.parameter_groups(model, options), momentum=setting.MOMENTUM, fused=True
    )
    steps = options.epochs * len(loaders.train)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: _factor(step, steps))
    model.frozen.eval()
    for _ in range(options.epochs):
        model.trained.train()
        for images, labels in loaders.train:
            labels = labels.to(network.device, non_blocking=True)
            loss = nn.functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
        model.trained.eval()
        clock.epoch(setting.accuracy(network, loaders.val))


def _factor(step: int, steps: int) -> float:
    """Return the factor on the rate: linear warm-up over a tenth, then a half cosine."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def run(options: Options, bf16: bool = False, workers: int = WORKERS) -> Clock:
    """Return the clock of one run; raises KeyError for zero_shot, which trains nothing."""
    clock = Clock()
    loaders = open_loaders(options, workers)
    model = setting.build(options, len(loaders.train.dataset.classes))  # type: ignore[attr-defined]
    train(model, loaders, options, clock, bf16)
    return clock


def main() -> None:
    """Run once and print the result."""
    parser = setting.parser(__doc__)
    parser.add_argument("--bf16", action="store_true")
    given = vars(parser.parse_args())
    bf16 = given.pop("bf16")
    print(run(Options(**given), bf16).report())


if __name__ == "__main__":
    main()
