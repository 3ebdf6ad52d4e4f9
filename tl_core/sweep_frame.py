"""A sweep as a table: one row for each strategy at each of its points."""

import math

import pandas as pd

from tl_core.record import Record
from tl_core.swept import Swept
from tl_core.tables import StrategyRow, rows

COLUMNS = [
    "place",
    "label",
    "value",
    "strategy",
    "title",
    "seeds",
    "test_accuracy",
    "ci_low",
    "ci_high",
    "forgetting",
    "forgetting_low",
    "forgetting_high",
    "agreement",
    "drift",
    "train_seconds",
    "trainable_parameters",
    "learning_rate",
    "reused",
]


def sweep_frame(found: Swept) -> pd.DataFrame:
    """Return one row per (place, strategy) that has a result; columns as in COLUMNS.

    Accuracies with their 95% interval and `agreement` in percent, forgetting in points, `drift`
    (1 - debiased CKA) as it is, NaN where it was not measured. `value`: the place on the axis, NaN
    where there is no order. `reused`: whether all that stands here was taken over from earlier.
    """
    lines = []
    for place, point in enumerate(found.sweep.points if found.sweep else ()):
        record = found.records.get(place)
        if record is None or record.started is None:
            continue
        for row in rows(record):
            if row.test_accuracy is not None:
                head = {"place": place, "label": point.label, "value": _number(point.value)}
                lines.append(head | _measured(record, row))
    return pd.DataFrame(lines, columns=COLUMNS)


def _measured(record: Record, row: StrategyRow) -> dict[str, object]:
    titles = {strategy.name: strategy.title for strategy in record.strategies}
    ended = list(record.final(row.strategy).values())
    return {
        "strategy": row.strategy,
        "title": titles[row.strategy],
        "seeds": row.seeds,
        "test_accuracy": _percent(row.test_accuracy),
        "ci_low": _percent(row.ci_low),
        "ci_high": _percent(row.ci_high),
        "forgetting": _number(row.forgetting_points),
        "forgetting_low": _number(row.forgetting_low),
        "forgetting_high": _number(row.forgetting_high),
        "agreement": _percent(row.agreement),
        "drift": _number(row.cka_drift),
        "train_seconds": _number(row.train_seconds),
        "trainable_parameters": _number(row.trainable_parameters),
        "learning_rate": _number(row.learning_rate),
        "reused": all(
            run.run_id in record.runs and record.runs[run.run_id].reused for run in ended
        ),
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _percent(share: float | None) -> float:
    return 100 * _number(share)
