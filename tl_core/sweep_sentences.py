"""What a sweep says, in sentences: what more labels buy, or what each point changes."""

from collections.abc import Sequence

from tl_core import transferability
from tl_core.answers import Ranking
from tl_core.config import ComparisonConfig
from tl_core.crossovers import crossover_text, crossovers, textbook_text
from tl_core.learning_curve import LearningCurve, gain_sentence, learning_curves
from tl_core.range_test import findings
from tl_core.sweep_changes import change_sentences, changes
from tl_core.swept import Swept
from tl_core.tables import memory_note
from tl_core.track_record import best_accuracy
from tl_core.transferability import FEWEST_MODELS, SCORES
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
    short = [
        f"{found.sweep.points[place].label}: {note}"
        for place, record in sorted(found.records.items())
        if (note := memory_note(record))
    ]
    return [*lines, *short, *failed]


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


def sentences(found: Swept) -> list[str]:
    """Return what a sweep as a whole says: what more labels buy, whether the scores were right."""
    assert found.sweep is not None
    if found.sweep.name == "labels":
        curves = [gain_sentence(curve) for curve in learning_curves(found)]
        return ["\n".join(curves), crossover_text(crossovers(found)), _textbook(found)]
    if found.sweep.name == "model" and found.ranking is not None:
        return [agreement(found.ranking, found)]
    return []


def _textbook(found: Swept) -> str:
    images = [one.started.dataset.n_train for one in found.records.values() if one.started]
    return textbook_text(max(images)) if images else ""


def agreement(ranking: Ranking, found: Swept) -> str:
    """Return how well each score foretold the best accuracy of each model, as a sentence."""
    taus = score_agreement(ranking, found)
    if not taus:
        return f"Were the scores right? That can be told from {FEWEST_MODELS} models on."
    said = ", ".join(f"{SCORES[name].title} {_signed(tau)}" for name, tau in taus.items())
    return (
        f"Agreement of the scores with what was measured (weighted Kendall tau, −1 to 1): {said}."
    )


def score_agreement(ranking: Ranking, found: Swept) -> dict[str, float]:
    """Return each score's weighted Kendall tau with the best accuracies, from five models on."""
    reached = {
        one.started.config.backbone: accuracy
        for one in found.records.values()
        if one.started is not None and (accuracy := best_accuracy(one)) is not None
    }
    names: Sequence[str] = list(dict.fromkeys(n for one in ranking.models for n in one.scores))
    taus = {
        name: transferability.agreement_with(
            {one.model: one.scores[name].value for one in ranking.models if name in one.scores},
            reached,
        )
        for name in names
    }
    return {name: tau for name, tau in taus.items() if tau is not None}


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\u2212")
