"""What a sweep says, in sentences: what more labels buy, or what each point changes."""

from tl_core.config import ComparisonConfig
from tl_core.learning_curve import LearningCurve, learning_curves
from tl_core.sweep_changes import change_sentences, changes
from tl_core.sweep_text import sentences
from tl_core.swept import Swept


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
    failed = [
        f"{found.sweep.points[place].label} could not be measured: {reason}"
        for place, reason in sorted(found.failed.items())
    ]
    return [*lines, *failed]
