"""A sweep as text for a terminal: its table, and what the curves and crossovers say."""

import math
from typing import Any

from tl_core.range_test import findings
from tl_core.sweep_frame import sweep_frame
from tl_core.sweep_points import SWEEPS
from tl_core.sweep_sentences import sentences
from tl_core.swept import Swept
from tl_core.terminal import range_table
from tl_core.wording import duration, percent, points, spread


def text(found: Swept) -> str:
    """Return the table, then the sentences that belong to this kind of sweep."""
    assert found.sweep is not None
    parts = [table(found), *_range_tests(found), *found.sweep.notes, *sentences(found)]
    return "\n\n".join(part for part in parts if part)


def _range_tests(found: Swept) -> list[str]:
    ranged = findings(run for one in found.records.values() for run in one.ended.values())
    return [range_table(ranged)] if ranged else []


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
