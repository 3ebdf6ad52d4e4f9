"""Train the bundled model from nothing on the drawn source task.

    python -m pretraining.bundled --out FILE.safetensors

About an hour on two CPU cores with bfloat16; a GPU is used where there is one. Beside the class,
small heads that are thrown away learn the textures and colours of object and background: they are
meant to keep features alive that the outlines alone do not need, and photographs do.
"""

import argparse
import copy
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tl_core.backbones import construct
from tl_core.procedural import CLASSES
from tl_core.procedural.drawing import Drawn, draw
from tl_core.procedural.textures import SURFACES

ARCHITECTURE = "resnet10"
BATCH = 128
STEPS = 14_000
RATE = 2e-3
WARM_UP = 0.04
WEIGHT_DECAY = 0.05
SMOOTHING = 0.1
TEXTURE_WEIGHT = 0.4
COLOUR_WEIGHT = 1.0
AVERAGING = 0.999
MEAN, STD = 0.5, 0.25

# Each image is seen about twice: drawing costs half as much as a training step.
POOL = 8_192
FRESH = 64

HELD_OUT_SEED = 1_000_003
HELD_OUT = 4_360


class Learner(nn.Module):
    """The network and the heads that exist only while it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.net = construct(ARCHITECTURE, len(CLASSES))
        self.surface = nn.Linear(512, len(SURFACES))
        self.ground = nn.Linear(512, len(SURFACES))
        self.colours = nn.Linear(512, 6)

    def features(self, images: Tensor) -> Tensor:
        """Return pooled features, N x 512, of normalised images."""
        net: Any = self.net
        x = net.maxpool(net.relu(net.bn1(net.conv1(images))))
        x = net.layer4(net.layer3(net.layer2(net.layer1(x))))
        return torch.flatten(net.avgpool(x), 1)

    def loss(self, images: Tensor, drawn: Drawn) -> Tensor:
        """Return the mean loss of a batch: the class, both textures, both colours."""
        features = self.features(images)
        total = nn.functional.cross_entropy(
            self.net.get_submodule("fc")(features), drawn.labels, label_smoothing=SMOOTHING
        )
        for head, target in ((self.surface, drawn.surface), (self.ground, drawn.ground)):
            total = total + TEXTURE_WEIGHT * nn.functional.cross_entropy(head(features), target)
        colour_error = nn.functional.mse_loss(self.colours(features).float(), drawn.colours)
        return total + COLOUR_WEIGHT * colour_error


def normalised(images: Tensor) -> Tensor:
    """Return uint8 images as the network expects them."""
    scaled = (images.float() / 255 - MEAN) / STD
    return scaled.contiguous(memory_format=torch.channels_last)


def accuracy(net: nn.Module, drawn: Drawn, device: torch.device) -> float:
    """Return the top-1 accuracy on drawn images."""
    net.eval()
    right = 0
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        for images, labels in zip(drawn.images.split(256), drawn.labels.split(256), strict=True):
            logits = net(normalised(images.to(device)))
            right += int((logits.argmax(dim=1).cpu() == labels).sum())
    return right / len(drawn.labels)


@dataclass
class Pool:
    """Drawn images, the oldest of which new ones replace."""

    held: Drawn
    seed: int
    oldest: int = 0

    def refresh(self) -> None:
        """Replace the oldest images by new ones."""
        self.seed += 1
        fresh = draw(FRESH, self.seed)
        for name, values in vars(fresh).items():
            getattr(self.held, name)[self.oldest : self.oldest + FRESH] = values
        self.oldest = (self.oldest + FRESH) % POOL

    def batch(self, generator: torch.Generator) -> Drawn:
        """Return a random batch."""
        chosen = torch.randint(POOL, (BATCH,), generator=generator)
        return Drawn(*(values[chosen] for values in vars(self.held).values()))


def shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return the images cut to a random window of the same place and size for all, scaled back."""
    side = images.shape[-1]
    cut = int(torch.randint(side * 3 // 4, side + 1, (1,), generator=generator))
    top, left = (int(v) for v in torch.randint(side - cut + 1, (2,), generator=generator))
    window = images[..., top : top + cut, left : left + cut].float()
    if cut == side:
        return window
    return nn.functional.interpolate(
        window, size=(side, side), mode="bilinear", align_corners=False
    )


def _rate(step: int, steps: int) -> float:
    warm = WARM_UP * steps
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def _average(average: nn.Module, learner: nn.Module, step: int) -> None:
    keep = min(AVERAGING, (1 + step) / (10 + step))
    with torch.no_grad():
        for old, new in zip(
            average.state_dict().values(), learner.state_dict().values(), strict=True
        ):
            if old.is_floating_point():
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)


def _save(net: nn.Module, path: Path) -> None:
    tensors = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in net.state_dict().items()
    }
    part = path.with_suffix(".part")
    save_file(tensors, part)
    part.replace(path)


def train(out: Path, steps: int, seed: int) -> None:
    """Train and write float16 weights to `out`, a preliminary file of them every 1,000 steps."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    learner = Learner().to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(learner).eval()
    decayed = [p for p in learner.parameters() if p.ndim > 1]
    rest = [p for p in learner.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": rest, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE, fused=True)
    held_out = draw(HELD_OUT, HELD_OUT_SEED)
    pool = Pool(draw(POOL, seed * 10_000_000), seed * 10_000_000)
    begun, running = time.perf_counter(), 0.0
    for step in range(steps):
        pool.refresh()
        batch = pool.batch(generator)
        images = normalised(shifted(batch.images, generator).to(device))
        batch = Drawn(*(values.to(device) for values in vars(batch).values()))
        for group in optimizer.param_groups:
            group["lr"] = RATE * _rate(step, steps)
        learner.train()
        with torch.autocast(device.type, torch.bfloat16):
            loss = learner.loss(images, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learner.parameters(), 2.0)
        optimizer.step()
        _average(average, learner, step)
        running = 0.98 * running + 0.02 * loss.detach().item() if step else loss.detach().item()
        if (step + 1) % 200 == 0:
            speed = (step + 1) * BATCH / (time.perf_counter() - begun)
            print(f"step {step + 1}: loss {running:.3f}, {speed:.0f} images/s", flush=True)
        if (step + 1) % 1_000 == 0 or step + 1 == steps:
            print(f"held-out top-1 {accuracy(average.net, held_out, device):.4f}", flush=True)
            _save(average.net, out)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    train(options.out, options.steps, options.seed)


if __name__ == "__main__":
    main()
