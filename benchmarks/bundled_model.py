"""What the bundled model's pretraining is worth on real photographs.

    TL_REFERENCE_DATA=FOLDER python -m benchmarks.bundled_model

Against the same network from random weights: every side with its own best of the same learning
rates, chosen on validation images, the same steps, augmentation and optimiser; tested on the data
sets' own test parts. `FOLDER/data` holds `cifar10` (100 training and 100 test images a class of
CIFAR-10) and `hymenoptera` (the PyTorch transfer-learning tutorial's ants and bees), each with a
folder a part and a folder a class. What is already measured is kept in the data directory, so an
interrupted run goes on.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from benchmarks.rows import kept
from tl_core import backbones, catalog, device, weights
from tl_core.activations import read_out_pass
from tl_core.backbones import Backbone
from tl_core.config import RunConfig
from tl_core.datasets import Dataset, Split, split
from tl_core.device import Compute
from tl_core.forgetting import ready
from tl_core.heads import Head, ProbeTask, convex_probes
from tl_core.ingest import ingest_path
from tl_core.inputs import Part, PixelInputs
from tl_core.pixels import Pixels, open_pixels
from tl_core.stats import Interval, accuracy_interval, paired_interval
from tl_core.strategies import STRATEGIES
from tl_core.trainer import Fit

MODEL = weights.FIRST_MODEL
SETS = ("cifar10", "hymenoptera")
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
WEIGHT_DECAY = 0.05
BATCH = 16
LONGER = 3


class Kept(msgspec.Struct):
    """What one training gave: the rate, validation accuracy, and each test image right or wrong."""

    rate: float
    validation_accuracy: float
    correct: list[int]


@dataclass(frozen=True)
class Bench:
    """One data set, opened; `sha256` is of the pretrained weights."""

    dataset: Dataset
    pixels: Pixels
    compute: Compute
    state: dict[str, torch.Tensor]
    sha256: str
    steps: int

    @property
    def row(self) -> catalog.Model:
        """The bundled model's catalog row."""
        return catalog.find(MODEL)

    @property
    def inputs(self) -> PixelInputs:
        """The data set's pixels, augmented afresh at every step."""
        return PixelInputs(self.pixels, self.dataset.mirror, self.compute)

    def part(self, indices: Sequence[int]) -> Part:
        """Return images with their labels."""
        return Part(tuple(indices), tuple(self.dataset.images[i].label for i in indices))

    def labels(self, indices: Sequence[int]) -> np.ndarray:
        """Return the labels of images."""
        return np.array([self.dataset.images[i].label for i in indices])

    def backbone(self, pretrained: bool, seed: int) -> Backbone:
        """Return the network with the bundled weights, or with random ones from `seed`."""
        state = self.state if pretrained else None
        return backbones.build(self.row, state, seed=seed)


def _last(steps: Iterator[Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value


def open_bench(path: Path, steps: int) -> Bench:
    """Return a folder of photographs and the bundled weights, ready to train."""
    row, dataset = catalog.find(MODEL), ingest_path(path)
    found = weights.available(MODEL)[0]
    compute = device.resolve("auto", "auto", 0)
    compute.activate()
    pixels = _last(open_pixels(dataset, row.preprocessing, compute))
    state = backbones.load_weights(found.path)
    return Bench(dataset, pixels, compute, state, found.sha256, steps)


def trained(
    bench: Bench, parts: Split, pretrained: bool, rate: float, steps: int, seed: int
) -> Kept:
    """Return one training of the whole network, kept from an earlier one where there was one."""
    name = "full_fine_tuning" if pretrained else "from_scratch"
    run = RunConfig(
        strategy=STRATEGIES[name],
        seed=seed,
        kind="final",
        steps=steps,
        learning_rate=rate,
        weight_decay=WEIGHT_DECAY,
        batch_size=BATCH,
        mirror=bench.dataset.mirror,
    )

    def fit() -> Kept:
        backbone = ready(bench.backbone(pretrained, seed), bench.compute)
        torch.manual_seed(seed)
        head = Head(bench.row.feature_size, len(bench.dataset.classes)).to(bench.compute.device)
        training, validation = bench.part(parts.train), bench.part(parts.validation)
        done = Fit(
            "", run, backbone, head, bench.inputs, training, validation, bench.compute, "adamw"
        )
        last = list(done)[-1]
        test = bench.part(parts.test)
        right = done.predict(test).probabilities.argmax(axis=1) == np.array(test.labels)
        return Kept(rate, last.validation_accuracy or 0.0, right.astype(int).tolist())

    return _kept(fit, bench, run, seed)


def probed(bench: Bench, parts: Split, pretrained: bool, seed: int) -> Kept:
    """Return a linear probe on the frozen network's features.

    Random weights get norm statistics of the training images first: without them a deep random
    network's features all but vanish, and beating it would prove nothing.
    """

    def solve() -> Kept:
        backbone = ready(bench.backbone(pretrained, seed), bench.compute)
        if not pretrained:
            _measure_norm_statistics(backbone, bench, parts.train)
        every = [*parts.train, *parts.validation, *parts.test]
        features, _ = read_out_pass(backbone, bench.inputs, every, bench.compute)
        fitted = len(parts.train)
        chosen = fitted + len(parts.validation)
        task = ProbeTask(range(fitted), range(fitted, chosen))
        labels = bench.labels(every)
        probe = convex_probes(features, labels, [task], len(bench.dataset.classes))[0]
        right = probe.probabilities(features).argmax(axis=1) == labels
        checked, tested = right[fitted:chosen], right[chosen:]
        return Kept(probe.penalty, float(checked.mean()), tested.astype(int).tolist())

    return _kept(solve, bench, ("probe", pretrained), seed)


def _measure_norm_statistics(backbone: Backbone, bench: Bench, indices: Sequence[int]) -> None:
    norms = [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
        norm.train()
    with torch.no_grad(), bench.compute.autocast():
        for batch, count in bench.inputs.evaluation_batches(indices):
            backbone(batch[:count])
    backbone.eval()


def _kept(make: Callable[[], Kept], bench: Bench, *what: Any) -> Kept:
    """Return what `make` gives, from the data directory if it was made before."""

    def told() -> Kept:
        made = make()
        print(f"  {what[0] if isinstance(what[0], tuple) else what[0].strategy.name}", end="")
        print(f" rate {made.rate:g}: {np.mean(made.correct):.3f}", flush=True)
        return made

    of = (what, bench.sha256, bench.dataset.fingerprint, bench.compute.precision)
    return kept(of, told, Kept)


def best_rate(bench: Bench, pretrained: bool) -> float:
    """Return the rate with the best validation accuracy on the first seed (a tie: the smaller)."""
    parts = split(bench.dataset, 0)
    tried = [trained(bench, parts, pretrained, rate, bench.steps, 0) for rate in RATES]
    return max(tried, key=lambda one: (one.validation_accuracy, -one.rate)).rate


def _text(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _points(interval: Interval) -> str:
    ends = f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"
    return f"{100 * interval.value:+.1f} ({ends})"


def table(bench: Bench, name: str, seeds: int) -> list[str]:
    """Return the rows of the table for one data set."""
    rates = {pretrained: best_rate(bench, pretrained) for pretrained in (True, False)}
    parts = [split(bench.dataset, seed) for seed in range(seeds)]

    def matrix(make: Callable[[Split, int], Kept]) -> np.ndarray:
        return np.array([make(part, seed).correct for seed, part in enumerate(parts)], dtype=float)

    sides = {
        "Full fine-tuning": matrix(
            lambda part, seed: trained(bench, part, True, rates[True], bench.steps, seed)
        ),
        "From scratch": matrix(
            lambda part, seed: trained(bench, part, False, rates[False], bench.steps, seed)
        ),
        f"From scratch, {LONGER}× the steps": matrix(
            lambda part, seed: trained(bench, part, False, rates[False], LONGER * bench.steps, seed)
        ),
        "Linear probe, bundled weights": matrix(lambda part, seed: probed(bench, part, True, seed)),
        "Linear probe, random weights": matrix(lambda part, seed: probed(bench, part, False, seed)),
    }
    chosen = [f"{rates[True]:g}", f"{rates[False]:g}", f"{rates[False]:g}", "–", "–"]
    margins = [
        "",
        *[_points(paired_interval(sides["Full fine-tuning"], sides[k])) for k in list(sides)[1:3]],
    ]
    probes = list(sides)[3:]
    margins += ["", _points(paired_interval(sides[probes[0]], sides[probes[1]]))]
    return [
        f"| {name} | {side} | {rate} | {_text(accuracy_interval(correct))} | {margin} |"
        for (side, correct), rate, margin in zip(sides.items(), chosen, margins, strict=True)
    ]


def main() -> None:
    """Measure and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if "TL_REFERENCE_DATA" not in os.environ:
        parser.error("set TL_REFERENCE_DATA to the folder that holds data/cifar10")
    lines = []
    for name in options.sets:
        print(name, flush=True)
        path = Path(os.environ["TL_REFERENCE_DATA"]) / "data" / name
        lines += table(open_bench(path, options.steps), name, options.seeds)
    print("\n| Data | Side | Rate | Test accuracy | Pretraining is worth (points) |")
    print("|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
