"""What a long command shows while it works, and its result as a text table."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

from tl_core import columns
from tl_core.estimate import Plan
from tl_core.events import EpochEnded, Event, Progress, RunEnded, RunFailed, RunStarted
from tl_core.flags import Flag
from tl_core.range_test import Found
from tl_core.record import Record
from tl_core.remaining import remaining_seconds
from tl_core.tables import StrategyRow, memory_note
from tl_core.wording import count, duration, percent, points, spread

WIDTH = 24
INTERVAL_SECONDS = 0.2


class Bar:
    """A progress bar on one line of a terminal; in a file, one line per finished thing."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.live = stream, stream.isatty()
        self._message, self._shown = "", 0.0

    def __enter__(self) -> "Bar":
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave no bar behind."""
        self.clear()

    def show(self, message: str, fraction: float | None) -> None:
        """Show how far the thing called `message` is; fractions are 0 to 1."""
        if not self.live:
            if message != self._message:
                self.stream.write(f"{message}\n")
                self.stream.flush()
            self._message = message
            return
        now = time.monotonic()
        if message == self._message and now - self._shown < INTERVAL_SECONDS and fraction != 1:
            return
        self._message, self._shown = message, now
        filled = round(WIDTH * (fraction or 0.0))
        bar = "█" * filled + "░" * (WIDTH - filled)
        share = "" if fraction is None else f" {fraction:4.0%}"
        self.stream.write(f"\r\x1b[2K{bar}{share}  {message[:70]}")
        self.stream.flush()

    def say(self, line: str) -> None:
        """Leave a line above the bar."""
        self.clear()
        self.stream.write(f"{line}\n")
        self.stream.flush()

    def clear(self) -> None:
        """Remove the bar."""
        if self.live:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()


class Reporter:
    """Turns a comparison's events into progress on a terminal."""

    def __init__(self, bar: Bar, found: Record) -> None:
        self.bar, self.found = bar, found
        self.planned: Plan | None = None

    def tell(self, event: Event) -> None:
        """Show what an event means; `found` already contains it."""
        if isinstance(event, Progress):
            self.bar.show(event.message, event.fraction)
        elif isinstance(event, EpochEnded):
            started = self.found.runs[event.run_id]
            title = f"{self._number()} {started.run.strategy.title}, seed {started.run.seed}"
            said = f"{title}: validation {percent(event.validation_accuracy)}"
            if self.bar.live:
                self.bar.show(said + self._to_go(), event.step / started.run.steps)
        elif isinstance(event, RunEnded):
            self.bar.say(self._ended(event))
        elif isinstance(event, RunFailed):
            self.bar.say(f"{self._number()} {event.run.strategy.title} failed: {event.reason}")

    def _to_go(self) -> str:
        """Say how long it will still take, the plan corrected by what was measured so far."""
        if self.planned is None:
            return ""
        return f", about {duration(round(remaining_seconds(self.planned, self.found)))} to go"

    def _number(self) -> str:
        planned = self.found.started.planned_runs if self.found.started else 0
        return f"[{len(self.found.ended) + len(self.found.failed):>2}/{planned}]"

    def _ended(self, event: RunEnded) -> str:
        run, result = event.run, event.result
        kinds = {"final": "", "trial": f", trial at {run.learning_rate:.2g}"}
        kinds["range_test"] = ", range test"
        kind = kinds.get(run.kind, ", at equal steps")
        reused = " (taken over)" if _is_reused(self.found, event.run_id) else ""
        said = f"validation {percent(result.validation_accuracy)}"
        return (
            f"{self._number()} {run.strategy.title}, seed {run.seed}{kind}: {said}, "
            f"{duration(result.train_seconds)}{reused}"
        )


def _is_reused(found: Record, run_id: str) -> bool:
    started: RunStarted | None = found.runs.get(run_id)
    return started is not None and started.reused


def table(found: Record, rows: Sequence[StrategyRow]) -> str:
    """Return the strategy table as text."""
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    source = found.started.source if found.started else None
    labelled = source is not None and source.rated
    head = [
        "strategy",
        "test accuracy",
        "difference to best",
        "",
        "forgot" if labelled else "drift",
        "trained",
        "time",
    ]
    lines = [head, *(_line(row, titles[row.strategy], labelled) for row in rows)]
    for baseline in found.started.baselines if found.started else ():
        accuracy = percent(baseline.test_accuracy)
        ends = f"{percent(baseline.ci_low)} to {percent(baseline.ci_high)}"
        lines.append([columns.BASELINES[baseline.name], f"{accuracy} ({ends})", *[""] * 5])
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    note = memory_note(found)
    return "\n".join([text[0], "-" * len(text[0]), *text[1:], *([note] if note else [])])


def range_table(found: Sequence[Found]) -> str:
    """Return what range tests found as text, a line a strategy."""
    lines = [["strategy", "loss falls fastest at", "no longer falls from"]]
    for one in found:
        lines.append([one.title, _rate(one.steepest), _rate(one.unstable_from)])
    widths = [max(len(line[place]) for line in lines) for place in range(3)]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    note = "Learning rates of the backbone, on training images of the first seed."
    return "\n".join([text[0], "-" * len(text[0]), *text[1:], note])


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.2g}"


def raised(found: Sequence[Flag]) -> str:
    """Return the raised flags, a line each; empty if none is raised."""
    lines = [f"! {flag.title}: {flag.text}" for flag in found if flag.state == "raised"]
    return "\n".join(lines)


def _line(row: StrategyRow, title: str, labelled: bool) -> list[str]:
    if row.test_accuracy is None:
        why = row.failure or (
            "no class maps to a source class" if not row.applicable else "not run"
        )
        return [title, f"– ({why})", "", "", "", "", ""]
    accuracy = f"{percent(row.test_accuracy)} ({percent(row.ci_low)} to {percent(row.ci_high)})"
    difference, state = "", "best"
    if row.difference_low is not None and row.difference_to_best != row.difference_low:
        ends = spread(100 * row.difference_low, 100 * (row.difference_high or 0.0), True)
        difference = f"{points(100 * (row.difference_to_best or 0.0), True)} ({ends})"
        state = "tied" if row.tied_with_best else "worse"
    if labelled:
        forgot = "–"
        if row.forgetting_points is not None:
            ends = spread(row.forgetting_low, row.forgetting_high, True)
            forgot = f"{points(row.forgetting_points, True)} ({ends})"
    else:
        forgot = "–" if row.agreement is None else f"agrees on {percent(row.agreement)}"
    return [
        title,
        accuracy,
        difference,
        state,
        forgot,
        count(row.trainable_parameters),
        duration(row.train_seconds),
    ]
