"""What checks of the data and of their preprocessing found, where they were asked for."""

from tl_core.answers import Soundness
from tl_core.domain import FAR_MMD
from tl_core.flags.flag import Evidence, Flag, said
from tl_core.stats import Interval
from tl_core.wording import number_of, percent

# Findings of the data check, by kind, that flags of their own speak of.
MODALITY = ("mixed_colour", "constant_channel")
INPUT_SIZE = ("upscaled", "extreme_aspect", "low_contrast")
_CHECK = "Press Check my data on the Data page, with the same images and model."


def preprocessing_mismatch(evidence: Evidence) -> list[Flag]:
    """Repeat what the input check found wrong with the images as they reach the network."""
    found = evidence.stress
    if found is None and evidence.soundness is not None:
        return [_handed_over(evidence.soundness.mismatch, evidence.soundness.images, ())]
    if found is None:
        return [
            Flag(
                state="unknown",
                text="Whether the images reach the network as its weights expect was not checked.",
                remedy="Press Check my data on the Data page, or try the mistakes of preprocessing "
                "on the Model page: both look at this first.",
            )
        ]
    worst = max(found.variants, key=lambda one: one.target_loss.value, default=None)
    numbers = [
        ("Accuracy of the probe, handed over as it should be", percent(found.target_accuracy))
    ]
    if worst is not None:
        loss = Interval(worst.target_loss.value, worst.target_loss.low, worst.target_loss.high)
        numbers.append((f"Costliest mistake, {worst.name.replace('_', ' ')}", said(loss)))
    return [_handed_over(found.mismatch, found.images, tuple(numbers))]


def _handed_over(mismatch: str, images: int, evidence: tuple[tuple[str, str], ...]) -> Flag:
    return Flag(
        state="raised" if mismatch else "clear",
        text=mismatch
        or f"{number_of(images, 'image')} reach the network with the values and the channel order "
        "that its weights expect.",
        baseline="the preprocessing of the model's weights",
        remedy="Bring the images as ordinary RGB files; check how they were made, and the "
        "weights, if you brought them yourself."
        if mismatch
        else "",
        evidence=evidence,
    )


def domain_mismatch(evidence: Evidence) -> list[Flag]:
    """Judge whether the images lie far from the source images, as such distances go."""
    found = evidence.soundness
    if found is None or not found.distances:
        why = (
            "was not measured" if found is None else "was not measured: there were no source images"
        )
        return [
            Flag(
                state="unknown",
                text=f"How far your images lie from what the model was trained on {why}.",
                remedy=_CHECK if found is None else "Bring source images on the Data page.",
            )
        ]
    mmd = next(one for one in found.distances if one.name == "mmd")
    numbers = tuple(
        (one.title, f"{one.value:.3g}; source with itself up to {one.null_high:.3g}")
        for one in found.distances
    )
    away = mmd.value > max(FAR_MMD, mmd.null_high)
    text = f"{mmd.title} to the {found.source_images:,} source images is {mmd.value:.3f}"
    return [
        Flag(
            state="raised" if away else "clear",
            text=f"{text}: your images are another kind of picture ({FAR_MMD} and more counts as "
            "far). That is no fault; the further away, the less a frozen backbone may fit."
            if away
            else f"{text}: near, as distances between picture sets go (far is from {FAR_MMD} on).",
            baseline="the source images",
            remedy="Give fine-tuning of deeper blocks and training from scratch a try, and look "
            "for a model whose source images are nearer."
            if away
            else "",
            evidence=numbers,
        )
    ]


def data_faults(evidence: Evidence) -> list[Flag]:
    """Repeat the serious findings of the data check."""
    found = evidence.soundness
    if found is None:
        return [_unchecked("The images were not checked for copies, wrong labels and blanks.")]
    serious = [
        one
        for one in found.findings
        if one.severity == "serious" and one.kind not in (*MODALITY, *INPUT_SIZE)
    ]
    if serious:
        return [
            Flag(
                state="raised",
                text=f"{one.title}: {one.text}",
                remedy=one.remedy,
                evidence=(("Images", f"{len(one.images):,}"),) if one.images else (),
            )
            for one in serious
        ]
    return [
        Flag(
            state="clear",
            text=f"Nothing serious was found in {number_of(found.images, 'image')}.",
        )
    ]


def modality(evidence: Evidence) -> list[Flag]:
    """Repeat what the data check says of the kind of images."""
    return _of_kinds(
        evidence,
        MODALITY,
        "Whether your images are of a kind that the model can take was not checked.",
        "No colour channel is missing, and no class alone is grey.",
    )


def input_size(evidence: Evidence) -> list[Flag]:
    """Repeat what the data check says of the images' size against the model's input."""
    return _of_kinds(
        evidence,
        INPUT_SIZE,
        "Whether your images have the resolution that the model takes was not checked.",
        "The images are large enough for the model's input, none is very long or flat.",
    )


def _of_kinds(evidence: Evidence, kinds: tuple[str, ...], unknown: str, good: str) -> list[Flag]:
    found: Soundness | None = evidence.soundness
    if found is None:
        return [_unchecked(unknown)]
    raised = [
        Flag(
            state="raised",
            text=f"{one.title}: {one.text}",
            remedy=one.remedy,
            evidence=(("Images", f"{len(one.images):,}"),) if one.images else (),
        )
        for one in found.findings
        if one.kind in kinds and one.severity != "fine"
    ]
    return raised or [Flag(state="clear", text=good)]


def _unchecked(text: str) -> Flag:
    return Flag(state="unknown", text=text, remedy=_CHECK)
