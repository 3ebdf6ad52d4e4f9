"""What answers to questions showed, and what the catalog says."""

from collections.abc import Sequence

from tl_core.answers import Estimate, Soundness, Stress
from tl_core.catalog import catalog
from tl_core.domain import FAR_MMD
from tl_core.dots import Dot
from tl_core.outcomes.outcome import NotMeasured, Outcome, Reply, exactly, first
from tl_core.variants import VARIANTS
from tl_core.wording import points, spread

_PROBE = "feature_extraction"


def _worst_mistakes(replies: Sequence[Reply]) -> Outcome:
    """Tell what the first of the tried mistakes costs, beside all others."""
    found = first(replies, Stress)
    dots = tuple(
        Dot(VARIANTS[one.name].title, one.target_loss, strategy=_PROBE) for one in found.variants
    )
    asked = dots[0]
    loss = asked.estimate
    seen = "notices" if found.variants[0].noticed else "does not notice"
    sentence = (
        f"{asked.label}: the linear probe loses {points(loss.value)} points "
        f"({spread(loss.low, loss.high, True)}) on {found.images} test images. The app's own check "
        f"{seen} that."
    )
    return Outcome(loss, loss.low > 0, sentence, "Accuracy lost (points)", dots)


preprocessing = modality = _worst_mistakes


def domain_mismatch(replies: Sequence[Reply]) -> Outcome:
    """Tell how far the images lie from the source images, by MMD, beside what chance gives."""
    found = first(replies, Soundness)
    mmd = next((one for one in found.distances if one.name == "mmd"), None)
    if mmd is None:
        raise NotMeasured("There are too few images or source images to measure a distance.")
    chance = Estimate(
        value=(mmd.null_low + mmd.null_high) / 2, low=mmd.null_low, high=mmd.null_high
    )
    dots = (
        Dot("These images to the source images", exactly(mmd.value), strategy=_PROBE),
        Dot("Source images to each other, 95%", chance),
        Dot("Counts as far, by rule of thumb", exactly(FAR_MMD)),
    )
    sentence = (
        f"{mmd.title} to the source images is {mmd.value:.3f}; chance gives up to "
        f"{mmd.null_high:.3f} between source images, and from {FAR_MMD} on counts as far."
    )
    return Outcome(
        exactly(mmd.value),
        mmd.value > max(FAR_MMD, mmd.null_high),
        sentence,
        f"{mmd.title} between features",
        dots,
        otherwise=f"Not this time: under {FAR_MMD}, as between sets that are alike.",
    )


def licences(replies: Sequence[Reply]) -> Outcome:
    """Count the models of the catalog whose terms plainly allow commercial use."""
    answers = [row.weights.may_be_sold for row in catalog().values()]
    allowed, total = answers.count("yes"), len(answers)
    sentence = (
        f"{allowed} of {total} models may plainly be used commercially, {answers.count('no')} may "
        f"not, and for {answers.count('unclear')} nobody says so."
    )
    return Outcome(
        exactly(100 * allowed / total),
        allowed < total,
        sentence,
        otherwise="Not here: all of them may be used.",
    )
