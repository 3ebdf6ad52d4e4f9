"""Was everything run that has to be beaten, and is it beaten?"""

from tl_core.flags.flag import AGAIN, Evidence, Flag, in_points
from tl_core.stats import Interval
from tl_core.tables import StrategyRow
from tl_core.wording import listed, number_of, percent


def no_baseline(evidence: Evidence) -> list[Flag]:
    """Name the baselines that are missing, and judge whether the recommended one clears the rest.

    The recommended strategy's interval has to lie above the accuracy of always guessing the most
    frequent class and of the nearest neighbour.
    """
    started, chosen = evidence.started, evidence.recommended
    known = {"always guessing the most frequent class": started.majority_accuracy}
    for baseline in started.baselines:
        if baseline.name == "nearest_neighbour":
            known["the nearest neighbour in the model's features"] = baseline.test_accuracy
    row = evidence.row(chosen) if chosen else None
    numbers = tuple((f"Accuracy of {name}", percent(value)) for name, value in known.items())
    flags = [] if row is None else _not_cleared(evidence, row, known, numbers)
    missing = _missing(evidence)
    if missing:
        flags.append(
            Flag(
                state="raised",
                text=f"Not run: {listed(missing)}. Without that, how much of the accuracy is due "
                "to transfer is a guess.",
                remedy=f"Compare again with {listed(missing)}.",
                evidence=numbers,
            )
        )
    if flags:
        return flags
    if len(known) == 1 or row is None:
        why = "no strategy can be recommended yet" if row is None else "it is an older comparison"
        return [
            Flag(
                state="unknown",
                text=f"The recommendation cannot be held against all baselines: {why}.",
                remedy="Compare at least two strategies." if row is None else AGAIN,
                evidence=numbers,
            )
        ]
    text = (
        f"{evidence.titles[row.strategy]} ({percent(row.test_accuracy)}, at least "
        f"{percent(row.ci_low)}) clears {number_of(len(known), 'baseline')} that need no training."
    )
    return [Flag(state="clear", text=text, value=_accuracy(row), unit="points", evidence=numbers)]


def _accuracy(row: StrategyRow) -> Interval:
    return in_points(Interval(row.test_accuracy or 0.0, row.ci_low or 0.0, row.ci_high or 0.0))


def _missing(evidence: Evidence) -> list[str]:
    """Return baselines that could have been run and were not."""
    measured = set(evidence.correct)
    missing = []
    if not any(not s.pretrained and s.name in measured for s in evidence.found.strategies):
        missing.append("training from scratch")
    if evidence.started.zero_shot_applicable and "zero_shot" not in measured:
        missing.append("zero-shot transfer")
    return missing


def _not_cleared(
    evidence: Evidence,
    row: StrategyRow,
    known: dict[str, float],
    numbers: tuple[tuple[str, str], ...],
) -> list[Flag]:
    beaten = [name for name, value in known.items() if (row.ci_low or 0.0) <= value]
    if not beaten:
        return []
    title = evidence.titles[row.strategy]
    ends = f"{percent(row.ci_low)} to {percent(row.ci_high)}"
    return [
        Flag(
            state="raised",
            strategy=row.strategy,
            text=f"{title}, which is recommended, reaches {percent(row.test_accuracy)} ({ends}): "
            f"that is not clearly better than {listed(beaten)}.",
            value=_accuracy(row),
            unit="points",
            baseline=listed(beaten),
            remedy="Do not use any of these strategies yet: bring more labelled images, or another "
            "model.",
            evidence=numbers,
        )
    ]
