"""What a flag is, and what its rule may look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from tl_core import stats
from tl_core.answers import Soundness, Stress
from tl_core.confidence import ConfidenceRow, confidence_rows
from tl_core.events import ComparisonStarted
from tl_core.pairing import correctness
from tl_core.record import Record
from tl_core.slices import Attribute
from tl_core.stats import Interval, Matrix
from tl_core.tables import StrategyRow
from tl_core.verdict import verdict
from tl_core.wording import points, spread

State = Literal["raised", "unknown", "clear"]
STATES: tuple[State, ...] = ("raised", "unknown", "clear")

FINISH = "Let a comparison with fine-tuning among its strategies run to its end."
AGAIN = "Run the comparison again: it was recorded before this was kept."


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One judgement on a comparison, or on one strategy of it.

    `text` is a plain sentence with its numbers, `value` the number it rests on, in `unit`;
    `baseline` names what that is held against, `remedy` says what to do. `evidence`: further
    numbers as (label, value). `name` and `title` are those of its rule.
    """

    state: State
    text: str
    name: str = ""
    title: str = ""
    strategy: str | None = None
    value: Interval | None = None
    unit: str = ""
    baseline: str = ""
    remedy: str = ""
    evidence: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Evidence:
    """All that rules may look at; what was not asked or brought is None or empty.

    `attributes` divide the images into slices; `known_confidence` spares measuring it again.
    """

    found: Record
    rows: Sequence[StrategyRow]
    soundness: Soundness | None = None
    stress: Stress | None = None
    attributes: Sequence[Attribute] = ()
    known_confidence: Sequence[ConfidenceRow] | None = None

    @property
    def started(self) -> ComparisonStarted:
        """The comparison's first event."""
        assert self.found.started is not None
        return self.found.started

    @cached_property
    def titles(self) -> dict[str, str]:
        """The strategies' titles by name."""
        return {strategy.name: strategy.title for strategy in self.found.strategies}

    @cached_property
    def correct(self) -> dict[str, Matrix]:
        """Whether each strategy was right: seeds x test images."""
        return correctness(self.found)

    @cached_property
    def confidence(self) -> dict[str, ConfidenceRow]:
        """The strategies' calibration by name."""
        known = self.known_confidence
        rows = confidence_rows(self.found) if known is None else known
        return {row.strategy: row for row in rows}

    @cached_property
    def recommended(self) -> str | None:
        """The strategy that the verdict recommends."""
        said = verdict(self.found, self.rows)
        return said.recommended if said else None

    def row(self, strategy: str) -> StrategyRow | None:
        """Return a strategy's row if it was measured."""
        return next(
            (r for r in self.rows if r.strategy == strategy and r.test_accuracy is not None), None
        )


@dataclass(frozen=True)
class FlagRule:
    """A check by name: `meaning` in one line, `judge` gives its flags, at least one."""

    name: str
    title: str
    meaning: str
    judge: Callable[[Evidence], list[Flag]]

    def check(self, evidence: Evidence) -> list[Flag]:
        """Return the rule's flags under its name: one for each strategy it raises, else one."""
        return [replace(flag, name=self.name, title=self.title) for flag in self.judge(evidence)]


def in_points(interval: Interval) -> Interval:
    """Return an interval of fractions in percentage points."""
    return Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)


def reversed_sign(interval: Interval) -> Interval:
    """Return the interval of the negated value."""
    return Interval(-interval.value, -interval.high, -interval.low)


def said(interval: Interval, signed: bool = False) -> str:
    """Return an interval of points as `5.0 points (2.0 to 8.0)`."""
    ends = spread(interval.low, interval.high, signed)
    return f"{points(interval.value, signed)} points ({ends})"


def worse_than(baseline: Matrix, others: dict[str, Matrix]) -> dict[str, Interval]:
    """Return by how many points each is worse than a baseline, paired, Holm over all of them."""
    found = stats.holm_intervals(baseline, others)
    return {name: in_points(reversed_sign(interval)) for name, interval in found.items()}
