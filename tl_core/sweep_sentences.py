"""What a sweep says, in sentences: chosen by what was varied."""

from tl_core.config import ComparisonConfig
from tl_core.crossovers import crossover_text, crossovers, textbook_text
from tl_core.learning_curve import LearningCurve, gain_sentence, learning_curves
from tl_core.sweep_changes import change_sentences, changes
from tl_core.swept import Swept


def curves_of(found: Swept) -> list[LearningCurve]:
    """Return the learning curves of a sweep over labels, none of other sweeps."""
    is_labels = found.sweep is not None and found.sweep.name == "labels"
    return learning_curves(found) if is_labels else []


def sentences(found: Swept, base: ComparisonConfig, curves: list[LearningCurve]) -> list[str]:
    """Return what was found; `curves` are `curves_of` the same sweep."""
    if found.sweep is None:
        return []
    failed = [
        f"{found.sweep.points[place].label} could not be measured: {reason}"
        for place, reason in sorted(found.failed.items())
    ]
    if found.sweep.name != "labels":
        return [*change_sentences(changes(found, base)), *failed]
    said = [gain_sentence(curve) for curve in curves]
    if sum(record.started is not None for record in found.records.values()) > 1:
        said.append(crossover_text(crossovers(found)))
    started = [r.started for r in found.records.values() if r.started is not None]
    if started:
        said.append(textbook_text(max(one.dataset.n_train for one in started)))
    return [*said, *failed]
