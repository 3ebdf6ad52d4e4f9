"""The verdict in plain words: one recommendation, what else was found, what would change it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tl_core import pairing, stats
from tl_core.events import ComparisonStarted
from tl_core.record import Record
from tl_core.tables import StrategyRow
from tl_core.wording import (
    capitalised,
    duration,
    listed,
    lowered,
    number_of,
    percent,
    points,
    spread,
)

# So many strategies that forgot for nothing are told in one sentence.
TOLD_TOGETHER = 3


@dataclass(frozen=True)
class Clause:
    """One statement with the numbers it stands on (label, value) and the strategies it names."""

    text: str
    numbers: tuple[tuple[str, str], ...]
    strategies: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """`recommended` is None while nothing can be recommended; clauses are in reading order."""

    recommended: str | None
    clauses: tuple[Clause, ...]
    would_change_if: Clause | None
    certainty: Clause

    @property
    def text(self) -> str:
        """The whole verdict as one paragraph."""
        parts = [*self.clauses, self.certainty]
        if self.would_change_if:
            parts.append(self.would_change_if)
        return " ".join(clause.text for clause in parts)


def verdict(found: Record, rows: Sequence[StrategyRow]) -> Verdict | None:
    """Return the verdict over finished strategies; None before any has finished.

    Recommended is, among those tied with the best, the one that forgot least, then drifted least,
    then took least time.
    """
    started = found.started
    measured = [row for row in rows if row.test_accuracy is not None]
    if started is None or not measured:
        return None
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    if len(measured) < 2:
        only = measured[0]
        text = (
            f"{titles[only.strategy]} reached {_accuracy(only)}; there is nothing to compare yet."
        )
        clause = Clause(text, _numbers(only), (only.strategy,))
        return Verdict(None, (clause,), None, _certainty(started, rows))
    tied = [row for row in measured if row.tied_with_best]
    chosen = min(tied, key=_preference)
    clauses = [_recommendation(chosen, tied, titles)]
    clauses += _losers(chosen, measured, titles)
    clauses += _forgetters(chosen, measured, titles)
    clauses += _undertrained(chosen, measured, titles)
    clauses += _baseline(started, chosen, titles)
    change = _would_change(found, chosen, measured, titles)
    return Verdict(chosen.strategy, tuple(clauses), change, _certainty(started, rows))


def _preference(row: StrategyRow) -> tuple[float, float, float]:
    """Order among the tied; what never had the source skill ranks behind what kept it."""
    worst = float("inf")
    forgot = worst if row.agreement is None else max(row.forgetting_points or 0.0, 0.0)
    drift = worst if row.agreement is None else 1 - row.agreement
    return forgot, drift, row.train_seconds or 0.0


def _recommendation(
    chosen: StrategyRow, tied: Sequence[StrategyRow], titles: dict[str, str]
) -> Clause:
    name = titles[chosen.strategy]
    if len(tied) == 1:
        lead = f"Use {lowered(name)}. It is the best ({_accuracy(chosen)})"
    elif chosen.difference_to_best == 0:
        others = listed([lowered(titles[r.strategy]) for r in tied if r is not chosen])
        lead = (
            f"Use {lowered(name)}. It has the highest accuracy ({_accuracy(chosen)}), tied with "
            f"{others},"
        )
    else:
        lead = (
            f"Use {lowered(name)}. It ties the best ({_accuracy(chosen)}; difference "
            f"{points(_pp(chosen.difference_to_best), True)}, from "
            f"{spread(_pp(chosen.difference_low), _pp(chosen.difference_high), True)})"
        )
    return Clause(
        f"{lead}{_kept(chosen)}{_took(chosen)}.",
        _numbers(chosen),
        (chosen.strategy,),
    )


def _took(row: StrategyRow) -> str:
    return (
        f", in {duration(row.train_seconds)}" if row.trainable_parameters else ", without training"
    )


def _kept(row: StrategyRow) -> str:
    if row.forgetting_points is not None:
        if row.forgetting_points == 0 == row.forgetting_high:
            return " and forgot nothing"
        if row.forgetting_low is not None and row.forgetting_low <= 0:
            return " and forgot nothing we can measure"
        return f" and forgot {points(row.forgetting_points)} points"
    if row.agreement == 1.0:
        return " and left the model's source behaviour untouched"
    return ""


def _losers(
    chosen: StrategyRow, measured: Sequence[StrategyRow], titles: dict[str, str]
) -> list[Clause]:
    clauses = []
    for row in measured:
        if row.tied_with_best:
            continue
        text = (
            f"{titles[row.strategy]} is clearly worse: {points(_pp(row.difference_to_best), True)} "
            f"points ({spread(_pp(row.difference_low), _pp(row.difference_high), True)})."
        )
        clauses.append(Clause(text, _numbers(row), (row.strategy,)))
    return clauses


def _forgetters(
    chosen: StrategyRow, measured: Sequence[StrategyRow], titles: dict[str, str]
) -> list[Clause]:
    forgot = [
        row
        for row in measured
        if row is not chosen and row.forgetting_low and row.forgetting_low > 0
    ]
    tied = [row for row in forgot if row.tied_with_best]
    if len(tied) < TOLD_TOGETHER:
        return [_forgot(row, titles) for row in forgot]
    together = sorted(tied, key=lambda row: row.forgetting_points or 0.0)
    names = listed([lowered(titles[row.strategy]) for row in together])
    ends = spread(together[0].forgetting_points, together[-1].forgetting_points)
    said = Clause(
        f"{capitalised(names)} forgot {ends} points for no gain we can measure.",
        tuple((titles[row.strategy], _forgotten(row)) for row in together),
        tuple(row.strategy for row in together),
    )
    return [said, *(_forgot(row, titles) for row in forgot if row not in tied)]


def _forgot(row: StrategyRow, titles: dict[str, str]) -> Clause:
    gain = " for no gain we can measure" if row.tied_with_best else ""
    ends = spread(row.forgetting_low, row.forgetting_high)
    text = f"{titles[row.strategy]} forgot {points(row.forgetting_points)} points ({ends}){gain}."
    return Clause(text, _numbers(row), (row.strategy,))


def _undertrained(
    chosen: StrategyRow, measured: Sequence[StrategyRow], titles: dict[str, str]
) -> list[Clause]:
    """Say of a loser that it had not even learned its training images: the budget lost, not it."""
    late = [
        row
        for row in measured
        if row.steps
        and not row.tied_with_best
        and row.train_accuracy is not None
        and row.train_accuracy < (chosen.test_accuracy or 0.0)
    ]
    if not late:
        return []
    names = listed([lowered(titles[row.strategy]) for row in late])
    text = (
        f"{capitalised(names)} had not learned even the training images when the budget "
        "ended: a larger budget may change that place."
    )
    numbers = [(titles[row.strategy], f"{percent(row.train_accuracy)} on training") for row in late]
    return [Clause(text, tuple(numbers), tuple(row.strategy for row in late))]


def _baseline(
    started: ComparisonStarted, chosen: StrategyRow, titles: dict[str, str]
) -> list[Clause]:
    """Say so when even the recommended strategy may be guessing."""
    majority = started.majority_accuracy
    if chosen.ci_low is None or chosen.ci_low > majority:
        return []
    text = (
        f"Caution: {lowered(titles[chosen.strategy])} is not clearly better than always guessing "
        f"the most frequent class ({percent(majority)})."
    )
    return [Clause(text, (("Majority class", percent(majority)),), (chosen.strategy,))]


def _would_change(
    found: Record,
    chosen: StrategyRow,
    measured: Sequence[StrategyRow],
    titles: dict[str, str],
) -> Clause | None:
    """Name the strategy nearest to beating the recommended one, and how much it lacks."""
    gaps = {}
    for row in measured:
        if row is not chosen:
            gaps[row.strategy] = _paired(found, row.strategy, chosen.strategy)
    known = {name: gap for name, gap in gaps.items() if gap is not None}
    if not known:
        return None
    rival = max(known, key=lambda name: known[name].low)
    gap = known[rival]
    if gap.low > 0:
        return None
    lacks = points(-100 * gap.low)
    gained = "anything at all" if lacks == points(0.0) else f"{lacks} points"
    text = f"Would change if {lowered(titles[rival])} gained {gained}."
    label = f"{titles[rival]} minus {lowered(titles[chosen.strategy])}, paired"
    value = f"{points(100 * gap.value, True)} ({spread(100 * gap.low, 100 * gap.high, True)})"
    return Clause(text, ((label, value),), (rival, chosen.strategy))


def _paired(found: Record, first: str, second: str) -> stats.Interval | None:
    a, b = pairing.matrix(found, first), pairing.matrix(found, second)
    return None if a is None or b is None else pairing.difference(a, b)


def _certainty(started: ComparisonStarted, rows: Sequence[StrategyRow]) -> Clause:
    seeds = max((row.seeds for row in rows), default=0)
    images = started.dataset.n_test_all_seeds if seeds == started.config.seeds else 0
    images = images or started.dataset.n_test
    if seeds <= 1:
        text = f"{number_of(images, 'test image')}, one seed: this split and this start only."
    else:
        text = f"{number_of(images, 'test image')} over {seeds} seeds."
    gap = points(100 * stats.smallest_visible_gap(images))
    return Clause(text, (("Gaps that would look like ties, about", f"{gap} points"),), ())


def _numbers(row: StrategyRow) -> tuple[tuple[str, str], ...]:
    found = [("Test accuracy", _accuracy(row))]
    if row.difference_low is not None:
        ends = spread(_pp(row.difference_low), _pp(row.difference_high), True)
        found.append(
            (
                "Paired difference to the best",
                f"{points(_pp(row.difference_to_best), True)} ({ends})",
            )
        )
    if row.forgetting_points is not None:
        found.append(("Forgetting", _forgotten(row)))
    if row.agreement is not None:
        found.append(("Agreement with the original model", percent(row.agreement)))
    found.append(("Time for one training", duration(row.train_seconds)))
    return tuple(found)


def _forgotten(row: StrategyRow) -> str:
    ends = spread(row.forgetting_low, row.forgetting_high, True)
    return f"{points(row.forgetting_points, True)} points ({ends})"


def _accuracy(row: StrategyRow) -> str:
    return f"{percent(row.test_accuracy)}, {percent(row.ci_low)} to {percent(row.ci_high)}"


def _pp(share: float | None) -> float | None:
    return None if share is None else 100 * share
