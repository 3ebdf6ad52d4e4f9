"""A comparison: every strategy, seed and trial in order, as one stream of events.

Alone assembles the rooms. Stores nothing: results of earlier runs and states of interrupted ones
come from, and go to, whoever calls it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from tl_core import device, metrics
from tl_core.command import command
from tl_core.config import (
    RECIPE_VERSION,
    Budget,
    ComparisonConfig,
    RunConfig,
    RunKind,
    budget_for,
    content_hash,
)
from tl_core.datasets import Split, majority_baseline, split
from tl_core.events import (
    ComparisonEnded,
    ComparisonStarted,
    DatasetFacts,
    Event,
    RunEnded,
    RunFailed,
    RunStarted,
)
from tl_core.materials import Materials, open_materials
from tl_core.runs import SaveState, Task, failure_reason, solve, train
from tl_core.strategies import Strategy, frozen_prefix, trial_grid

Finished = Callable[[str], RunEnded | None]
LoadState = Callable[[str], dict[str, Any] | None]

TRIAL_SHARE = 3


def run_comparison(
    config: ComparisonConfig, finished: Finished, load_state: LoadState, save_state: SaveState
) -> Iterator[Event]:
    """Yield the events of a comparison, cheapest strategy first, seed after seed.

    `finished(run_id)` gives an earlier identical run's end, which is then not run again.
    `load_state(run_id)` gives the state of an interrupted run; `save_state(run_id, fit.state)` is
    called after every epoch. Raises NotPossible with a sentence for the user where data, weights or
    device are missing; a failing run yields RunFailed and the comparison goes on.
    """
    started = time.perf_counter()
    materials = yield from open_materials(config)
    config = resolved(config, materials)
    yield _comparison_started(config, materials)
    runner = _Runner(config, materials, finished, load_state, save_state)
    for seed in range(config.seeds):
        for strategy in cheapest_first(config.strategies, materials):
            yield from runner.strategy_runs(strategy, seed)
    yield ComparisonEnded(seconds=time.perf_counter() - started)


def resolved(config: ComparisonConfig, materials: Materials) -> ComparisonConfig:
    """Return the configuration with device, precision and threads as they were resolved."""
    compute = materials.compute
    return msgspec.structs.replace(
        config, device=compute.device, precision=compute.precision, threads=compute.threads
    )


def cheapest_first(strategies: Sequence[Strategy], materials: Materials) -> list[Strategy]:
    """Return strategies in the order in which they cost: something moves within seconds."""
    blocks = len(materials.row.blocks)
    order = ("none", "convex", "steps")
    return sorted(
        strategies,
        key=lambda s: (order.index(s.solver), not s.pretrained, -frozen_prefix(s, blocks)),
    )


def planned_runs(config: ComparisonConfig, budget: Budget, zero_shot: bool) -> int:
    """Return how many runs a comparison has, trials included."""
    runs = 0
    for strategy in config.strategies:
        if strategy.solver == "steps":
            trials = budget.trials if budget.trials > 1 else 0
            runs += trials + config.seeds * (1 if strategy.pretrained else 2)
        elif strategy.solver == "convex" or zero_shot:
            runs += config.seeds
    return runs


def _comparison_started(config: ComparisonConfig, materials: Materials) -> ComparisonStarted:
    dataset, labels = materials.dataset, materials.labels
    parts = [split(dataset, seed) for seed in range(config.seeds)]
    first = parts[0]
    budget = budget_for(config.budget, materials.row.preprocessing.crop)
    applicable = any(config.class_map.get(name) for name in dataset.classes)
    return ComparisonStarted(
        config=config,
        command=command(config),
        dataset=DatasetFacts(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            classes=dataset.classes,
            images=len(dataset.images),
            n_train=len(first.train),
            n_validation=len(first.validation),
            n_test=len(first.test),
            n_test_all_seeds=len({i for part in parts for i in part.test}),
            given_split=any(image.part for image in dataset.images),
            class_counts=tuple(np.bincount(labels, minlength=len(dataset.classes)).tolist()),
            refused=len(dataset.refused),
            left_out=len(first.left_out),
        ),
        source=materials.source_facts(),
        backbone_title=materials.row.title,
        input_size=materials.row.preprocessing.crop,
        device_name=device.device_name(config.device),
        versions=device.versions(),
        majority_accuracy=majority_baseline(dataset, config.seeds),
        steps=budget.steps,
        planned_runs=planned_runs(config, budget, applicable),
        zero_shot_applicable=applicable,
        unmapped_classes=tuple(n for n in dataset.classes if not config.class_map.get(n)),
    )


def choose_trial(trials: Sequence[RunEnded], validation_images: int) -> RunConfig:
    """Return the trial to repeat in full, guarding against optimism on few images.

    The lowest validation log-loss, then the smallest rate (then the strongest decay) whose
    validation accuracy lies within one standard error of it. Diverged trials are out, unless all
    are.
    """
    sound = [t for t in trials if not t.result.diverged] or list(trials)
    best = min(sound, key=lambda t: t.result.validation_loss or 0.0)
    accuracy = best.result.validation_accuracy or 0.0
    floor = accuracy - metrics.standard_error(accuracy, validation_images)
    close = [t for t in sound if (t.result.validation_accuracy or 0.0) >= floor]
    return min(close, key=lambda t: (t.run.learning_rate, -t.run.weight_decay)).run


class _Runner:
    """Executes runs one after another over the same materials."""

    def __init__(
        self,
        config: ComparisonConfig,
        materials: Materials,
        finished: Finished,
        load_state: LoadState,
        save_state: SaveState,
    ) -> None:
        self.config, self.materials = config, materials
        self.finished, self.load_state, self.save_state = finished, load_state, save_state
        self.budget = budget_for(config.budget, materials.row.preprocessing.crop)
        self.rates: dict[str, tuple[float, float]] = {}
        self.splits: dict[int, Split] = {}

    def split(self, seed: int) -> Split:
        """Return the split of a seed, made once."""
        if seed not in self.splits:
            self.splits[seed] = split(self.materials.dataset, seed)
        return self.splits[seed]

    def strategy_runs(self, strategy: Strategy, seed: int) -> Iterator[Event]:
        """Yield the events of one strategy's runs for one seed, its trials first."""
        if strategy.solver != "steps":
            applicable = any(self.config.class_map.get(n) for n in self.materials.dataset.classes)
            if strategy.solver == "convex" or applicable:
                yield from self._execute(self._run(strategy, seed, "final", 0, 0.0, 0.0))
            return
        if strategy.name not in self.rates:
            yield from self._trials(strategy, seed)
        rate, decay = self.rates[strategy.name]
        steps = self.budget.steps
        if not strategy.pretrained:
            yield from self._execute(self._run(strategy, seed, "equal_steps", steps, rate, decay))
            steps *= self.budget.scratch_extension
        yield from self._execute(self._run(strategy, seed, "final", steps, rate, decay))

    def _trials(self, strategy: Strategy, seed: int) -> Iterator[Event]:
        """Yield the trials' events and remember the chosen rate and decay for all seeds."""
        recipe = self.materials.row.recipe
        rate = recipe.rate if strategy.pretrained else recipe.scratch_rate
        grid = trial_grid(strategy.pretrained, rate, self.budget.trials)
        self.rates[strategy.name] = grid[0]
        if len(grid) == 1:
            return
        ended = []
        for rate, decay in grid:
            steps = max(1, self.budget.steps // TRIAL_SHARE)
            for event in self._execute(self._run(strategy, seed, "trial", steps, rate, decay)):
                yield event
                if isinstance(event, RunEnded):
                    ended.append(event)
        if ended:
            chosen = choose_trial(ended, len(self.split(seed).validation))
            self.rates[strategy.name] = (chosen.learning_rate, chosen.weight_decay)

    def _run(
        self, strategy: Strategy, seed: int, kind: RunKind, steps: int, rate: float, decay: float
    ) -> RunConfig:
        return RunConfig(
            strategy=strategy,
            seed=seed,
            kind=kind,
            steps=steps,
            learning_rate=rate,
            weight_decay=decay,
            mirror=self.materials.dataset.mirror,
        )

    def identity(self, run: RunConfig) -> str:
        """Return the hash of everything that decides the run's numbers; wording does not."""
        config, materials, strategy = self.config, self.materials, run.strategy
        part = self.split(run.seed)
        rules = (strategy.pretrained, strategy.solver, strategy.stages, strategy.norm_statistics)
        numbers = (run.seed, run.kind, run.steps, run.learning_rate, run.weight_decay)
        class_map = config.class_map if strategy.solver == "none" else None
        return content_hash(
            RECIPE_VERSION,
            (rules, numbers, run.batch_size, run.mirror, class_map),
            (materials.pixels.key, materials.labels.tolist(), part.train, part.validation),
            (part.test, materials.probe.inputs.pixels.key if materials.probe else None),
            (config.backbone, config.weights_sha256, materials.row.recipe.optimizer),
            (config.device, config.precision, config.threads, device.versions()),
        )

    def _execute(self, run: RunConfig) -> Iterator[Event]:
        """Yield one run's events: taken over from an identical one, or trained."""
        run_id = self.identity(run)
        earlier = self.finished(run_id)
        if earlier is not None:
            ended = msgspec.structs.replace(earlier, run_id=run_id, run=run)
            yield RunStarted(
                run_id=run_id,
                run=run,
                trainable_parameters=ended.trainable_parameters,
                total_parameters=ended.total_parameters,
                reused=True,
            )
            yield from ended.curve
            yield ended
            return
        task = Task(run_id, run, self.split(run.seed), self.materials, self.config.class_map)
        try:
            if run.strategy.solver == "steps":
                yield from train(task, self.load_state(run_id), self.save_state)
            else:
                yield from solve(task)
        except (RuntimeError, MemoryError, ValueError) as error:
            yield RunFailed(run_id=run_id, run=run, reason=failure_reason(error))
