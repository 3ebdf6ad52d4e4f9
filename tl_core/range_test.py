"""The learning-rate range test (Smith 2017): a rate that rises, and what its curve shows."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tl_core.config import RunConfig
from tl_core.events import EpochEnded, RunEnded

# Fewer steps would pass the rates too quickly to show anything; points of a curve.
LEAST_STEPS: Final = 60
EVALUATIONS: Final = 30
# A loss so many times its lowest is not coming back.
EXPLODED: Final = 4.0
# Points whose mean is looked at: batches differ more than neighbouring rates do.
_WINDOW: Final = 3
# Of all that the loss fell, the share that it has to rise again to count as rising.
_RISEN: Final = 0.1
# What the trainer writes for a loss that is no number.
_INFINITE: Final = 1e9

Point = tuple[float, float]


@dataclass(frozen=True)
class Found:
    """What one strategy's range test shows; `points` are (learning rate, training loss).

    `steepest`: the rate at which the loss falls fastest, None if it never falls. `unstable_from`:
    the rate from which it no longer falls, None if it still does at the end.
    """

    strategy: str
    title: str
    points: tuple[Point, ...]
    steepest: float | None
    unstable_from: float | None


def rate_at(run: RunConfig, step: float) -> float:
    """Return the learning rate of the backbone at a step: it rises by the same factor each step.

    Raises ValueError for a run that is no range test.
    """
    if run.highest_rate is None:
        raise ValueError(f"A run of kind {run.kind} has no highest rate.")
    share = step / max(run.steps - 1, 1)
    return float(run.learning_rate * (run.highest_rate / run.learning_rate) ** share)


def points(run: RunConfig, curve: Sequence[EpochEnded]) -> tuple[Point, ...]:
    """Return (rate, mean training loss) of every stretch between two evaluations."""
    found, before = [], 0
    for event in curve:
        if event.train_loss is not None:
            middle = (before + event.step - 1) / 2
            loss = event.train_loss if event.train_loss < _INFINITE else math.inf
            found.append((rate_at(run, middle), loss))
        before = event.step
    return tuple(found)


def exploded(losses: Sequence[float]) -> bool:
    """Return whether the latest loss is no number, or over four times the lowest smoothed one."""
    if not losses:
        return False
    # What is to come is not known yet: the mean of what is behind.
    parts = [losses[max(0, end - _WINDOW) : end] for end in range(1, len(losses) + 1)]
    smooth = [sum(part) / len(part) for part in parts]
    return not math.isfinite(smooth[-1]) or smooth[-1] > EXPLODED * min(smooth)


def unstable_from(curve: Sequence[Point]) -> float | None:
    """Return the rate from which the loss no longer falls, None if it does up to the last one.

    The rate of the lowest smoothed loss, if afterwards it rises by a tenth of all that it fell, or
    explodes.
    """
    smooth = _smoothed(curve)
    if not any(math.isfinite(loss) for loss in smooth):
        return curve[0][0] if curve else None
    lowest = min(range(len(smooth)), key=smooth.__getitem__)
    fell, rose = smooth[0] - smooth[lowest], max(smooth[lowest:]) - smooth[lowest]
    # A loss that never fell counts as rising by a tenth of itself.
    return curve[lowest][0] if rose > _RISEN * (fell or smooth[0]) else None


def steepest(curve: Sequence[Point]) -> float | None:
    """Return the rate at which the smoothed loss falls fastest; None if it never falls."""
    smooth = _smoothed(curve)
    falls = {
        place: (smooth[place - 1] - smooth[place + 1])
        / math.log(curve[place + 1][0] / curve[place - 1][0])
        for place in range(1, len(curve) - 1)
        if math.isfinite(smooth[place + 1])
    }
    best = max(falls, key=falls.__getitem__, default=None)
    return curve[best][0] if best is not None and falls[best] > 0 else None


def findings(runs: Iterable[RunEnded]) -> list[Found]:
    """Return what the range tests among these runs show, in their order."""
    made = []
    for ended in runs:
        if ended.run.kind == "range_test":
            curve, strategy = points(ended.run, ended.curve), ended.run.strategy
            rates = steepest(curve), unstable_from(curve)
            made.append(Found(strategy.name, strategy.title, curve, *rates))
    return made


def _smoothed(curve: Sequence[Point]) -> list[float]:
    """Return the mean of each loss and its neighbours."""
    losses, half = [loss for _, loss in curve], _WINDOW // 2
    parts = (losses[max(0, i - half) : i + half + 1] for i in range(len(losses)))
    return [sum(part) / len(part) for part in parts]
