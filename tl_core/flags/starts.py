"""Did every training start: none failed, diverged or stayed at guessing?"""

from tl_core import stats
from tl_core.flags.flag import FINISH, Evidence, Flag, in_points
from tl_core.learning import Starts, starts
from tl_core.stats import Interval
from tl_core.wording import listed, lowered, number_of, percent


def failed_starts(evidence: Evidence) -> list[Flag]:
    """Count trainings that failed, diverged or never left guessing, with Wilson's interval."""
    found = starts(evidence.found)
    total, bad = sum(one.runs for one in found), sum(one.bad for one in found)
    if not total:
        return [
            Flag(state="unknown", text="No strategy with a training loop was run.", remedy=FINISH)
        ]
    value = in_points(Interval(bad / total, *stats.wilson(bad / total, total)))
    what = "failed, diverged or stayed at guessing"
    text = f"All {number_of(total, 'training')} started well: none {what}."
    if bad:
        which = listed([lowered(one.title) for one in found if one.bad])
        text = (
            f"{bad} of {number_of(total, 'training')} {what} ({percent(bad / total)}, "
            f"{value.low:.1f}% to {value.high:.1f}%): {which}."
        )
    return [
        Flag(
            state="raised" if bad else "clear",
            text=text,
            value=value,
            unit="percent",
            baseline="always guessing the most frequent class",
            remedy="Try a smaller learning rate or a larger budget; more seeds tell whether it was "
            "bad luck."
            if bad
            else "",
            evidence=_numbers(evidence, found),
        )
    ]


def _numbers(evidence: Evidence, found: list[Starts]) -> tuple[tuple[str, str], ...]:
    numbers = []
    for one in found:
        faults = f"{one.failed} failed, {one.diverged} diverged, {one.stuck} stayed at guessing"
        numbers.append((one.title, f"{number_of(one.runs, 'run')}: {faults}"))
        row = evidence.row(one.strategy)
        if row is not None and row.steps_to_95 is not None:
            numbers.append((f"{one.title}, steps to 95%", f"{row.steps_to_95:.0f}"))
    return tuple(numbers)
