"""How long a comparison will take, before it runs, and what its test part can tell."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from tl_core import stats
from tl_core.catalog import Model, at_size, catalog
from tl_core.config import (
    BATCH_SIZE,
    Augmentation,
    Budget,
    ComparisonConfig,
    NotPossible,
    RunKind,
    budget_for,
)
from tl_core.datasets import Dataset
from tl_core.datasets.decoding import STORED_SHORT_SIDE
from tl_core.events import ComparisonStarted
from tl_core.plans import (
    PER_EPOCH_IMAGES,
    VIEWS,
    PlannedRun,
    evaluated_every,
    kept_views,
    limits,
    planned_runs,
)
from tl_core.speeds import CORE_SPEED, Machine, machine, step_seconds
from tl_core.stages import frozen_prefix, passes
from tl_core.strategies import Strategy
from tl_core.wording import number_of, points

# Seconds: opening the model, and around each run; stored pixels a core decodes in one.
OPEN_SECONDS, RUN_SECONDS, DECODED_PIXELS = 1.0, 0.15, 3.0e7
# The probe's path: evaluations of its objective, seconds around each, operations a second in each.
SOLVE_EVALUATIONS, SOLVE_OVERHEAD, SOLVE_SPEED = 250, 3e-4, 4e9


@dataclass(frozen=True)
class Counts:
    """Images of one seed's split, and of the source probe; pixels to decode, none if unknown."""

    n_train: int
    n_validation: int
    n_test: int
    n_probe: int = 0
    classes: int = 2
    pixels: float = 0.0

    @property
    def target(self) -> int:
        """All images of the target data."""
        return self.n_train + self.n_validation + self.n_test


@dataclass(frozen=True)
class ExpectedRun:
    """One run to come, its strategy by name, and the seconds it is expected to take."""

    strategy: str
    seed: int
    kind: RunKind
    seconds: float


@dataclass(frozen=True)
class Plan:
    """`preparation`: seconds of decoding and the one pass of the original model.

    `notes`: sentences on what cannot be kept and is computed at every step instead.
    """

    preparation: float
    runs: tuple[ExpectedRun, ...]
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """The whole comparison."""
        return self.preparation + sum(run.seconds for run in self.runs)


def stored_pixels(dataset: Dataset) -> float:
    """Return how many pixels a data set's stored images have together."""
    return sum(
        image.width * image.height * min(1, STORED_SHORT_SIDE / min(image.width, image.height)) ** 2
        for image in dataset.images
    )


def plan(
    row: Model,
    counts: Counts,
    strategies: Sequence[Strategy],
    *,
    seeds: int = 1,
    budget: Budget | None = None,
    zero_shot: bool = True,
    settled: Container[str] = (),
    on: Machine | None = None,
    augmentation: Augmentation = "crops",
    range_test: bool = False,
) -> Plan:
    """Return every run of a comparison with its expected seconds; default: the quick budget.

    `row`: the model at the size at which it sees images. `zero_shot`: whether any target class is
    mapped to a source class; without one it cannot run. `settled`: names of strategies whose trials
    are over. `range_test`: nothing else runs.
    """
    there = on or Machine(2 * CORE_SPEED)
    cost = _Cost(row, counts, there, augmentation)
    chosen = budget or budget_for("quick", row.preprocessing.crop)
    planned = list(planned_runs(strategies, seeds, chosen, zero_shot, settled, range_test))
    # What trains nothing shares one fresh look of the original at each seed's test images.
    looks = next((run.strategy for run in planned if run.steps is None), None)
    runs = [
        ExpectedRun(
            run.strategy.name,
            run.seed,
            run.kind,
            cost.of(run) + (cost.fresh_pass if run.strategy is looks else 0.0),
        )
        for run in planned
    ]
    looked = cost.seconds((counts.target + counts.n_probe) * row.flops)
    decoded = counts.pixels / (DECODED_PIXELS * there.threads)
    return Plan(OPEN_SECONDS + decoded + looked, tuple(runs), cost.notes(strategies))


def plan_of(
    config: ComparisonConfig,
    counts: Counts,
    device: Mapping[str, object] | None,
    measured: Mapping[str, float],
) -> Plan | None:
    """Return the plan of a configured comparison.

    None for a model that is not in the catalog, or not possible at the size that is asked for.
    """
    row = catalog().get(config.backbone)
    if row is None:
        return None
    try:
        sized = at_size(row, config.input_size)
    except NotPossible:
        return None
    return plan(
        sized,
        counts,
        config.strategies,
        seeds=config.seeds,
        budget=limits(config, row.preprocessing.crop),
        zero_shot=bool(config.class_map),
        settled=config.settings,
        on=machine(row, device, measured),
        augmentation=config.augmentation,
        range_test=config.rate_range is not None,
    )


def counts_of(started: ComparisonStarted) -> Counts:
    """Return the counts of a comparison that has started: nothing is left to decode."""
    facts, source = started.dataset, started.source
    probe = source.images if source else 0
    return Counts(
        facts.n_train, facts.n_validation, facts.n_test, probe, classes=len(facts.classes)
    )


@dataclass(frozen=True)
class _Cost:
    row: Model
    counts: Counts
    there: Machine
    augmentation: Augmentation

    def seconds(self, flops: float) -> float:
        return flops / self.there.flops_per_second

    @property
    def fresh_pass(self) -> float:
        """Seconds of looking at test images and probe once more, as forgetting needs."""
        return self.seconds((self.counts.n_test + self.counts.n_probe) * self.row.flops)

    def of(self, run: PlannedRun) -> float:
        """Return the seconds of one run, the shared look of what trains nothing apart."""
        if run.steps is not None:
            measured = run.strategy.pretrained and run.kind == "final"
            looked = self.fresh_pass if measured else 0.0
            return RUN_SECONDS + self._trained(run.strategy, run.kind, run.steps) + looked
        if run.strategy.solver == "none":
            return 0.0
        rank = min(self.counts.n_train, self.row.feature_size)
        operations = 4 * self.counts.n_train * rank * self.counts.classes
        return SOLVE_EVALUATIONS * (SOLVE_OVERHEAD + operations / SOLVE_SPEED)

    def kept(self, boundary: int) -> int | None:
        """Return the augmented views that are kept at a boundary, None where nothing is."""
        if not boundary:
            return None
        images = self.counts.target * max(self.there.value_bytes, 2)
        return kept_views(images * self.row.blocks[boundary - 1].values, self.augmentation)

    def _trained(self, strategy: Strategy, kind: RunKind, steps: int) -> float:
        """Return the seconds of one run of the training loop, its evaluations included.

        A trainable block costs three forward passes, a frozen one behind it two; what lies before
        the first trainable block is computed once for each view and shared.
        """
        row, counts = self.row, self.counts
        blocks = [block.flops for block in row.blocks]
        boundary = frozen_prefix(strategy, len(blocks)) if strategy.pretrained else 0
        kept = self.kept(boundary)
        start = 0 if kept is None else boundary
        costs = list(zip(blocks, passes(strategy, len(blocks)), strict=True))
        step = sum(flops * cost for flops, cost in costs[start:])
        behind, prefix = sum(blocks[start:]), sum(blocks[:start])
        evaluations = 1 + -(-steps // evaluated_every(kind, steps, counts.n_train / BATCH_SIZE))
        looks_back = strategy.pretrained and kind != "range_test"
        watched = min(counts.n_probe, PER_EPOCH_IMAGES) if looks_back else 0
        looks = evaluations * (counts.n_validation + watched) * behind
        final = (counts.n_train + counts.n_validation) * behind
        views = (counts.target + (kept or 0) * counts.n_train + watched) * prefix
        network = steps * BATCH_SIZE * step + looks + final + views
        return self.seconds(network) + steps * step_seconds(row, strategy, self.augmentation)

    def notes(self, strategies: Sequence[Strategy]) -> tuple[str, ...]:
        """Return what the estimate has to say of frozen parts that are too large to keep."""
        said = []
        for strategy in strategies:
            if strategy.solver != "steps" or not strategy.pretrained:
                continue
            boundary = frozen_prefix(strategy, len(self.row.blocks))
            kept, wanted = self.kept(boundary), 0 if self.augmentation == "none" else VIEWS
            if boundary and (kept is None or kept < wanted):
                values = self.row.blocks[boundary - 1].values * max(self.there.value_bytes, 2)
                size = (wanted + 1) * self.counts.target * values / 1e9
                instead = f"{kept} views are kept" if kept else "it runs at every step"
                said.append(
                    f"{strategy.title}: what the frozen blocks make of {wanted or 1} "
                    f"{'views' if wanted else 'view'} of each image would be {size:.1f} GB, too "
                    f"much to keep, so {instead}."
                )
        return tuple(said)


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
