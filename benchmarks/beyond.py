"""All strategies that reuse a model, on real sets: what they reach, forget and take.

    python -m benchmarks.beyond [hymenoptera] [signs] [threads] [--budget quick] [--rate R]
                                [--write docs/beyond.md]

Three seeds, each strategy at the same learning rate: the one given, or the
set's own in `RATES`, at which plain full fine-tuning forgets. Then, for each set, the models
between the linear probe and LP-FT (first seed). Photographs are those of TL_REFERENCE_DATA, with
SqueezeNet 1.1 and ImageNet images as source; without it only the samples count. Results are kept
in the data directory: what was measured is not measured again. On one thread (`--threads 1`)
seconds are the processor's own: other programs on the machine do not count.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import inserted, markdown
from tl_core import finished_runs, own_job, pairing, questions, worker
from tl_core.answers import Interpolation
from tl_core.config import BUDGETS, BudgetName, ComparisonConfig
from tl_core.device import device_report
from tl_core.events import Answered
from tl_core.interpolated import Path as Way
from tl_core.interpolated import path
from tl_core.record import Record, record
from tl_core.request import Request, resolve
from tl_core.stats import Interval
from tl_core.store import Store
from tl_core.strategies import STRATEGIES
from tl_core.tables import StrategyRow, rows

SEEDS = 3
# At which plain full fine-tuning forgets much; the models' own are 0.0003 and 0.003.
RATES = {"hymenoptera": 0.001, "signs": 0.01, "threads": 0.003}
PLAIN = "full_fine_tuning"
MITIGATES_FROM, HALF, MOST_LOST = 15.0, 0.5, -0.05


def main() -> int:
    """Measure the asked sets and print, or write, their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(RATES), choices=list(RATES))
    parser.add_argument("--budget", choices=tuple(BUDGETS), default="standard")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if options.threads == 1:
        time.perf_counter = time.process_time
    for name in options.sets:
        request = requested(name, options.budget, options.rate or RATES[name], options.threads)
        if request is None:
            print(f"{name}: skipped, TL_REFERENCE_DATA is not set", file=sys.stderr)
            continue
        found, config = compared(request)
        text = "\n\n".join(section(found, between(found, config)))
        print(f"\n## {name}\n\n{text}", flush=True)
        if options.write is not None:
            page = options.write.read_text()
            marked = inserted(page, text, f"<!-- {name} -->", f"<!-- /{name} -->")
            options.write.write_text(marked)
    return 0


def requested(name: str, budget: BudgetName, rate: float, threads: int) -> Request | None:
    """Return the comparison of a set; None where its images are not here."""
    # From scratch there is nothing to forget.
    everything = tuple(name for name, one in STRATEGIES.items() if one.pretrained)
    shared = {"seeds": SEEDS, "budget": budget, "learning_rate": rate, "threads": threads}
    if name != "hymenoptera":
        return Request(
            data=f"sample:{name}", backbone="resnet10_procedural", strategies=everything, **shared
        )
    folder = os.environ.get("TL_REFERENCE_DATA")
    if not folder:
        return None
    # SqueezeNet has no normalisation layers that norm-only tuning could train.
    allowed = tuple(other for other in everything if other != "norm_only")
    return Request(
        data=f"{folder}/data/hymenoptera",
        backbone="squeezenet1_1",
        weights=f"{folder}/weights/squeezenet1_1-imagenet.safetensors",
        source_probe=f"{folder}/data/imagenet_sample",
        strategies=allowed,
        **shared,
    )


def compared(request: Request) -> tuple[Record, ComparisonConfig]:
    """Return a comparison and its resolved configuration; finished runs are taken over."""
    store = Store()
    config, _ = resolve(request, lambda *_: None)
    with own_job.executed(store, config, f"beyond: {config.data.name}") as job:
        for event in worker.compare(config, store.finished_run):
            store.append(job, [event])
    found = record(event for _, event in store.events(job))
    assert found.started is not None
    return found, found.started.config


def between(found: Record, config: ComparisonConfig) -> Way:
    """Return the models between the linear probe and LP-FT of the first seed."""
    request = finished_runs.named([found.final("lp_ft")[0]])
    for event in questions.ask("interpolate", config, request):
        if isinstance(event, Answered) and isinstance(event.answer, Interpolation):
            return path(event.answer)
    raise RuntimeError("The way between the linear probe and LP-FT was not measured.")


def section(found: Record, way: Way) -> Iterator[str]:
    """Yield a set's table, what the mitigations reach, and the way between probe and LP-FT."""
    started = found.started
    assert started is not None
    source = started.source
    measured = f"{source.images} source images" if source else "no source images"
    yield (
        f"{started.backbone_title}, {started.dataset.n_test_all_seeds} test images over {SEEDS} "
        f"seeds, {measured}, {started.steps} steps at {started.config.learning_rate:g}, "
        f"{device_report()['device']}, {started.config.threads} thread(s)."
    )
    measured_rows = rows(found)
    yield markdown(_TITLES, [_line(found, row) for row in measured_rows if row.test_accuracy])
    yield mitigation(found, measured_rows)
    lines = [
        (f"{point.share:.0%}", _points(point.target), _points(point.source), _yes(point.dominates))
        for point in way.points
    ]
    yield (
        "Between the linear probe (0%) and LP-FT (100%), first seed; *ahead*: more source accuracy "
        "than LP-FT, and no measurable loss on the target."
    )
    yield markdown(("Share", "Target accuracy", "Source accuracy", "Ahead of LP-FT"), lines)


_TITLES = (
    "Strategy",
    "Target accuracy",
    "Minus full fine-tuning",
    "Forgetting (points)",
    "Seconds a run",
    "Trainable parameters",
)


def _line(found: Record, row: StrategyRow) -> tuple[str, ...]:
    assert row.test_accuracy is not None and row.ci_low is not None and row.ci_high is not None
    paired = minus_plain(found, row.strategy)
    accuracy = Interval(100 * row.test_accuracy, 100 * row.ci_low, 100 * row.ci_high)
    forgotten = None
    if row.forgetting_points is not None:
        forgotten = Interval(
            row.forgetting_points, row.forgetting_low or 0.0, row.forgetting_high or 0.0
        )
    return (
        STRATEGIES[row.strategy].title,
        _points(accuracy),
        _points(paired) if row.strategy != PLAIN else "–",
        _points(forgotten),
        f"{row.train_seconds:.1f}",
        f"{row.trainable_parameters:,}",
    )


def minus_plain(found: Record, strategy: str) -> Interval | None:
    """Return a strategy's test accuracy minus plain full fine-tuning's, paired, in points."""
    one, plain = pairing.matrix(found, strategy), pairing.matrix(found, PLAIN)
    if one is None or plain is None:
        return None
    difference = pairing.difference(one, plain)
    if difference is None:
        return None
    return Interval(100 * difference.value, 100 * difference.low, 100 * difference.high)


def mitigation(found: Record, measured: list[StrategyRow]) -> str:
    """Return which strategies forget less than half of what full fine-tuning does, at what cost."""
    plain = next(row for row in measured if row.strategy == PLAIN)
    lost = plain.forgetting_points or 0.0
    if lost < MITIGATES_FROM:
        return f"Full fine-tuning forgets {lost:.1f} points here: there is little to mitigate."
    kept = []
    for row in measured:
        paired = minus_plain(found, row.strategy)
        trains = STRATEGIES[row.strategy].pretrained and STRATEGIES[row.strategy].solver == "steps"
        if not trains or row.forgetting_points is None or paired is None:
            continue
        if row.forgetting_points < HALF * lost and paired.low > 100 * MOST_LOST:
            kept.append(STRATEGIES[row.strategy].title)
    return (
        f"Full fine-tuning forgets {lost:.1f} points. Less than half of that, with the lower end "
        f"of the paired difference in target accuracy above {100 * MOST_LOST:g} points: "
        f"{', '.join(kept) or 'none'}."
    )


def _points(of: Interval | None) -> str:
    if of is None:
        return "–"
    return f"{of.value:.1f} ({of.low:.1f} to {of.high:.1f})"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    sys.exit(main())
