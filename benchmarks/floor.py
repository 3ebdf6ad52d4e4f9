"""The least that a strategy can take here, measured by its parts in this process.

Decoding every stored image once, one pass of the frozen blocks over every image and view, forward
and backward of what trains at every step: in the engine's precision, batch sizes and layout,
without whatever else it does.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tl_core import backbones, catalog, datasets, preprocessing, weights
from tl_core.config import BATCH_SIZE, ComparisonConfig
from tl_core.cores import cores
from tl_core.datasets import Dataset
from tl_core.device import Compute, synchronise
from tl_core.freezing import apply_stage, freeze_all, set_modes
from tl_core.heads import Head
from tl_core.inputs import EVALUATION_BATCH
from tl_core.plans import VIEWS
from tl_core.stages import frozen_prefix
from tl_core.strategies import Strategy

WARM_UP, TIMED = 3, 7


@dataclass(frozen=True)
class Floor:
    """Seconds of each part."""

    decoding: float
    frozen: float
    training: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.decoding + self.frozen + self.training


@dataclass(frozen=True)
class Network:
    """A strategy's network, frozen as while training; `boundary`: blocks that stay frozen."""

    backbone: backbones.Backbone
    head: Head
    boundary: int
    compute: Compute

    def batch(self, images: int) -> Tensor:
        """Return so many images' input; what the values are costs nothing."""
        size = self.backbone.row.preprocessing.crop
        found = torch.randn(images, 3, size, size, device=self.compute.device)
        return found.contiguous(memory_format=torch.channels_last)

    def frozen(self, batch: Tensor) -> Tensor:
        """Return activations at the boundary."""
        with torch.no_grad(), self.compute.autocast():
            return self.backbone.forward_blocks(batch, stop=self.boundary)

    def step(self, activations: Tensor, labels: Tensor) -> None:
        """Compute the gradients of what trains."""
        with self.compute.autocast():
            final = self.backbone.forward_blocks(activations, start=self.boundary)
            logits = self.head(self.backbone.pool(final))
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()


def floor(
    config: ComparisonConfig, strategy: Strategy, steps: int, dataset: Dataset, compute: Compute
) -> Floor:
    """Return the floor of one seed of a strategy that trains for so many steps."""
    network = _network(config, strategy, len(dataset.classes), compute)
    training = datasets.split(dataset, 0).train
    # The original model looks at every image; what trains behind a boundary also needs views.
    passes = len(dataset.images) if network.boundary else 0
    if strategy.stages and network.boundary:
        passes += VIEWS * len(training)
    return Floor(
        decoding=_decoding(dataset, network.backbone.row.preprocessing),
        frozen=_frozen(network, passes) if passes else 0.0,
        training=steps * _step(network) if strategy.solver != "none" else 0.0,
    )


def _network(
    config: ComparisonConfig, strategy: Strategy, classes: int, compute: Compute
) -> Network:
    row = catalog.find(config.backbone)
    found = weights.find(config.weights_sha256)
    assert found is not None
    state = backbones.load_weights(found.path) if strategy.pretrained else None
    backbone = backbones.build(row, state)
    backbone = backbone.to(device=compute.device, memory_format=torch.channels_last)
    head = Head(row.feature_size, classes).to(compute.device)
    if strategy.stages:
        apply_stage(backbone, head, strategy.stages[-1])
        set_modes(backbone, head, strategy.stages[-1], strategy.norm_statistics)
    else:
        freeze_all(backbone)
    boundary = frozen_prefix(strategy, len(backbone.blocks)) if strategy.pretrained else 0
    return Network(backbone, head, boundary, compute)


def _decoding(dataset: Dataset, wanted: catalog.Preprocessing) -> float:
    def decode(index: int) -> None:
        image = torch.from_numpy(datasets.pixels(dataset, index))[None].permute(0, 3, 1, 2)
        preprocessing.resize(image, wanted)

    def every() -> None:
        with ThreadPoolExecutor(max_workers=cores()) as pool:
            list(pool.map(decode, range(len(dataset.images))))

    return _seconds(every, "cpu")


def _frozen(network: Network, passes: int) -> float:
    batch, where = network.batch(EVALUATION_BATCH), network.compute.device
    network.frozen(batch)

    def every() -> None:
        for done in range(0, passes, EVALUATION_BATCH):
            network.frozen(batch[: passes - done])

    return _seconds(every, where)


def _step(network: Network) -> float:
    """Return the median seconds of one step, the first few left out."""
    where = network.compute.device
    activations = network.frozen(network.batch(BATCH_SIZE))
    labels = torch.zeros(BATCH_SIZE, dtype=torch.long, device=where)
    times = [
        _seconds(lambda: network.step(activations, labels), where) for _ in range(WARM_UP + TIMED)
    ]
    return statistics.median(times[WARM_UP:])


def _seconds(work: Callable[[], None], where: str) -> float:
    synchronise(where)
    started = time.perf_counter()
    work()
    synchronise(where)
    return time.perf_counter() - started
