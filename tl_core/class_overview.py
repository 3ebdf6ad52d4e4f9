"""What a class found: a line for each participant's comparison, and how often what was recommended.

Comparisons on different data and models stand side by side; nothing is averaged over them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tl_core.flags import Evidence, flags
from tl_core.record import Record
from tl_core.tables import StrategyRow, rows
from tl_core.verdict import verdict


@dataclass(frozen=True)
class Entry:
    """A participant's comparison; `ended` in Unix seconds, None while it goes on."""

    participant: str
    job: str
    found: Record
    ended: float | None


@dataclass(frozen=True)
class Row:
    """One comparison in a line, None where nothing is known (yet).

    `strategy` is the title of what is recommended, `accuracy`, `low` and `high` its test accuracy
    with its 95% interval (fractions). `forgot_*`: the strategy that forgot most, in points with a
    95% interval. `seconds`: how long the comparison took. `flags`: how many checks raise a flag, on
    what the comparison itself measured.
    """

    participant: str
    job: str
    data: str
    model: str
    strategy: str | None
    accuracy: float | None
    low: float | None
    high: float | None
    forgot_strategy: str | None
    forgot_points: float | None
    forgot_low: float | None
    forgot_high: float | None
    seconds: float | None
    flags: int | None
    ended: float | None


def overview(entries: Sequence[Entry]) -> list[Row]:
    """Return a row for each comparison that has started, in the order given."""
    return [row(entry) for entry in entries if entry.found.started is not None]


def row(entry: Entry) -> Row:
    """Return a comparison's row; raises ValueError before it has started.

    Intervals and flags take a moment: who shows it often keeps it.
    """
    found, started = entry.found, entry.found.started
    if started is None:
        raise ValueError("This comparison has not started: there is nothing to sum up yet.")
    measured = rows(found)
    said = verdict(found, measured)
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    chosen = next((r for r in measured if said and r.strategy == said.recommended), None)
    worst = _forgot_most(measured)
    return Row(
        participant=entry.participant,
        job=entry.job,
        data=started.dataset.name,
        model=started.backbone_title,
        strategy=titles[chosen.strategy] if chosen else None,
        accuracy=chosen.test_accuracy if chosen else None,
        low=chosen.ci_low if chosen else None,
        high=chosen.ci_high if chosen else None,
        forgot_strategy=titles[worst.strategy] if worst else None,
        forgot_points=worst.forgetting_points if worst else None,
        forgot_low=worst.forgetting_low if worst else None,
        forgot_high=worst.forgetting_high if worst else None,
        seconds=found.finished.seconds if found.finished else None,
        flags=_raised(found, measured) if said else None,
        ended=entry.ended,
    )


def tally(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """Return how many rows recommend each strategy (its title), the most frequent first.

    Rows that recommend nothing are not counted; equal counts are in alphabetical order.
    """
    counted = Counter(one.strategy for one in rows if one.strategy is not None)
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def _forgot_most(measured: Sequence[StrategyRow]) -> StrategyRow | None:
    known = [one for one in measured if one.forgetting_points is not None]
    return max(known, key=lambda one: one.forgetting_points or 0.0, default=None)


def _raised(found: Record, measured: Sequence[StrategyRow]) -> int:
    judged = flags(Evidence(found, measured))
    return len({flag.name for flag in judged if flag.state == "raised"})
