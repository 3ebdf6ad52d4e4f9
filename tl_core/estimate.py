"""How long a comparison will take, before it runs, and what its test part can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tl_core import stats
from tl_core.catalog import Model
from tl_core.config import BATCH_SIZE, Budget, RunKind, budget_for
from tl_core.plans import MOST_EVALUATIONS, PER_EPOCH_IMAGES, VIEWS, planned_runs
from tl_core.record import Record
from tl_core.strategies import Strategy, block_factors, frozen_prefix
from tl_core.wording import number_of, points

# Floating-point operations a second before anything was measured on this machine: a CPU core
# (SqueezeNet forward and backward at 224 px: 10 ms an image on two), a graphics card, an Apple GPU.
CORE_SPEED, CUDA_SPEED, MPS_SPEED = 1.0e11, 5.0e12, 1.0e12
# Depthwise convolutions move more memory per operation: a fraction of that speed.
_SLOW_FAMILIES = {"mobilenet": 0.25, "efficientnet": 0.25, "regnet": 0.5, "densenet": 0.5}

OPEN_SECONDS, DECODE_SECONDS, RUN_SECONDS, SOLVE_SECONDS = 1.5, 0.003, 0.3, 0.8


@dataclass(frozen=True)
class Counts:
    """Images of one seed's split, and of the source probe."""

    n_train: int
    n_validation: int
    n_test: int
    n_probe: int = 0

    @property
    def target(self) -> int:
        """All images of the target data."""
        return self.n_train + self.n_validation + self.n_test


@dataclass(frozen=True)
class PlannedRun:
    """One run to come and what it is expected to take."""

    strategy: str
    seed: int
    kind: RunKind
    seconds: float


@dataclass(frozen=True)
class Plan:
    """`preparation`: seconds of decoding and the one pass of the original model."""

    preparation: float
    runs: tuple[PlannedRun, ...]

    @property
    def seconds(self) -> float:
        """The whole comparison."""
        return self.preparation + sum(run.seconds for run in self.runs)


def speed_key(model: str, device: str) -> str:
    """Return the name under which the store remembers a model's measured speed on a device."""
    return f"flops_per_second/{model}/{device}"


def speed(
    row: Model, device: Mapping[str, object] | None, measured: Mapping[str, float]
) -> tuple[float, bool]:
    """Return floating-point operations a second, and whether they were measured here.

    `device` is what a worker reported; None means a CPU with two cores.
    """
    report = device or {"device": "cpu", "threads": 2}
    kind = str(report.get("device", "cpu"))
    known = measured.get(speed_key(row.name, kind))
    if known:
        return known, True
    threads = report.get("threads")
    cores = threads if isinstance(threads, int) and threads > 0 else 2
    prior = {"cuda": CUDA_SPEED, "mps": MPS_SPEED}.get(kind, CORE_SPEED * cores)
    return prior * _SLOW_FAMILIES.get(row.family, 1.0), False


def measured_speeds(found: Record) -> dict[str, float]:
    """Return what a comparison's trained runs say of the machine's speed, for the store."""
    if found.started is None:
        return {}
    fresh = [
        ended.result
        for run_id, ended in found.ended.items()
        if ended.run.steps and run_id in found.runs and not found.runs[run_id].reused
    ]
    seconds = sum(result.train_seconds for result in fresh)
    config = found.started.config
    if seconds <= 0:
        return {}
    flops = sum(result.flops for result in fresh)
    return {speed_key(config.backbone, config.device): flops / seconds}


def plan(
    row: Model,
    counts: Counts,
    strategies: Sequence[Strategy],
    *,
    seeds: int = 1,
    budget: Budget | None = None,
    zero_shot: bool = True,
    flops_per_second: float = 2 * CORE_SPEED,
) -> Plan:
    """Return every run of a comparison with its expected seconds; default: the quick budget.

    `zero_shot`: whether any target class is mapped to a source class; without one it cannot run.
    """
    cost = _Cost(row, counts, flops_per_second)
    limits = budget or budget_for("quick", row.preprocessing.crop)
    runs = []
    for run in planned_runs(strategies, seeds, limits, zero_shot):
        if run.steps is not None:
            expected = cost.of_run(run.strategy, run.steps)
        else:
            expected = RUN_SECONDS + (SOLVE_SECONDS if run.strategy.solver == "convex" else 0.0)
        runs.append(PlannedRun(run.strategy.name, run.seed, run.kind, expected))
    looked = counts.target + counts.n_probe
    preparation = OPEN_SECONDS + looked * DECODE_SECONDS + cost.seconds(looked * row.flops)
    return Plan(preparation, tuple(runs))


@dataclass(frozen=True)
class _Cost:
    row: Model
    counts: Counts
    flops_per_second: float

    def seconds(self, flops: float) -> float:
        return flops / self.flops_per_second

    def of_run(self, strategy: Strategy, steps: int) -> float:
        """Return the seconds of one run of the training loop, its evaluations included.

        A trainable block costs three forward passes, a frozen one behind it two; what lies before
        the first trainable block is computed once for each view and shared.
        """
        row, counts = self.row, self.counts
        blocks = [block.flops for block in row.blocks]
        boundary = frozen_prefix(strategy, len(blocks)) if strategy.pretrained else 0
        factors = block_factors(strategy.stages[-1], len(blocks))
        step = sum(
            flops * (2 if factors[place] is None else 3)
            for place, flops in enumerate(blocks)
            if place >= boundary
        )
        behind, prefix = sum(blocks[boundary:]), sum(blocks[:boundary])
        epochs = min(MOST_EVALUATIONS, max(1, steps * BATCH_SIZE // max(counts.n_train, 1)))
        watched = min(counts.n_probe or counts.n_validation, PER_EPOCH_IMAGES)
        evaluations = (epochs + 1) * (counts.n_validation + watched) * behind
        final = counts.target * behind + (counts.n_test + counts.n_probe) * sum(blocks)
        cached = VIEWS * (counts.n_train + counts.n_validation) * prefix
        training = steps * BATCH_SIZE * step
        return RUN_SECONDS + self.seconds(training + evaluations + final + cached)


def power_sentence(n_test: int, seeds: int, given_split: bool) -> str:
    """Return what gaps the test part can show, and what more seeds would change.

    Without a given split each of up to five seeds tests another fold; with one, all test the same.
    """
    if n_test < 1:
        return "No test images: nothing can be compared."
    pooled = n_test if given_split else n_test * min(seeds, 5)
    over = f" over {seeds} seeds" if seeds > 1 and not given_split else ""
    said = (
        f"{number_of(pooled, 'test image')}{over}: gaps under about {_gap(pooled)} points will "
        "look like ties"
    )
    if given_split:
        return f"{said}; more seeds test the same images"
    more = 3 if seeds < 3 else 5
    return said if seeds >= more else f"{said}; {more} seeds: about {_gap(n_test * more)}"


def _gap(images: int) -> str:
    gap = 100 * stats.smallest_visible_gap(images)
    return f"{gap:.0f}" if gap >= 3 else points(gap)
