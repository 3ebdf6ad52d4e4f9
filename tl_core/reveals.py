"""What a lesson's comparisons measured: pure functions of the records, never a fixed outcome."""

from collections.abc import Callable, Sequence

from tl_core import outcomes, stats
from tl_core.dots import Dot
from tl_core.effects import effects
from tl_core.lessons import Lesson
from tl_core.outcomes import NotMeasured, Outcome, Reply
from tl_core.outcomes.outcome import (
    accuracy_dot,
    comparison,
    floor_dot,
    gap_text,
    hits,
    reads,
    scaled,
)
from tl_core.record import Record
from tl_core.tables import rows
from tl_core.wording import lowered, percent

_FROZEN, _FULL, _SCRATCH = "feature_extraction", "full_fine_tuning", "from_scratch"


def few_labels(replies: Sequence[Reply]) -> Outcome:
    """Hold a frozen pretrained backbone against training from scratch."""
    return _against(replies, _FROZEN, _SCRATCH)


def negative_transfer(replies: Sequence[Reply]) -> Outcome:
    """Hold training from scratch against a frozen pretrained backbone."""
    return _against(replies, _SCRATCH, _FROZEN)


def freezing_depth(replies: Sequence[Reply]) -> Outcome:
    """Hold training everything against a frozen backbone."""
    return _against(replies, _FULL, _FROZEN)


def _against(replies: Sequence[Reply], first: str, second: str) -> Outcome:
    """Return the accuracy of one strategy minus another's, paired; beside all that were run."""
    found = comparison(replies)
    gap = scaled(stats.paired_interval(hits(found, first), hits(found, second)))
    one, other = accuracy_dot(found, first), accuracy_dot(found, second)
    measured = [row.strategy for row in rows(found) if row.test_accuracy is not None]
    dots = tuple(accuracy_dot(found, name) for name in measured)
    sentence = f"{one.label} reaches {reads(one)}, {lowered(other.label)} {reads(other)}: "
    tie = "" if gap.low > 0 or gap.high < 0 else " They are tied."
    return Outcome(gap, not tie, f"{sentence}{gap_text(gap)}.{tie}", dots=(*dots, floor_dot(found)))


def forgetting(replies: Sequence[Reply]) -> Outcome:
    """Tell what full fine-tuning cost the source task, and whether anything was gained for it."""
    shown = outcomes.OUTCOMES["forgetting"](replies)
    found = comparison(replies)
    gain = scaled(stats.paired_interval(hits(found, _FULL), hits(found, _FROZEN)))
    worth = "a gain" if gain.low > 0 else "a loss" if gain.high < 0 else "no measurable gain"
    sentence = f"{shown.sentence} On the new images that is {worth}: {gap_text(gain)}."
    return Outcome(shown.measure, shown.shown, sentence, shown.axis, shown.dots, shown.otherwise)


def imbalance(replies: Sequence[Reply]) -> Outcome:
    """Tell what weighing rare classes did to balanced accuracy, paired over the same images."""
    runs = [reply for reply in replies if isinstance(reply, Record) and reply.started]
    if len(runs) < 2:
        raise NotMeasured("Both comparisons have to be measured.")
    found = {one.strategy: one for one in effects(runs[0], runs[1])}.get(_FROZEN)
    if found is None:
        raise NotMeasured("The two comparisons have no test images in common.")
    change, plain = scaled(found.balanced_accuracy), scaled(found.accuracy)
    before, after = (_balanced(run) for run in runs)
    sentence = (
        f"Balanced accuracy goes from {percent(before)} to {percent(after)}: {gap_text(change)}. "
        f"Plain accuracy: {gap_text(plain)}."
    )
    dots = (
        Dot("Balanced accuracy", change, strategy=_FROZEN),
        Dot("Accuracy", plain, strategy=_FROZEN),
    )
    is_shown = change.low > 0 or change.high < 0
    return Outcome(change, is_shown, sentence, "Change by weighing rare classes (points)", dots)


def _balanced(found: Record) -> float | None:
    return next(row.balanced_accuracy for row in rows(found) if row.strategy == _FROZEN)


REVEALS: dict[str, Callable[[Sequence[Reply]], Outcome]] = {
    "few_labels": few_labels,
    "negative_transfer": negative_transfer,
    "forgetting": forgetting,
    "freezing_depth": freezing_depth,
    "imbalance": imbalance,
    "leakage": outcomes.OUTCOMES["duplicates"],
    "learning_rate": outcomes.OUTCOMES["sensitivity"],
    "calibration": outcomes.OUTCOMES["overconfidence"],
}


def reveal(lesson: Lesson, replies: Sequence[Reply]) -> Outcome:
    """Return what a lesson's comparisons, in order, measured.

    Raises NotMeasured with a sentence for the user where something is missing.
    """
    return REVEALS[lesson.name](replies)
