"""Everything that was measured on one data set: each strategy of each comparison and sweep's point.

What several of them took over from one another is the same runs, and counted once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tl_core import pairing
from tl_core.config import ComparisonConfig
from tl_core.curves import change_measure
from tl_core.record import Record
from tl_core.settings import differing
from tl_core.stats import Interval, Matrix
from tl_core.tables import StrategyRow, rows
from tl_core.tradeoff import lost_of


@dataclass(frozen=True)
class Source:
    """Where a comparison stands: a job, in a sweep the point's place, and what to call it."""

    job: str
    place: int | None
    name: str


@dataclass(frozen=True)
class Measured:
    """One strategy in one configuration; accuracies in percent, `seconds` of one training.

    `hits`: seeds x images, `images` their indices. `change`: forgetting in points, None where it
    never had the source skill or nothing could be measured; `lost`: seeds x source images. `runs`
    are its runs' identities. `differs`: settings that not all that was measured share, in words.
    """

    source: Source
    strategy: str
    title: str
    config: ComparisonConfig
    accuracy: Interval
    change: Interval | None
    seconds: float
    images: tuple[int, ...]
    hits: Matrix
    lost: Matrix | None
    runs: frozenset[str]
    differs: str = ""


def everything(found: Iterable[tuple[Source, Record]]) -> list[Measured]:
    """Return what was measured, each set of runs once, in the order given."""
    known: dict[frozenset[str], Measured] = {}
    for source, record in found:
        for one in _of(source, record):
            known.setdefault(one.runs, one)
    return _told_apart(list(known.values()))


def _of(source: Source, found: Record) -> Iterable[Measured]:
    if found.started is None:
        return
    strategies = {strategy.name: strategy for strategy in found.strategies}
    for row in rows(found):
        hits = pairing.matrix(found, row.strategy)
        if row.test_accuracy is None or hits is None:
            continue
        yield Measured(
            source,
            row.strategy,
            strategies[row.strategy].title,
            found.started.config,
            _interval(row.test_accuracy, row.ci_low, row.ci_high, 100.0),
            _forgetting(row) if change_measure(found) == "forgetting" else None,
            row.train_seconds or 0.0,
            pairing.test_images(found),
            hits,
            lost_of(found, row.strategy),
            frozenset(run.run_id for run in found.final(row.strategy).values()),
        )


def _interval(value: float, low: float | None, high: float | None, factor: float) -> Interval:
    return Interval(factor * value, factor * (low or 0.0), factor * (high or 0.0))


def _forgetting(row: StrategyRow) -> Interval | None:
    if row.forgetting_points is None:
        return None
    return _interval(row.forgetting_points, row.forgetting_low, row.forgetting_high, 1.0)


# What tells nothing of a configuration: each strategy stands alone, and machines may differ.
_NOT_TOLD = frozenset({"Strategies", "Seeds", "Device", "Precision", "Threads", "Data", "Weights"})


def _told_apart(found: list[Measured]) -> list[Measured]:
    """Return them with the settings in which they differ from the first of all, in words."""
    if not found:
        return []
    first = found[0].config

    def words(one: Measured) -> str:
        told = [each for each in differing(first, one.config) if each.title not in _NOT_TOLD]
        return "; ".join(f"{each.title.lower()} {each.second}" for each in told)

    return [replace(one, differs=words(one)) for one in found]
