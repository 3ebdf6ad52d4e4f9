"""From what a pitfall's small experiment measured to what its card says."""

from collections.abc import Callable, Sequence

from tl_core.outcomes import asked, groups, trained
from tl_core.outcomes.groups import largest_class, under_mixture
from tl_core.outcomes.outcome import NotMeasured, Outcome, Reply
from tl_core.pitfalls import Pitfall

__all__ = [
    "OUTCOMES",
    "NotMeasured",
    "Outcome",
    "Reply",
    "largest_class",
    "outcome",
    "under_mixture",
]

OUTCOMES: dict[str, Callable[[Sequence[Reply]], Outcome]] = {
    "negative_transfer": trained.negative_transfer,
    "forgetting": trained.forgetting,
    "domain_mismatch": asked.domain_mismatch,
    "source_bias": groups.source_bias,
    "licences": asked.licences,
    "overfitting": trained.overfitting,
    "overconfidence": trained.overconfidence,
    "sensitivity": trained.sensitivity,
    "preprocessing": asked.preprocessing,
    "modality": asked.modality,
    "label_shift": groups.label_shift_outcome,
    "duplicates": groups.duplicates,
}


def outcome(pitfall: Pitfall, replies: Sequence[Reply]) -> Outcome:
    """Return what an experiment showed; `replies` are the results of its parts, in order.

    Raises NotMeasured with a sentence for the user where something is missing.
    """
    return OUTCOMES[pitfall.name](replies)
