"""A sweep as text for a terminal: its table, and what the curves and crossovers say."""

import math
from collections.abc import Sequence
from typing import Any

from tl_core import transferability
from tl_core.answers import Ranking
from tl_core.crossovers import crossover_text, crossovers, textbook_text
from tl_core.learning_curve import gain_sentence, learning_curves
from tl_core.range_test import findings
from tl_core.sweep_frame import sweep_frame
from tl_core.sweep_points import SWEEPS
from tl_core.swept import Swept
from tl_core.terminal import range_table
from tl_core.track_record import best_accuracy
from tl_core.transferability import FEWEST_MODELS, SCORES
from tl_core.wording import duration, percent, points, spread


def text(found: Swept) -> str:
    """Return the table, then the sentences that belong to this kind of sweep."""
    assert found.sweep is not None
    parts = [table(found), *found.sweep.notes, *sentences(found)]
    return "\n\n".join(part for part in parts if part)


def table(found: Swept) -> str:
    """Return a line for each strategy at each point; a point that failed says why."""
    assert found.sweep is not None
    frame = sweep_frame(found)
    lines = [[SWEEPS[found.sweep.name].axis.lower(), "strategy", "test accuracy", "forgot", "time"]]
    for place, point in enumerate(found.sweep.points):
        measured = frame[frame["place"] == place].to_dict("records")
        lines += [_line(point.label, row) for row in measured]
        if place in found.failed:
            lines.append([point.label, found.failed[place], "", "", ""])
    widths = [max(len(line[k]) for line in lines if line[2] or not k) for k in range(len(lines[0]))]
    said = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([said[0], "-" * len(said[0]), *said[1:]])


def _line(label: str, row: dict[Any, Any]) -> list[str]:
    accuracy, low, high = (
        percent(row[key] / 100) for key in ("test_accuracy", "ci_low", "ci_high")
    )
    forgot = "–"
    if not math.isnan(row["forgetting"]):
        ends = spread(row["forgetting_low"], row["forgetting_high"], True)
        forgot = f"{points(row['forgetting'], True)} ({ends})"
    elif not math.isnan(row["agreement"]):
        forgot = f"agrees on {percent(row['agreement'] / 100)}"
    seconds = duration(row["train_seconds"]) + (" (taken over)" if row["reused"] else "")
    return [label, row["title"], f"{accuracy} ({low} to {high})", forgot, seconds]


def sentences(found: Swept) -> list[str]:
    """Return what a sweep says beside its table: what more labels buy, range tests, scores."""
    assert found.sweep is not None
    if found.sweep.name == "labels":
        curves = [gain_sentence(curve) for curve in learning_curves(found)]
        return ["\n".join(curves), crossover_text(crossovers(found)), _textbook(found)]
    if found.sweep.name == "rate":
        ranged = findings(run for one in found.records.values() for run in one.ended.values())
        return [range_table(ranged)] if ranged else []
    if found.sweep.name == "model" and found.ranking is not None:
        return [agreement(found.ranking, found)]
    return []


def _textbook(found: Swept) -> str:
    images = [one.started.dataset.n_train for one in found.records.values() if one.started]
    return textbook_text(max(images)) if images else ""


def agreement(ranking: Ranking, found: Swept) -> str:
    """Return how well each score foretold the best accuracy of each model, as a sentence."""
    taus = score_agreement(ranking, found)
    if not taus:
        return f"Were the scores right? That can be told from {FEWEST_MODELS} models on."
    said = ", ".join(f"{SCORES[name].title} {_signed(tau)}" for name, tau in taus.items())
    return (
        f"Agreement of the scores with what was measured (weighted Kendall tau, −1 to 1): {said}."
    )


def score_agreement(ranking: Ranking, found: Swept) -> dict[str, float]:
    """Return each score's weighted Kendall tau with the best accuracies, from five models on."""
    reached = {
        one.started.config.backbone: accuracy
        for one in found.records.values()
        if one.started is not None and (accuracy := best_accuracy(one)) is not None
    }
    names: Sequence[str] = list(dict.fromkeys(n for one in ranking.models for n in one.scores))
    taus = {
        name: transferability.agreement_with(
            {one.model: one.scores[name].value for one in ranking.models if name in one.scores},
            reached,
        )
        for name in names
    }
    return {name: tau for name, tau in taus.items() if tau is not None}


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")
