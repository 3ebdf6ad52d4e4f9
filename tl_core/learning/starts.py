"""How trainings started: which failed, diverged, or never became better than guessing."""

from dataclasses import dataclass

import numpy as np

from tl_core import metrics
from tl_core.events import RunEnded
from tl_core.record import Record


@dataclass(frozen=True)
class Starts:
    """How the trainings of one strategy went, trials apart; `bad` of `runs` came to nothing."""

    strategy: str
    title: str
    runs: int
    failed: int
    diverged: int
    stuck: int

    @property
    def bad(self) -> int:
        """How many came to nothing, for whatever reason."""
        return self.failed + self.diverged + self.stuck


def starts(found: Record) -> list[Starts]:
    """Return how the trainings of each strategy with a training loop went."""
    made = []
    for strategy in found.strategies:
        if strategy.solver != "steps":
            continue
        runs = [
            run
            for run in found.ended.values()
            if run.run.strategy.name == strategy.name and run.run.kind in ("final", "equal_steps")
        ]
        failed = sum(
            run.run.strategy.name == strategy.name
            for key, run in found.failed.items()
            if key not in found.ended
        )
        diverged = sum(run.result.diverged for run in runs)
        stuck = sum(not r.result.diverged and stayed_at_guessing(found, r) for r in runs)
        if runs or failed:
            total = len(runs) + failed
            made.append(Starts(strategy.name, strategy.title, total, failed, diverged, stuck))
    return made


def stayed_at_guessing(found: Record, run: RunEnded) -> bool:
    """Return whether validation accuracy never rose clearly above always guessing one class.

    Clearly is one standard error. Guessed is the most frequent class of the validation images
    themselves, which flatters guessing; in older comparisons training's, on the test images.
    """
    labels, images = run.result.validation_labels, run.result.validation_images
    floor = found.started.majority_accuracy if found.started else 0.0
    if labels:
        floor = float(np.bincount(labels).max() / len(labels))
    reached = [p.validation_accuracy for p in run.curve if p.step > 0]
    best = max(reached, default=run.result.validation_accuracy or 0.0)
    return best <= floor + metrics.standard_error(floor, images)
