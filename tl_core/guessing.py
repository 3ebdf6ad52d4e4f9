"""A guess made before a comparison, answered by what it measured."""

from collections.abc import Mapping, Sequence

from tl_core.record import Record
from tl_core.tables import StrategyRow
from tl_core.verdict import Verdict
from tl_core.wording import listed, lowered, points, spread


def answer(
    guess: str, found: Record, rows: Sequence[StrategyRow], said: Verdict | None
) -> str | None:
    """Return one sentence on a guessed strategy (its name), None without a guess or any result.

    A strategy that is tied is never said to have lost, or to have won.
    """
    by_name = {row.strategy: row for row in rows if row.test_accuracy is not None}
    titles = {strategy.name: lowered(strategy.title) for strategy in found.strategies}
    if guess not in titles or not by_name:
        return None
    lead = f"You guessed {titles[guess]}"
    if guess not in by_name:
        return f"{lead}, which was not measured."
    if said is None or said.recommended is None:
        return f"{lead}; there is nothing to compare it with yet."
    chosen = by_name[said.recommended]
    if guess == said.recommended:
        return f"{lead}, and it is recommended{_company(chosen, by_name, titles)}."
    return f"{lead}; {titles[chosen.strategy]} is recommended, {_standing(by_name[guess], chosen)}."


def _company(
    chosen: StrategyRow, by_name: Mapping[str, StrategyRow], titles: Mapping[str, str]
) -> str:
    others = [
        titles[row.strategy] for row in by_name.values() if row.tied_with_best and row is not chosen
    ]
    return f"; tied in accuracy: {listed(others)}" if others else ": it is the best"


def _standing(guessed: StrategyRow, chosen: StrategyRow) -> str:
    """Return how a guess stands against what is recommended instead."""
    if not guessed.tied_with_best:
        low, high = (
            100 * (end or 0.0) for end in (guessed.difference_low, guessed.difference_high)
        )
        gap = points(100 * (guessed.difference_to_best or 0.0), True)
        return (
            f"your guess is clearly worse than the best: {gap} points ({spread(low, high, True)})"
        )
    if 0 in (guessed.difference_to_best, chosen.difference_to_best):
        return "they are tied"
    return "both are tied with the best"


def tally(
    guesses: Sequence[str], recommended: Sequence[str], titles: Mapping[str, str]
) -> list[tuple[str, int, int]]:
    """Return (title, how often guessed, how often recommended) of strategies that occur in either.

    `guesses` are names of strategies, `recommended` titles, `titles` by name in the order wanted.
    """
    found = [
        (title, guesses.count(name), recommended.count(title)) for name, title in titles.items()
    ]
    return [line for line in found if line[1] or line[2]]
