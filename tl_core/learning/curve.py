"""How training went: a strategy's validation curve, its best epoch, and whether it fell after."""

from dataclasses import dataclass

import numpy as np

from tl_core import metrics
from tl_core.record import Record
from tl_core.strategies import Strategy
from tl_core.wording import percent


@dataclass(frozen=True)
class Curve:
    """Validation accuracies (fractions) after `steps` steps and `epochs` epochs, mean over seeds.

    The first point is before training. `images` validate each seed.
    """

    strategy: str
    title: str
    seeds: int
    images: int
    steps: tuple[int, ...]
    epochs: tuple[float, ...]
    accuracies: tuple[float, ...]

    @property
    def best(self) -> int:
        """The place of the best point, the first of equals; before training is no candidate."""
        return 1 + int(np.argmax(self.accuracies[1:])) if len(self.steps) > 1 else 0

    @property
    def fall(self) -> float:
        """By how much (fraction) the last point lies below the best."""
        return self.accuracies[self.best] - self.accuracies[-1]

    @property
    def error(self) -> float:
        """One standard error of the best point, on the images of one seed."""
        return metrics.standard_error(self.accuracies[self.best], self.images)

    @property
    def fell(self) -> bool:
        """Whether the fall is more than one standard error."""
        return self.fall > self.error


def curve(found: Record, strategy: Strategy) -> Curve | None:
    """Return the mean validation curve of a strategy's final runs, None without a training loop."""
    runs = [run for run in found.final(strategy.name).values() if run.curve]
    if not runs:
        return None
    # Seeds share a plan; one that stopped early ends the mean.
    length = min(len(run.curve) for run in runs)
    accuracies = np.array([[p.validation_accuracy for p in run.curve[:length]] for run in runs])
    points = runs[0].curve[:length]
    return Curve(
        strategy.name,
        strategy.title,
        len(runs),
        runs[0].result.validation_images,
        tuple(point.step for point in points),
        tuple(point.epoch for point in points),
        tuple(accuracies.mean(axis=0).tolist()),
    )


def curves(found: Record) -> list[Curve]:
    """Return the curves of all strategies that have one."""
    known = [curve(found, strategy) for strategy in found.strategies]
    return [one for one in known if one is not None]


def curve_words(curve: Curve) -> str | None:
    """Return what the curve says of training on: None unless it fell by more than its error."""
    if not curve.fell:
        return None
    best, last = curve.accuracies[curve.best], curve.accuracies[-1]
    mean = f", mean over {curve.seeds} seeds" if curve.seeds > 1 else ""
    return (
        f"validation has fallen since epoch {curve.epochs[curve.best]:.0f} "
        f"(from {percent(best)} to {percent(last)}{mean})"
    )
