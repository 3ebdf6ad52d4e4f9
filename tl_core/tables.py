"""Events to tables: one row per strategy, and the curves as data frames."""

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from tl_core import metrics, stats
from tl_core.catalog import catalog
from tl_core.config import BATCH_SIZE
from tl_core.events import ComparisonStarted, RunEnded
from tl_core.pairing import correctness
from tl_core.record import Record
from tl_core.strategies import Strategy


class StrategyRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one strategy measured. Accuracies are fractions, forgetting percentage points.

    None where it does not apply. Averages are over seeds; `difference_*` is the paired difference
    to the best strategy with Holm's simultaneous 95% interval, in fractions.
    """

    strategy: str
    applicable: bool
    seeds: int
    test_accuracy: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    difference_to_best: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    tied_with_best: bool | None = None
    balanced_accuracy: float | None = None
    validation_accuracy: float | None = None
    train_accuracy: float | None = None
    generalisation_gap: float | None = None
    test_accuracy_equal_steps: float | None = None
    forgetting_points: float | None = None
    forgetting_low: float | None = None
    forgetting_high: float | None = None
    agreement: float | None = None
    cka_drift: float | None = None
    trainable_parameters: int | None = None
    total_parameters: int | None = None
    steps: int | None = None
    steps_to_95: float | None = None
    train_seconds: float | None = None
    peak_memory_mb: float | None = None
    flops: float | None = None
    learning_rate: float | None = None
    failed: int = 0
    failure: str | None = None


def rows(found: Record) -> list[StrategyRow]:
    """Return one row per strategy; a strategy without a finished run has an empty one."""
    if found.started is None:
        return []
    matrices = correctness(found)
    differences: dict[str, stats.Interval] = {}
    best = max(matrices, key=lambda name: stats.mean(matrices[name]), default=None)
    if best is not None:
        others = {name: values for name, values in matrices.items() if name != best}
        differences = stats.holm_intervals(matrices[best], others)
        differences[best] = stats.Interval(0.0, 0.0, 0.0)
    return [
        _row(found, strategy, matrices.get(strategy.name), differences.get(strategy.name))
        for strategy in found.strategies
    ]


def _row(
    found: Record,
    strategy: Strategy,
    correct: stats.Matrix | None,
    difference: stats.Interval | None,
) -> StrategyRow:
    assert found.started is not None
    applicable = strategy.solver != "none" or found.started.zero_shot_applicable
    failures = [f for f in found.failed.values() if f.run.strategy.name == strategy.name]
    trouble: dict[str, Any] = {
        "failed": len(failures),
        "failure": failures[-1].reason if failures else None,
    }
    runs = list(found.final(strategy.name).values())
    if correct is None or not runs:
        return StrategyRow(strategy=strategy.name, applicable=applicable, seeds=0, **trouble)
    accuracy = stats.accuracy_interval(correct)
    measured: dict[str, Any] = {
        name: _mean([getattr(run.result, name) for run in runs]) for name in _AVERAGED
    }
    equal = found.final(strategy.name, "equal_steps").values()
    train_accuracy = measured["train_accuracy"]
    return StrategyRow(
        strategy=strategy.name,
        applicable=applicable,
        seeds=len(runs),
        test_accuracy=accuracy.value,
        ci_low=accuracy.low,
        ci_high=accuracy.high,
        balanced_accuracy=_mean([_balanced(run, found.started) for run in runs]),
        generalisation_gap=None if train_accuracy is None else train_accuracy - accuracy.value,
        test_accuracy_equal_steps=_mean([_accuracy(run) for run in equal]),
        trainable_parameters=runs[0].trainable_parameters,
        total_parameters=runs[0].total_parameters,
        steps=runs[0].result.steps,
        learning_rate=runs[0].result.learning_rate,
        **_difference(difference, correct),
        **_forgetting(found.started, runs),
        **measured,
        **trouble,
    )


_AVERAGED = (
    "validation_accuracy",
    "train_accuracy",
    "agreement",
    "cka_drift",
    "steps_to_95",
    "train_seconds",
    "peak_memory_mb",
    "flops",
)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _accuracy(run: RunEnded) -> float:
    return metrics.accuracy(run.result.test_predictions, run.result.test_labels)


def _balanced(run: RunEnded, started: ComparisonStarted) -> float:
    return metrics.balanced_accuracy(
        run.result.test_predictions, run.result.test_labels, len(started.dataset.classes)
    )


def _difference(difference: stats.Interval | None, correct: stats.Matrix) -> dict[str, Any]:
    if difference is None:
        return {}
    one_image = 1 / int(np.count_nonzero(~np.isnan(correct).all(axis=0)))
    return {
        "difference_to_best": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "tied_with_best": difference.contains_zero or abs(difference.value) < one_image,
    }


def _forgetting(started: ComparisonStarted, runs: list[RunEnded]) -> dict[str, Any]:
    """Return the paired drop of source accuracy, in points; nothing without a rated probe."""
    source = started.source
    after = [r.result.source_predictions for r in runs if r.result.source_predictions is not None]
    if source is None or not source.rated or not after:
        return {}
    before = np.tile(np.array(source.correct, dtype=np.float64), (len(after), 1))
    kept = np.equal(np.array(after), np.array(source.labels)).astype(np.float64)
    drop = stats.paired_interval(before, kept)
    return {
        "forgetting_points": 100 * drop.value,
        "forgetting_low": 100 * drop.low,
        "forgetting_high": 100 * drop.high,
    }


def source_summary(started: ComparisonStarted) -> dict[str, Any] | None:
    """Return the probe's size and the original model's accuracy on it with its Wilson interval."""
    source = started.source
    if source is None:
        return None
    accuracy = float(np.mean(source.correct)) if source.rated else None
    low, high = stats.wilson(accuracy, source.images) if accuracy is not None else (None, None)
    return {
        "name": source.name,
        "images": source.images,
        "classes": source.classes,
        "accuracy_before": accuracy,
        "ci_low": low,
        "ci_high": high,
    }


def curve_frame(found: Record) -> pd.DataFrame:
    """Return the curves of final runs: strategy, seed, step, share of the run, measured values.

    `share` (0 to 1) lets runs of different length stand on one axis. `forgetting_points` is the
    drop of source accuracy since step 0 on the per-epoch part of the probe.
    """
    records = []
    for run_id, curve in found.curves.items():
        started = found.runs.get(run_id)
        if started is None or started.run.kind != "final" or not curve:
            continue
        first = curve[min(curve)]
        for step, event in sorted(curve.items()):
            lost = None
            if event.source_accuracy is not None and first.source_accuracy is not None:
                lost = 100 * (first.source_accuracy - event.source_accuracy)
            records.append(
                {
                    "strategy": started.run.strategy.name,
                    "title": started.run.strategy.title,
                    "seed": started.run.seed,
                    "step": step,
                    "share": step / started.run.steps,
                    "validation_accuracy": event.validation_accuracy,
                    "validation_loss": event.validation_loss,
                    "train_loss": event.train_loss,
                    "forgetting_points": lost,
                    "agreement": event.agreement,
                }
            )
    return pd.DataFrame(records, columns=CURVE_COLUMNS)


CURVE_COLUMNS = [
    "strategy",
    "title",
    "seed",
    "step",
    "share",
    "validation_accuracy",
    "validation_loss",
    "train_loss",
    "forgetting_points",
    "agreement",
]


def baselines(found: Record, measured: list[StrategyRow]) -> dict[str, float | None]:
    """Return the accuracies that every strategy is held against, None where not measured."""
    by_name = {row.strategy: row.test_accuracy for row in measured}
    untrained = {b.name: b.test_accuracy for b in found.started.baselines} if found.started else {}
    return {
        "majority_class": found.started.majority_accuracy if found.started else None,
        "nearest_neighbour": untrained.get("nearest_neighbour"),
        "zero_shot": by_name.get("zero_shot"),
        "linear_probe": by_name.get("feature_extraction"),
        "from_scratch": by_name.get("from_scratch"),
    }


def memory_note(found: Record) -> str:
    """Return what short memory changed, for the user; empty if it never was short."""
    if found.micro_batch is None or found.started is None:
        return ""
    note = (
        f"Memory ran out with {BATCH_SIZE} images at a time: every strategy was trained with "
        f"{found.micro_batch} at a time, added up to batches of {BATCH_SIZE}."
    )
    row = catalog().get(found.started.config.backbone)
    own = [s.title for s in found.strategies if s.stages and s.norm_statistics == "batch"]
    if row is None or row.normalisation != "batch" or not own:
        return note
    return (
        f"{note} {', '.join(own)}: batch normalisation sees {found.micro_batch} images instead of "
        f"{BATCH_SIZE}, which changes the numbers."
    )
