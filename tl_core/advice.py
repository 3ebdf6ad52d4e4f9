"""Which strategy to try first: the textbook's rule as a prior, then what was measured.

The rule is the one of Stanford's cs231n notes: few images like the source's: a linear head; few
and unlike: start from earlier layers; many: fine-tune. No source gives thresholds that hold in
general; those below are priors and are called so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tl_core.answers import Distance, Ranking, Soundness
from tl_core.domain import FAR_MMD
from tl_core.record import Record
from tl_core.tables import StrategyRow
from tl_core.verdict import verdict
from tl_core.wording import lowered, number_of, percent, points, spread

# Training images of a class under which they are few, and from which on they are many.
FEW_PER_CLASS: Final = 100
MANY_PER_CLASS: Final = 1000
_DISTANCE, _SCORE = "mmd", "logme"

Basis = Literal["textbook", "data check", "ranking", "measured"]
BASES: Final[dict[Basis, str]] = {
    "textbook": "Textbook: a prior, nothing measured",
    "data check": "Measured by the data check",
    "ranking": "Measured by ranking models",
    "measured": "Measured by this comparison",
}
Likeness = Literal["like", "unlike", "unknown"]


@dataclass(frozen=True)
class Sentence:
    """One piece of advice and what it rests on."""

    text: str
    basis: Basis


@dataclass(frozen=True)
class Advice:
    """`first`: the strategy that the rule says to try first; `sentences` in reading order."""

    first: str
    sentences: tuple[Sentence, ...]


def advice(
    found: Record,
    rows: Sequence[StrategyRow],
    soundness: Soundness | None = None,
    ranking: Ranking | None = None,
) -> Advice | None:
    """Return what the rule says and where the measurement disagrees; None before it has started.

    `soundness` tells how far the images lie from the source's, `ranking` which model they suit.
    """
    if found.started is None:
        return None
    each = found.started.dataset.n_train / len(found.started.dataset.classes)
    distance = _distance(soundness)
    likeness: Likeness = "unknown"
    if distance is not None:
        likeness = "unlike" if distance.value >= FAR_MMD else "like"
    first = rule(each, likeness)
    sentences = [_prior(first, each, likeness)]
    if distance is not None:
        sentences.append(_likeness(distance))
    if ranking is not None and ranking.models:
        sentences += _ranked(ranking, found.started.config.backbone)
    sentences += _measured(found, rows, first)
    return Advice(first, tuple(sentences))


def rule(images_per_class: float, likeness: Likeness) -> str:
    """Return the strategy to try first, by training images of a class and likeness to the source.

    Of few images whose likeness is unknown the linear head goes first: it is the cheapest to try.
    """
    if images_per_class >= MANY_PER_CLASS:
        return "full_fine_tuning"
    if images_per_class >= FEW_PER_CLASS or likeness == "unlike":
        return "partial_fine_tuning"
    return "feature_extraction"


_TITLES: Final = {
    "feature_extraction": "feature extraction (a linear head on frozen features)",
    "partial_fine_tuning": "partial fine-tuning (from earlier layers on)",
    "full_fine_tuning": "full fine-tuning",
}


def _distance(soundness: Soundness | None) -> Distance | None:
    known = soundness.distances if soundness else ()
    return next((one for one in known if one.name == _DISTANCE), None)


def _prior(first: str, each: float, likeness: Likeness) -> Sentence:
    amount = "few" if each < FEW_PER_CLASS else "many" if each >= MANY_PER_CLASS else "some"
    like = {
        "like": " that look like the source images",
        "unlike": " that do not look like the source images",
        "unknown": "",
    }[likeness]
    return Sentence(
        f"With {amount} labelled images ({each:.0f} of a class in training){like}, try "
        f"{_TITLES[first]} first. Few is under {FEW_PER_CLASS}, many from {MANY_PER_CLASS:,} on: "
        "rules of thumb, no source gives one threshold.",
        "textbook",
    )


def _likeness(distance: Distance) -> Sentence:
    unlike = distance.value >= FAR_MMD
    return Sentence(
        f"Your images {'do not look' if unlike else 'look'} like the source images: "
        f"{distance.title} {distance.value:.3f} (the source with itself up to "
        f"{distance.null_high:.3f}; {FAR_MMD} and more counts as unlike here, a rule of thumb).",
        "data check",
    )


def _ranked(ranking: Ranking, used: str) -> list[Sentence]:
    scored = [model for model in ranking.models if _SCORE in model.scores]
    if not scored:
        return []
    order = sorted(scored, key=lambda model: -model.scores[_SCORE].value)
    best, score = order[0], order[0].scores[_SCORE]
    place = next((number for number, one in enumerate(order, 1) if one.model == used), None)
    mine = f"; the one used here is number {place}" if place not in (None, 1) else ""
    text = (
        f"Of {number_of(len(order), 'model')} on this machine LogME puts {best.title} first "
        f"({score.value:.3f}, with shuffled labels {score.shuffled:.3f}){mine}. It ranks source "
        "models; it says nothing of strategies."
    )
    if score.value <= score.shuffled:
        text = (
            "No model on this machine has features that tell your classes apart better than "
            f"shuffled labels (LogME {score.value:.3f} against {score.shuffled:.3f})."
        )
    return [Sentence(text, "ranking")]


def _measured(found: Record, rows: Sequence[StrategyRow], first: str) -> list[Sentence]:
    """Return whether the measurement bears the rule out."""
    said = verdict(found, rows)
    by_name = {row.strategy: row for row in rows if row.test_accuracy is not None}
    if said is None or said.recommended is None:
        return [Sentence("Too little was measured to confirm or correct the rule.", "measured")]
    titles = {strategy.name: lowered(strategy.title) for strategy in found.strategies}
    best, tried = by_name[said.recommended], by_name.get(first)
    reached = f"{titles[best.strategy]} ({percent(best.test_accuracy)})"
    if tried is None:
        text = f"The rule's first choice was not run; among the rest, use {reached}."
    elif tried is best:
        text = f"The measurement agrees: use {reached}."
    elif tried.tied_with_best:
        text = (
            f"The measurement does not contradict the rule: {titles[first]} "
            f"({percent(tried.test_accuracy)}) is tied with the best. Recommended is {reached}, "
            "which forgot or cost less."
        )
    else:
        ends = spread(
            100 * (tried.difference_low or 0.0), 100 * (tried.difference_high or 0.0), True
        )
        text = (
            f"The measurement disagrees with the rule: {titles[first]} lies "
            f"{points(100 * (tried.difference_to_best or 0.0), True)} points ({ends}) from the "
            f"best. Trust the measurement: use {reached}."
        )
    return [Sentence(text, "measured")]
