"""Which runs of a comparison are executed, with which rate and memory, and which are taken over."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import torch
from torch import Tensor

from tl_core import catalog, device, fisher, metrics
from tl_core.backbones import build
from tl_core.config import (
    BATCH_SIZE,
    RECIPE_VERSION,
    ComparisonConfig,
    NotPossible,
    RunConfig,
    RunKind,
    Setting,
    content_hash,
)
from tl_core.datasets import Split, split_with
from tl_core.earlier import Elsewhere, Finished
from tl_core.events import Event, MicroBatchHalved, RunEnded, RunFailed, RunStarted
from tl_core.freezing import unfreeze_all
from tl_core.heads import Probe, ProbeTask, convex_probes
from tl_core.materials import Materials, Task
from tl_core.offered import why_not
from tl_core.plans import limits, range_steps, steps_of, trial_steps
from tl_core.regularisation import weight_decay
from tl_core.runs import SaveState, failure_reason, is_out_of_memory, solve, train
from tl_core.stages import frozen_prefix
from tl_core.strategies import NO_TEXTBOOK, STRATEGIES, Strategy, learns_from_source
from tl_core.trial_grid import trial_grid

LoadState = Callable[[str], dict[str, Any] | None]

# Fewer images at a time would mostly wait, and a model that needs it will not fit anyway.
SMALLEST_MICRO_BATCH = 4

# What a run has that takes no steps.
UNTRAINED = Setting(learning_rate=0.0, weight_decay=0.0)


class MemoryShort(Exception):
    """A run did not fit into memory, and a smaller micro-batch is left to try."""


def cheapest_first(strategies: Sequence[Strategy], materials: Materials) -> list[Strategy]:
    """Return strategies in the order in which they cost: something moves within seconds."""
    blocks = len(materials.row.blocks)
    order = ("none", "convex", "steps")
    return sorted(
        strategies,
        key=lambda s: (order.index(s.solver), not s.pretrained, -frozen_prefix(s, blocks)),
    )


def choose_trial(trials: Sequence[RunEnded], validation_images: int) -> Setting:
    """Return the setting to train in full, guarding against optimism on few images.

    The lowest validation log-loss, then the smallest rate (then the strongest penalty and decay)
    whose validation accuracy lies within one standard error of it. Diverged trials are out, unless
    all are.
    """
    sound = [t for t in trials if not t.result.diverged] or list(trials)
    best = min(sound, key=lambda t: t.result.validation_loss or 0.0)
    accuracy = best.result.validation_accuracy or 0.0
    floor = accuracy - metrics.standard_error(accuracy, validation_images)
    close = [t for t in sound if (t.result.validation_accuracy or 0.0) >= floor]
    return min(
        (setting_of(trial.run) for trial in close),
        key=lambda s: (s.learning_rate, -(s.penalty_strength or 0.0), -s.weight_decay),
    )


def setting_of(run: RunConfig) -> Setting:
    """Return what a run was trained with, of what trials choose."""
    return Setting(
        learning_rate=run.learning_rate,
        weight_decay=run.weight_decay,
        penalty_strength=run.penalty_strength,
    )


class Execution:
    """Executes the runs of a comparison one after another over the same materials."""

    def __init__(
        self,
        config: ComparisonConfig,
        materials: Materials,
        finished: Finished,
        load_state: LoadState,
        save_state: SaveState,
        equal_steps: bool = True,
        longest_first: bool = False,
    ) -> None:
        self.equal_steps, self.longest_first = equal_steps, longest_first
        self.config, self.materials = config, materials
        self.finished, self.load_state, self.save_state = finished, load_state, save_state
        self.importance: tuple[Mapping[str, Tensor], float] | None = None
        self.budget = limits(config, catalog.find(config.backbone).preprocessing.crop)
        self.settings = dict(config.settings)
        self.splits: dict[int, Split] = {}
        self.probes: dict[Split, tuple[Probe, float]] = {}
        self.micro_batch = BATCH_SIZE
        self.done: set[str] = set()
        self.elsewhere: dict[str, Elsewhere] = {}

    def all(self) -> Iterator[Event]:
        """Yield the events of all runs, seed after seed or longest first; raises MemoryShort."""
        if self.config.rate_range is not None:
            yield from self._range_tests(*self.config.rate_range)
            return
        ordered = cheapest_first(self.config.strategies, self.materials)
        pairs = [(strategy, seed) for seed in range(self.config.seeds) for strategy in ordered]
        if self.longest_first:
            pairs.sort(key=lambda pair: -ordered.index(pair[0]))
        for strategy, seed in pairs:
            yield from self.strategy_runs(strategy, seed)

    @property
    def may_halve(self) -> bool:
        """Whether a smaller micro-batch is left to try."""
        return self.micro_batch > SMALLEST_MICRO_BATCH

    def halve_micro_batch(self) -> MicroBatchHalved:
        """Begin anew with half as many images in memory at a time."""
        self.micro_batch //= 2
        self.settings = dict(self.config.settings)
        if self.config.device == "cuda":
            torch.cuda.empty_cache()
        return MicroBatchHalved(micro_batch=self.micro_batch)

    def split(self, seed: int) -> Split:
        """Return the split of a seed, made once."""
        if seed not in self.splits:
            labels = self.config.labels_per_class
            self.splits[seed] = split_with(self.materials.dataset, seed, labels)
        return self.splits[seed]

    def strategy_runs(self, strategy: Strategy, seed: int) -> Iterator[Event]:
        """Yield the events of one strategy's runs for one seed, its trials first."""
        reason = why_not(strategy, self.materials.row, self.materials.source_images)
        if reason:
            run = self._run(strategy, seed, "final", 0, UNTRAINED)
            yield RunFailed(run_id=self.identity(run), run=run, reason=reason)
            return
        if strategy.solver != "steps":
            applicable = any(self.config.class_map.get(n) for n in self.materials.dataset.classes)
            if strategy.solver == "convex" or applicable:
                yield from self.execute(self._run(strategy, seed, "final", 0, UNTRAINED))
            return
        if strategy.name not in self.settings:
            yield from self._trials(strategy, seed)
        setting = self.settings[strategy.name]
        for kind, steps in steps_of(strategy, self.budget, self.equal_steps):
            yield from self.execute(self._run(strategy, seed, kind, steps, setting))

    def _range_tests(self, low: float, high: float) -> Iterator[Event]:
        """Yield the events of every strategy's run through a range of rates, on the first seed."""
        steps = range_steps(self.budget)
        for strategy in cheapest_first(self.config.strategies, self.materials):
            if strategy.solver != "steps":
                continue
            run = self._run(strategy, 0, "range_test", steps, trial_grid(strategy, low, 1)[0])
            run = msgspec.structs.replace(run, highest_rate=high)
            reason = why_not(strategy, self.materials.row, self.materials.source_images)
            if reason:
                yield RunFailed(run_id=self.identity(run), run=run, reason=reason)
            else:
                yield from self.execute(run)

    def _trials(self, strategy: Strategy, seed: int) -> Iterator[Event]:
        """Yield the trials' events and remember the chosen setting for all seeds."""
        recipe = self.materials.row.recipe
        rate = recipe.rate if strategy.pretrained else recipe.scratch_rate
        if self.config.learning_rate is not None:
            rate = self.config.learning_rate
        grid = trial_grid(strategy, rate, self.budget.trials)
        self.settings[strategy.name] = grid[0]
        if len(grid) == 1:
            return
        steps = trial_steps(self.budget)
        trials = [self._run(strategy, seed, "trial", steps, setting) for setting in grid]
        found: dict[str, RunEnded | None] = {}
        for run in trials:
            for event in self.execute(run):
                yield event
                if isinstance(event, RunEnded):
                    found[event.run_id] = event
        # Only when none is left to be executed here is it time to wait for those of others.
        found |= {run_id: other.wait() for run_id, other in self.elsewhere.items()}
        # In their own order, whoever ended first: it decides between equals.
        ended = [one for run in trials if (one := found.get(self.identity(run))) is not None]
        if ended:
            self.settings[strategy.name] = choose_trial(ended, len(self.split(seed).validation))

    def _run(
        self, strategy: Strategy, seed: int, kind: RunKind, steps: int, setting: Setting
    ) -> RunConfig:
        trained, config = strategy.solver == "steps", self.config
        kept = config.regularisation if trained else "usual"
        return RunConfig(
            strategy=strategy,
            seed=seed,
            kind=kind,
            steps=steps,
            learning_rate=setting.learning_rate,
            weight_decay=weight_decay(kept, strategy, setting.weight_decay),
            penalty_strength=setting.penalty_strength,
            micro_batch=self.micro_batch if trained else BATCH_SIZE,
            mirror=self.materials.dataset.mirror,
            class_balance="none" if strategy.solver == "none" else config.class_balance,
            augmentation=config.augmentation if trained else "crops",
            regularisation=kept,
        )

    def probe_run(self, seed: int) -> RunConfig:
        """Return the run of a seed's linear probe, whether or not the comparison has it."""
        return self._run(STRATEGIES["feature_extraction"], seed, "final", 0, UNTRAINED)

    def identity(self, run: RunConfig) -> str:
        """Return the hash of everything that decides the run's numbers; wording does not."""
        config, materials, strategy = self.config, self.materials, run.strategy
        part = self.split(run.seed)
        # The name, as everything that is wording, decides no number; strengths are in the setting.
        wording = {"name": "", "title": "", "summary": "", "textbook": NO_TEXTBOOK}
        rules = msgspec.structs.replace(strategy, **wording, strengths=())
        numbers = (run.seed, run.kind, run.steps, msgspec.to_builtins(setting_of(run)))
        class_map = config.class_map if strategy.solver == "none" else None
        return content_hash(
            RECIPE_VERSION,
            (rules, numbers, run.batch_size, run.micro_batch, run.mirror, class_map),
            (run.class_balance, run.augmentation, run.regularisation, run.highest_rate),
            materials.row.preprocessing,
            (materials.pixels.key, materials.labels.tolist(), part.train, part.validation),
            (part.test, materials.probe.inputs.pixels.key if materials.probe else None),
            self._learnt_from(strategy),
            (config.backbone, config.weights_sha256, materials.row.recipe.optimizer),
            (config.device, config.precision, config.threads, device.versions()),
        )

    def _learnt_from(self, strategy: Strategy) -> str | tuple[str, list[int]] | None:
        """Return which source images a strategy learns from, and by which labels if by any."""
        learning = self.materials.learning if learns_from_source(strategy) else None
        if learning is None:
            return None
        key = learning.inputs.pixels.key
        return key if strategy.penalty == "ewc" else (key, learning.labels.tolist())

    def execute(self, run: RunConfig) -> Iterator[Event]:
        """Yield one run's events: taken over from an identical one, or trained; none elsewhere."""
        run_id = self.identity(run)
        if run_id in self.done:
            return
        earlier = self.finished(run_id)
        if isinstance(earlier, Elsewhere):
            self.elsewhere[run_id] = earlier
            return
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
            self.done.add(run_id)
            return
        task = Task(run_id, run, self.split(run.seed), self.materials, self.config.class_map)
        try:
            if run.strategy.solver == "steps":
                yield from train(
                    task, self.load_state(run_id), self.save_state, self._solved, self._importance
                )
            else:
                yield from solve(task, self._solved)
            self.done.add(run_id)
        except (RuntimeError, MemoryError, ValueError) as error:
            if is_out_of_memory(error) and run.steps and self.may_halve:
                raise MemoryShort from None
            yield RunFailed(run_id=run_id, run=run, reason=failure_reason(error))

    def _importance(self) -> tuple[Mapping[str, Tensor], float]:
        """Return how much each parameter matters for the source task; measured once, for EWC.

        With the seconds of measuring, which every run of EWC would take alone.
        """
        if self.importance is None:
            learning = self.materials.learning
            if learning is None:
                raise NotPossible(self.materials.lacks_learning)
            started, original = time.perf_counter(), self.materials.original
            backbone = unfreeze_all(build(self.materials.row, original.net.state_dict()))
            backbone = backbone.to(self.materials.compute.device)
            found = fisher.importance(backbone, learning.inputs, len(learning.labels), seed=0)
            self.importance = found, time.perf_counter() - started
        return self.importance

    def _solved(self, part: Split) -> tuple[Probe, float]:
        """Return a split's linear probe and its seconds; all seeds are solved together."""
        if part not in self.probes:
            parts = list(dict.fromkeys(self.split(seed) for seed in range(self.config.seeds)))
            started, materials = time.perf_counter(), self.materials
            found = convex_probes(
                materials.read_out.features,
                materials.labels,
                [ProbeTask(one.train, one.validation) for one in parts],
                len(materials.dataset.classes),
                balanced=self.config.class_balance != "none",
            )
            share = (time.perf_counter() - started) / len(parts)
            self.probes = {one: (probe, share) for one, probe in zip(parts, found, strict=True)}
        return self.probes[part]
