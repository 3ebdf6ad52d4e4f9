"""Which runs a comparison consists of, before any of them starts; what trainer and estimate share.

Knows no torch, so that the web process can say what a comparison will take.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from tl_core import cache
from tl_core.config import Augmentation, Budget, ComparisonConfig, RunKind, budget_for
from tl_core.range_test import EVALUATIONS, LEAST_STEPS
from tl_core.regularisation import trials_left
from tl_core.strategies import Strategy

# Trials run at this part of the budget's steps.
TRIAL_SHARE = 3
# Points of a curve: more would cost more in evaluation than they show.
MOST_EVALUATIONS = 20
# Images of the source probe that are looked at after every epoch; all of them at the end.
PER_EPOCH_IMAGES = 100

# Augmented views of each training image behind a frozen prefix, which runs once for each view.
VIEWS = 4


def kept_views(bytes_per_view: int, augmentation: Augmentation = "crops") -> int | None:
    """Return how many augmented views of all images are kept at a boundary, None to keep nothing.

    As many as fit a quarter of the cache beside the evaluation view; a single one would be no
    augmentation. Without augmentation the evaluation view is all there is.
    """
    fitting = cache.CAPACITY_BYTES // 4 // max(bytes_per_view, 1) - 1
    if augmentation == "none":
        return 0 if fitting >= 0 else None
    return min(VIEWS, fitting) if fitting >= 2 else None


@dataclass(frozen=True)
class PlannedRun:
    """One run to come; `steps` is None where nothing is trained step by step."""

    strategy: Strategy
    seed: int
    kind: RunKind
    steps: int | None


def limits(config: ComparisonConfig, input_size: int) -> Budget:
    """Return the budget of a comparison for a model whose own input is `input_size` pixels wide.

    The width that the comparison asks for does not count: comparisons at several sizes take the
    same steps, so that size alone differs. Steps of one's own hold for every trained strategy, from
    scratch too; a rate of one's own leaves nothing to try, regularisation of one kind only rates.
    """
    budget = budget_for(config.budget, input_size)
    if config.steps is not None:
        budget = Budget(steps=config.steps, trials=budget.trials, scratch_extension=1)
    if config.learning_rate is not None:
        budget = msgspec.structs.replace(budget, trials=1)
    left = trials_left(config.regularisation, budget.trials)
    return msgspec.structs.replace(budget, trials=left)


def steps_of(
    strategy: Strategy, budget: Budget, equal_steps: bool = True
) -> Sequence[tuple[RunKind, int]]:
    """Return kind and steps of one seed's runs of a trained strategy, trials apart.

    From scratch is shown at everyone's steps too, if `equal_steps`, where the budget extends them.
    """
    if strategy.pretrained or budget.scratch_extension == 1:
        return [("final", budget.steps)]
    extended: tuple[RunKind, int] = ("final", budget.steps * budget.scratch_extension)
    return [("equal_steps", budget.steps), extended] if equal_steps else [extended]


def trial_steps(budget: Budget) -> int:
    """Return the steps of one trial."""
    return max(1, budget.steps // TRIAL_SHARE)


def range_steps(budget: Budget) -> int:
    """Return the steps of a range test: a trial's, if those are enough to show anything."""
    return max(LEAST_STEPS, trial_steps(budget))


def evaluated_every(kind: RunKind, steps: int, steps_per_epoch: float) -> int:
    """Return the steps between two evaluations: an epoch's, or more in a run of many epochs."""
    if kind == "range_test":
        return max(1, steps // EVALUATIONS)
    return max(1, round(steps_per_epoch), -(-steps // MOST_EVALUATIONS))


def planned_runs(
    strategies: Sequence[Strategy],
    seeds: int,
    budget: Budget,
    zero_shot: bool,
    settled: Container[str] = (),
    range_test: bool = False,
    equal_steps: bool = True,
) -> Iterator[PlannedRun]:
    """Yield the runs of a comparison, seed after seed, trials with the first.

    `zero_shot`: whether any target class is mapped to a source class; without one it cannot run.
    `settled`: names of strategies whose trials are over. `range_test`: instead, one range test of
    each strategy that is trained step by step. `equal_steps` as in `steps_of`.
    """
    if range_test:
        steps = range_steps(budget)
        trained = (strategy for strategy in strategies if strategy.solver == "steps")
        yield from (PlannedRun(strategy, 0, "range_test", steps) for strategy in trained)
        return
    for seed in range(seeds):
        for strategy in strategies:
            if strategy.solver != "steps":
                if strategy.solver == "convex" or zero_shot:
                    yield PlannedRun(strategy, seed, "final", None)
                continue
            if seed == 0 and budget.trials > 1 and strategy.name not in settled:
                trial = PlannedRun(strategy, seed, "trial", trial_steps(budget))
                yield from [trial] * budget.trials
            for kind, steps in steps_of(strategy, budget, equal_steps):
                yield PlannedRun(strategy, seed, kind, steps)
