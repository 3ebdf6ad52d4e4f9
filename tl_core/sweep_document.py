"""A sweep as one JSON document: what `sweep --json` writes."""

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import msgspec

from tl_core import setting_text
from tl_core.crossovers import crossover_text, crossovers, textbook_text
from tl_core.events import RunEnded
from tl_core.learning_curve import LearningCurve, gain_sentence, learning_curves, next_step
from tl_core.range_test import findings
from tl_core.record import Record
from tl_core.stats import Interval
from tl_core.sweep_frame import sweep_frame
from tl_core.sweep_points import SWEEPS
from tl_core.swept import Swept


def sweep_document(found: Swept) -> dict[str, Any]:
    """Return the sweep as plain containers; raises ValueError before it has started.

    `rows`: one for each strategy at each point, accuracies in percent; `points`: each with the
    command that makes its comparison and what it worked on, null where it could not be made.
    """
    if found.sweep is None:
        raise ValueError("This sweep has not started: there is nothing to write yet.")
    kind = SWEEPS[found.sweep.name]
    made: dict[str, Any] = {
        "sweep": kind.name,
        "question": kind.question,
        "axis": kind.axis,
        "unit": kind.unit,
        "held": kind.held,
        "notes": list(found.sweep.notes),
        "rows": [
            {key: _plain(value) for key, value in row.items()}
            for row in sweep_frame(found).to_dict("records")
        ],
        "points": [
            {
                "label": point.label,
                "value": point.value,
                "failed": found.failed.get(place),
                "comparison": _comparison(found.records.get(place)),
            }
            for place, point in enumerate(found.sweep.points)
        ],
        "range_tests": [asdict(one) for one in findings(_runs(found))],
        "ranking": found.ranking and msgspec.to_builtins(found.ranking),
    }
    return made | _labels(found) if kind.name == "labels" else made


def _runs(found: Swept) -> Iterator[RunEnded]:
    return (run for one in found.records.values() for run in one.ended.values())


def _comparison(record: Record | None) -> dict[str, Any] | None:
    if record is None or record.started is None:
        return None
    started, data = record.started, record.started.dataset
    return {
        "command": started.command,
        "backbone": started.config.backbone,
        "input_size": started.input_size,
        "steps": started.steps,
        "labels_per_class": started.config.labels_per_class,
        "settings": setting_text.plain(started.config.settings),
        "n_train": data.n_train,
        "n_validation": data.n_validation,
        "n_test": data.n_test,
        "failed": {run.run.strategy.name: run.reason for run in record.failed.values()},
    }


def _labels(found: Swept) -> dict[str, Any]:
    """Return what only a sweep over labels has: curves and crossovers; accuracies are fractions."""
    crossed = crossovers(found)
    images = [one.started.dataset.n_train for one in found.records.values() if one.started]
    return {
        "learning_curves": [_curve(curve) for curve in learning_curves(found)],
        "crossovers": [msgspec.to_builtins(one) for one in crossed],
        "crossover_text": crossover_text(crossed),
        "textbook": textbook_text(max(images)) if images else None,
    }


def _curve(curve: LearningCurve) -> dict[str, Any]:
    made: dict[str, Any] = {
        "strategy": curve.strategy,
        "sizes": list(curve.sizes),
        "measured": [_ends(one) for one in curve.measured],
        "text": gain_sentence(curve),
        "fit": None,
    }
    if curve.fit is not None:
        more = next_step(curve)
        made["fit"] = {
            "asymptotic_error": curve.fit.a,
            "scale": curve.fit.b,
            "exponent": curve.fit.c,
            "first_size": curve.fit.first,
            "band": [{"size": size, **_ends(one)} for size, one in curve.fit.band],
            "more": more,
            "gain_points": _ends(curve.fit.gain(curve.sizes[-1], more)),
        }
    return made


def _ends(one: Interval) -> dict[str, float]:
    return {"value": one.value, "low": one.low, "high": one.high}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
