"""What a sweep says, in sentences: what more labels buy, or what each point changes."""

from tl_core.config import ComparisonConfig
from tl_core.learning_curve import LearningCurve, learning_curves
from tl_core.range_test import findings
from tl_core.sweep_changes import change_sentences, changes
from tl_core.sweep_text import sentences
from tl_core.swept import Swept
from tl_core.wording import listed, lowered


def curves_of(found: Swept) -> list[LearningCurve]:
    """Return the learning curves of a sweep over labels, none of other sweeps."""
    is_labels = found.sweep is not None and found.sweep.name == "labels"
    return learning_curves(found) if is_labels else []


def said(found: Swept, base: ComparisonConfig) -> list[str]:
    """Return what was found and what could not be measured; `base`: what the sweep varies."""
    if found.sweep is None:
        return []
    lines = [line for text in sentences(found) for line in text.splitlines()]
    if found.sweep.name != "labels":
        lines = [*change_sentences(changes(found, base)), *lines]
    rate = unstable_from(found)
    if rate is not None:
        lines.append(f"From a learning rate of {rate:.2g} on, not every loss falls any more.")
    lines = _together(lines)
    failed = [
        f"{found.sweep.points[place].label} could not be measured: {reason}"
        for place, reason in sorted(found.failed.items())
    ]
    return [*lines, *failed]


def unstable_from(found: Swept) -> float | None:
    """Return the lowest rate from which some strategy's loss no longer falls, None if all do."""
    runs = (run for record in found.records.values() for run in record.ended.values())
    known = [one.unstable_from for one in findings(runs) if one.unstable_from is not None]
    return min(known, default=None)


def _together(lines: list[str]) -> list[str]:
    """Return the lines with those in one that say the same of several strategies."""
    subjects: dict[str, list[str]] = {}
    for line in lines:
        subject, colon, rest = line.partition(": ")
        subjects.setdefault(rest if colon else line, []).append(subject if colon else "")
    return [
        f"{_named(names)}: {rest}" if names != [""] else rest for rest, names in subjects.items()
    ]


def _named(names: list[str]) -> str:
    return listed([names[0], *map(lowered, names[1:])])
