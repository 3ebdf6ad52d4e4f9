"""(d) fastai: its data block, its learner, `fine_tune`.

    python -m benchmarks.peers.fastai_loop --data DIR --weights FILE --strategy NAME

Runs in an environment of its own (`benchmarks.peers.environment`). `fine_tune` trains the head
alone for one epoch and everything for the rest; feature extraction and partial fine-tuning are its
first half, `freeze_to` and `fit_one_cycle`, since its second would unfreeze all. Batches of 32 from
two worker processes, float32.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from fastai.callback.core import Callback
from fastai.callback.schedule import Learner
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import GrandparentSplitter, Normalize, parent_label
from fastai.metrics import accuracy
from fastai.optimizer import SGD
from fastai.vision.augment import FlipItem, RandomResizedCrop
from fastai.vision.data import ImageBlock
from torch import nn
from torchvision.datasets import ImageFolder

from benchmarks.peers import setting
from benchmarks.peers.setting import Clock, Model, Options

BATCH = 32
WORKERS = 2
SMALLEST_CROP = 0.08  # torchvision's


class Noting(Callback):
    """Tells the clock of every epoch, after the recorder has its metrics."""

    order = 90

    def __init__(self, clock: Clock) -> None:
        """Keep the clock."""
        self.clock = clock

    def after_epoch(self) -> None:
        """Note the accuracy, the last of the epoch's values but the time."""
        self.clock.epoch(float(self.learn.recorder.values[-1][-1]))


def open_data(options: Options, workers: int = WORKERS) -> DataLoaders:
    """Return fastai's loaders over the images that the other peers see."""

    def images(folder: Path) -> list[Path]:
        parts = (ImageFolder(folder / part) for part in ("train", "val"))
        return [Path(path) for part in parts for path, _ in part.samples]

    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=images,
        splitter=GrandparentSplitter("train", "val"),
        get_y=parent_label,
        item_tfms=[RandomResizedCrop(setting.SIZE, min_scale=SMALLEST_CROP), FlipItem(0.5)],
        batch_tfms=Normalize.from_stats(setting.MEAN, setting.STD),
    )
    return block.dataloaders(
        options.data,
        bs=BATCH,
        num_workers=workers,
        device=setting.device(),
        drop_last=False,  # else it would train on fewer images than the others
    )


def _groups(model: Model) -> Callable[[nn.Module], list[list[nn.Parameter]]]:
    """Return a splitter: what the strategy freezes, what it trains of the backbone, the head."""
    backbone = model.trained[0]
    parts = [part for part in (model.frozen, backbone, model.net.classifier) if len(part)]
    return lambda _: [list(part.parameters()) for part in parts]


def train(learner: Learner, options: Options) -> None:
    """Train the learner's model in place by the strategy's part of `fine_tune`."""
    head = setting.HEAD * options.learning_rate
    if options.strategy == "full_fine_tuning" and options.epochs > 1:
        # Halves the rate itself, and gives the first layers a hundredth of the head's.
        learner.fine_tune(options.epochs - 1, head, freeze_epochs=1)
        return
    if options.strategy == setting.SCRATCH:
        learner.fit_one_cycle(options.epochs, options.learning_rate)
        return
    learner.freeze_to(
        {"feature_extraction": -1, "partial_fine_tuning": -2}.get(options.strategy, 0)
    )
    learner.fit_one_cycle(options.epochs, slice(options.learning_rate, head))


def run(options: Options, workers: int = WORKERS) -> tuple[Clock, Model]:
    """Return the clock of one run and the trained model."""
    clock = Clock()
    torch.manual_seed(options.seed)
    data = open_data(options, workers)
    model = setting.build(options, len(data.vocab))
    model.net.requires_grad_(True)  # freezing is the learner's
    learner = Learner(
        data,
        model.net,
        loss_func=nn.CrossEntropyLoss(),
        opt_func=SGD,
        metrics=accuracy,
        splitter=_groups(model),
        cbs=Noting(clock),
    )
    with learner.no_bar(), learner.no_logging():
        train(learner, options)
    return clock, model


if __name__ == "__main__":
    done, _ = run(setting.read_options(__doc__))
    print(done.report())
