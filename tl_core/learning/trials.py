"""What the trials of a budget say: how far the result hangs on the learning rate."""

from dataclasses import dataclass

import numpy as np

from tl_core import predictions, stats
from tl_core.events import RunEnded
from tl_core.learning.starts import stayed_at_guessing
from tl_core.record import Record
from tl_core.stats import Interval


@dataclass(frozen=True)
class Trials:
    """One strategy's trials on the same validation images; two at least.

    `spread`: accuracy (fraction) of the best minus the worst, paired, Holm over all against the
    best; None where the trials' predictions were not kept. `unstable`: how many diverged or stayed
    at guessing.
    """

    strategy: str
    title: str
    runs: tuple[RunEnded, ...]
    spread: Interval | None
    unstable: int

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Validation accuracies in the order of the runs."""
        return tuple(run.result.validation_accuracy or 0.0 for run in self.runs)


def trials(found: Record) -> list[Trials]:
    """Return the trials of each strategy for which more than one setting was tried."""
    made = []
    for strategy in found.strategies:
        runs = tuple(
            run
            for run in found.ended.values()
            if run.run.kind == "trial" and run.run.strategy.name == strategy.name
        )
        if len(runs) > 1:
            unstable = sum(r.result.diverged or stayed_at_guessing(found, r) for r in runs)
            made.append(Trials(strategy.name, strategy.title, runs, _spread(runs), unstable))
    return made


def _spread(runs: tuple[RunEnded, ...]) -> Interval | None:
    known = [predictions.validated(run) for run in runs]
    hits = [one.correct.astype(np.float64)[None] for one in known if one is not None]
    if len(hits) < len(runs):
        return None
    best = max(range(len(hits)), key=lambda place: hits[place].mean())
    others = {str(place): hits[place] for place in range(len(hits)) if place != best}
    worst = min(stats.holm_intervals(hits[best], others).values(), key=lambda one: one.value)
    return Interval(-worst.value, -worst.high, -worst.low)
