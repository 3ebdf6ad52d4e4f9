"""(c) PyTorch Lightning: a module, a Trainer, and its BaseFinetuning callback to freeze.

    python -m benchmarks.peers.lightning_loop --data DIR --weights FILE --strategy NAME

Runs in an environment of its own (`benchmarks.peers.environment`). Batches of 32 from two worker
processes that stay, the tutorial's transforms, float32; logging, checkpoints and progress bar off.
"""

import contextlib
import logging
import sys
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import BaseFinetuning
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from benchmarks.peers import setting
from benchmarks.peers.setting import Clock, Model, Options

BATCH = 32
WORKERS = 2


class Freezing(BaseFinetuning):
    """Freezes what the strategy does not train, before the optimiser sees it, for good."""

    def freeze_before_training(self, pl_module: LightningModule) -> None:
        """Freeze the module's frozen part, norm layers included."""
        self.freeze(pl_module.model.frozen, train_bn=False)

    def finetune_function(self, pl_module: LightningModule, epoch: int, optimizer: Any) -> None:
        """Unfreeze nothing."""


class Classifier(LightningModule):
    """The network with its loss, its optimiser and what the clock needs."""

    def __init__(self, model: Model, options: Options, clock: Clock) -> None:
        """Wrap a model that has been built."""
        super().__init__()
        self.net, self.model, self.options, self.clock = model.net, model, options, clock
        self.right: list[Tensor] = []

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of a batch."""
        images, labels = batch
        return nn.functional.cross_entropy(self.net(images), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """Keep which images of a batch were recognised."""
        images, labels = batch
        self.right.append(self.net(images).argmax(1) == labels)

    def on_validation_epoch_end(self) -> None:
        """Note the epoch."""
        self.clock.epoch(float(torch.cat(self.right).float().mean()))
        self.right.clear()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return SGD over what still trains."""
        return torch.optim.SGD(
            setting.parameter_groups(self.model, self.options), momentum=setting.MOMENTUM
        )


def run(options: Options, workers: int = WORKERS) -> tuple[Clock, Model]:
    """Return the clock of one run and the trained model."""
    clock = Clock()
    seed_everything(options.seed, workers=True, verbose=False)
    shared: dict[str, Any] = {
        "batch_size": BATCH,
        "num_workers": workers,
        "persistent_workers": workers > 0,
    }
    train = ImageFolder(options.data / "train", setting.training_transform())
    val = ImageFolder(options.data / "val", setting.evaluation_transform())
    model = setting.build(options, len(train.classes))
    trainer = Trainer(
        max_epochs=options.epochs,
        callbacks=[Freezing()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(
        Classifier(model, options, clock),
        DataLoader(train, shuffle=True, **shared),
        DataLoader(val, **shared),
    )
    return clock, model


if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(sys.stderr):  # it advertises
        done, _ = run(setting.read_options(__doc__))
    print(done.report())
