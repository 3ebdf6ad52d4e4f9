"""The strategy table as people read it: its columns with their definitions, order and standing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import pandas as pd

from tl_core.curves import has_probe
from tl_core.events import BaselineName
from tl_core.record import Record
from tl_core.recording import Recording
from tl_core.strategies import Strategy
from tl_core.tables import StrategyRow
from tl_core.verdict import Verdict
from tl_core.wording import spread

Value = str | float | int | None
Kind = Literal["text", "percent", "points", "count", "seconds", "number", "rate"]


@dataclass(frozen=True)
class Column:
    """One column. `definition` is shown as help; `value` gives the cell, percent as 0 to 100."""

    title: str
    kind: Kind
    definition: str
    value: Callable[[StrategyRow, Strategy], Value]


def ranked(rows: Sequence[StrategyRow], said: Verdict | None) -> list[StrategyRow]:
    """Return the recommended first, then the tied, then the worse by accuracy, then the rest."""
    recommended = said.recommended if said else None

    def place(row: StrategyRow) -> tuple[int, float]:
        if row.test_accuracy is None:
            return 3, 0.0
        rank = 0 if row.strategy == recommended else 1 if row.tied_with_best else 2
        return rank, -row.test_accuracy

    return sorted(rows, key=place)


def standing(row: StrategyRow, said: Verdict | None = None) -> str:
    """Return in words how a strategy stands against the best, or why it has no result."""
    if row.test_accuracy is None:
        if not row.applicable:
            return "not applicable: no class of yours is mapped to a source class"
        return f"failed: {row.failure}" if row.failure else "not run"
    if said is not None and said.recommended == row.strategy:
        word = "recommended"
    elif row.tied_with_best is None:
        word = "nothing to compare with"
    else:
        word = "tied with the best" if row.tied_with_best else "clearly worse"
    if row.failed:
        return f"{word}; {row.failed} of its runs failed: {row.failure}"
    return word


def columns(found: Record, said: Verdict | None = None) -> list[Column]:
    """Return the columns for a comparison; without a rated probe there is drift, no forgetting."""
    return [column for some in grouped(found, said).values() for column in some]


Group = Literal["strategy", "accuracy", "change", "cost", "textbook"]


def grouped(found: Record, said: Verdict | None = None) -> dict[Group, tuple[Column, ...]]:
    """Return the columns by what they are about, for where one table would be too wide."""
    first = (
        Column("Strategy", "text", "The way of reusing the model.", lambda r, s: s.title),
        Column(
            "Standing",
            "text",
            "Tied with the best: the 95% interval of the paired difference to the best contains "
            "0, or the difference is less than one test image.",
            lambda r, s: standing(r, said),
        ),
    )
    return {
        "strategy": first,
        "accuracy": _ACCURACY,
        "change": _FORGETTING if has_probe(found) else _DRIFT,
        "cost": _COST,
        "textbook": _TEXTBOOK,
    }


# Titles of what needs no training and stands below the strategies in every table.
BASELINES: dict[BaselineName, str] = {
    "majority_class": "Baseline: most frequent class",
    "nearest_neighbour": "Baseline: 1-NN on features",
}


def frame(found: Record, rows: Sequence[StrategyRow], said: Verdict | None = None) -> pd.DataFrame:
    """Return the table for the screen: a line per row in the order given, then the baselines."""
    strategies = {strategy.name: strategy for strategy in found.strategies}
    cells = {
        column.title: [column.value(row, strategies[row.strategy]) for row in rows]
        for column in columns(found, said)
    }
    below = _baseline_lines(found)
    return pd.DataFrame(
        {title: [*values, *(line.get(title) for line in below)] for title, values in cells.items()}
    )


def differing(shown: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the first column and those whose cells are not all the same."""
    first, *others = shown.columns
    kept = [name for name in others if shown[name].nunique(dropna=False) > 1]
    return shown[[first, *kept]]


def _baseline_lines(found: Record) -> list[dict[str, Value]]:
    """Return what is known of the baselines, by column."""
    return [
        {
            "Strategy": BASELINES[baseline.name],
            "Standing": "baseline: nothing is trained",
            "Test accuracy": 100 * baseline.test_accuracy,
            "95% interval": _interval(baseline.ci_low, baseline.ci_high),
            "Balanced accuracy": 100 * baseline.balanced_accuracy,
        }
        for baseline in (found.started.baselines if found.started else ())
    ]


def export_frame(
    found: Record, rows: Sequence[StrategyRow], recorded: Recording | None = None
) -> pd.DataFrame:
    """Return the table for a file: the JSON document's fields and units, textbook beside them.

    Every line of a recording begins by saying that it is one.
    """
    origin = {"recorded": recorded.label} if recorded else {}
    strategies = {strategy.name: strategy for strategy in found.strategies}
    lines = []
    for row in rows:
        textbook = msgspec.to_builtins(strategies[row.strategy].textbook)
        lines.append(
            {
                **origin,
                "title": strategies[row.strategy].title,
                **msgspec.to_builtins(row),
                **{f"textbook_{name}": text for name, text in textbook.items()},
            }
        )
    for baseline in found.started.baselines if found.started else ():
        known = {"strategy": baseline.name, **msgspec.to_builtins(baseline)}
        known = {name: value for name, value in known.items() if name not in ("event", "name")}
        lines.append({**origin, "title": BASELINES[baseline.name], **known})
    return pd.DataFrame(lines)


def _times(value: float | None, factor: float = 100.0) -> float | None:
    return None if value is None else factor * value


def _interval(
    low: float | None, high: float | None, factor: float = 100.0, signed: bool = False
) -> str | None:
    if low is None or high is None:
        return None
    return spread(factor * low, factor * high, signed)


_ACCURACY = (
    Column(
        "Test accuracy",
        "percent",
        "Share of held-out test images classified correctly by the last step, averaged over "
        "seeds. The test part is never used to choose anything.",
        lambda r, s: _times(r.test_accuracy),
    ),
    Column(
        "95% interval",
        "text",
        "Where the accuracy plausibly lies: Wilson's interval on the pooled test images; with "
        "several seeds the wider of it and a bootstrap over images and seeds.",
        lambda r, s: _interval(r.ci_low, r.ci_high),
    ),
    Column(
        "Difference to best",
        "points",
        "Accuracy minus that of the most accurate strategy on the same images and seeds, in "
        "percentage points.",
        lambda r, s: _times(r.difference_to_best),
    ),
    Column(
        "Its 95% interval",
        "text",
        "Paired bootstrap over the same test images within seeds, widened for several "
        "comparisons (Holm).",
        lambda r, s: (
            _interval(r.difference_low, r.difference_high, signed=True)
            if r.difference_low != r.difference_high
            else None
        ),
    ),
    Column(
        "Balanced accuracy",
        "percent",
        "Mean over classes of the share classified correctly: every class counts the same, "
        "however many images it has.",
        lambda r, s: _times(r.balanced_accuracy),
    ),
    Column(
        "Train accuracy",
        "percent",
        "The same on the images it was trained on.",
        lambda r, s: _times(r.train_accuracy),
    ),
    Column(
        "Generalisation gap",
        "points",
        "Train accuracy minus test accuracy. Large: it has learned its training images by heart.",
        lambda r, s: _times(r.generalisation_gap),
    ),
    Column(
        "From scratch, equal steps",
        "percent",
        "Training from scratch gets more steps than the others; this is its test accuracy when "
        "stopped at everyone else's budget.",
        lambda r, s: _times(r.test_accuracy_equal_steps),
    ),
)

_FORGETTING = (
    Column(
        "Forgetting",
        "points",
        "Accuracy on the labelled source images before training minus after it, with the "
        "original head, in percentage points. Empty from scratch: it never had the skill.",
        lambda r, s: r.forgetting_points,
    ),
    Column(
        "Forgetting, 95% interval",
        "text",
        "Paired bootstrap over the source images.",
        lambda r, s: _interval(r.forgetting_low, r.forgetting_high, 1.0, signed=True),
    ),
)

_DRIFT = (
    Column(
        "Drift: predictions changed",
        "percent",
        "Share of the test images on which the model's most likely source class is another one "
        "than before training. Without labelled source images nobody can say whether that is "
        "forgetting.",
        lambda r, s: None if r.agreement is None else 100 * (1 - r.agreement),
    ),
    Column(
        "Drift: representation",
        "number",
        "1 minus the debiased linear CKA between features before and after training: 0 is "
        "unchanged.",
        lambda r, s: r.cka_drift,
    ),
)

_COST = (
    Column(
        "Trained parameters",
        "count",
        "How many numbers training may change.",
        lambda r, s: r.trainable_parameters,
    ),
    Column(
        "Steps",
        "count",
        "Updates on a batch of 32 images in one training. Empty: there is no training loop.",
        lambda r, s: r.steps,
    ),
    Column(
        "Steps to 95%",
        "count",
        "First step with 95% of the final validation accuracy: how soon it was as good as done.",
        lambda r, s: r.steps_to_95,
    ),
    Column(
        "Seconds",
        "seconds",
        "One training, mean over seeds, its share of the one pass through the frozen part "
        "included.",
        lambda r, s: r.train_seconds,
    ),
    Column(
        "Memory (MB)",
        "count",
        "Highest memory use while training. Empty where the system does not tell.",
        lambda r, s: r.peak_memory_mb,
    ),
    Column(
        "GFLOPs",
        "count",
        "Billions of floating-point operations of one training; a multiplication and an addition "
        "are two.",
        lambda r, s: _times(r.flops, 1e-9),
    ),
    Column(
        "Learning rate",
        "rate",
        "Of the backbone; a new head learns ten times faster. Chosen on validation images.",
        lambda r, s: r.learning_rate,
    ),
    Column("Seeds", "count", "How many finished runs the line stands on.", lambda r, s: r.seeds),
)

_PRIOR = "What textbooks say before anything is measured."

_TEXTBOOK = (
    Column("Textbook: labels", "text", _PRIOR, lambda r, s: s.textbook.labels_needed),
    Column("Textbook: compute", "text", _PRIOR, lambda r, s: s.textbook.compute),
    Column("Textbook: overfitting", "text", _PRIOR, lambda r, s: s.textbook.overfitting_risk),
    Column("Textbook: flexibility", "text", _PRIOR, lambda r, s: s.textbook.flexibility),
)
