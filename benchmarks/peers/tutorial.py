"""(a) The loop of PyTorch's transfer-learning tutorial, in our own words.

    python -m benchmarks.peers.tutorial --data DIR --weights FILE --strategy full_fine_tuning

Its recipe: batches of 4 from four worker processes, one SGD rate for all that trains, divided by
ten every seven epochs, training and validation in every epoch, float32, the frozen part run again
at every step. Left out is what only costs: saving the best epoch's weights, and printing.
"""

import torch
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from benchmarks.peers import setting
from benchmarks.peers.setting import Clock, Model, Options

# The tutorial's own; it is unstable where all of SqueezeNet trains.
RATE = 1e-3
BATCH = 4
WORKERS = 4
STEP, FACTOR = 7, 0.1

Loaders = dict[str, DataLoader[tuple[Tensor, Tensor]]]


def open_loaders(options: Options, workers: int = WORKERS) -> Loaders:
    """Return the batches of both phases; raises FileNotFoundError without train/ and val/."""
    made = {"train": setting.training_transform(), "val": setting.evaluation_transform()}
    return {
        phase: DataLoader(
            ImageFolder(options.data / phase, transform),
            batch_size=BATCH,
            shuffle=True,
            num_workers=workers,
        )
        for phase, transform in made.items()
    }


def train(model: Model, loaders: Loaders, options: Options, clock: Clock) -> None:
    """Train the network in place, noting every epoch's validation accuracy."""
    trained = [p for p in model.net.parameters() if p.requires_grad]
    optimizer = optim.SGD(trained, lr=options.learning_rate, momentum=setting.MOMENTUM)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=STEP, gamma=FACTOR)
    for _ in range(options.epochs):
        for phase, loader in loaders.items():
            right = _phase(model.net, loader, optimizer if phase == "train" else None)
        scheduler.step()
        clock.epoch(right)


def _phase(
    net: nn.Module,
    loader: DataLoader[tuple[Tensor, Tensor]],
    optimizer: optim.Optimizer | None,
) -> float:
    """Return the accuracy of one pass over the images, which trains if there is an optimiser."""
    net.train(optimizer is not None)
    losses, right, seen = 0.0, 0, 0
    for images, labels in loader:
        images, labels = images.to(setting.device()), labels.to(setting.device())
        with torch.set_grad_enabled(optimizer is not None):
            logits = net(images)
            loss = nn.functional.cross_entropy(logits, labels)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        losses += loss.item() * len(images)
        right += int((logits.argmax(1) == labels).sum())
        seen += len(images)
    return right / seen


def _classes(loader: DataLoader[tuple[Tensor, Tensor]]) -> list[str]:
    assert isinstance(loader.dataset, ImageFolder)
    return loader.dataset.classes


def zero_shot(loaders: Loaders, options: Options, clock: Clock) -> None:
    """Note the accuracy of the source model, each class scored by its source classes' share.

    Raises KeyError for a class that the class map lacks.
    """
    net = setting.source_model(options.weights).to(setting.device()).eval()
    mapped = [options.class_map[name] for name in _classes(loaders["val"])]

    def scores(images: Tensor) -> Tensor:
        shares = net(images.to(setting.device())).softmax(1)
        return torch.stack([shares[:, indices].sum(1) for indices in mapped], dim=1)

    clock.epoch(setting.accuracy(scores, loaders["val"]))


def run(options: Options, workers: int = WORKERS) -> Clock:
    """Return the clock of one run."""
    clock = Clock()
    loaders = open_loaders(options, workers)
    if options.strategy == setting.ZERO_SHOT:
        zero_shot(loaders, options, clock)
        return clock
    model = setting.build(options, len(_classes(loaders["train"])))
    train(model, loaders, options, clock)
    return clock


if __name__ == "__main__":
    print(run(setting.read_options(__doc__, rate=RATE)).report())
