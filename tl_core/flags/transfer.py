"""Does pretraining help here at all, and what did the model lose for it?"""

from dataclasses import dataclass

from tl_core import stats
from tl_core.flags.flag import Evidence, Flag, reversed_sign, said, worse_than
from tl_core.pairing import matrix
from tl_core.stats import Interval, Matrix
from tl_core.wording import lowered, number_of, percent

# Points of source accuracy whose loss is called forgetting: less is noise or does not matter.
FORGETTING_POINTS = 5.0

PROBE = "feature_extraction"


@dataclass(frozen=True)
class _Scratch:
    """Training from scratch at the better of its budgets; `name` says which that is."""

    title: str
    name: str
    correct: Matrix


def _from_scratch(evidence: Evidence) -> _Scratch | None:
    strategy = next((s for s in evidence.found.strategies if not s.pretrained), None)
    if strategy is None:
        return None
    title = lowered(strategy.title)
    extended = matrix(evidence.found, strategy.name)
    equal = matrix(evidence.found, strategy.name, kind="equal_steps")
    choices = []
    if extended is not None:
        longer = " with its extended steps" if equal is not None else ""
        choices.append(_Scratch(title, f"{title}{longer}", extended))
    if equal is not None:
        choices.append(_Scratch(title, f"{title} at equal steps", equal))
    return max(choices, key=lambda one: stats.mean(one.correct), default=None)


def negative_transfer(evidence: Evidence) -> list[Flag]:
    """Judge error minus that of training from scratch, paired, Holm over strategies.

    Wang et al. 2019, against the better of from scratch at equal and at extended steps. Zero-shot
    transfer uses no target label, so it is not held against what does.
    """
    scratch = _from_scratch(evidence)
    if scratch is None:
        return [
            Flag(
                state="unknown",
                text="Training from scratch was not run, so nobody can say whether pretraining "
                "helps or hurts on these images.",
                remedy="Compare again with training from scratch among the strategies.",
            )
        ]
    learning = {s.name for s in evidence.found.strategies if s.pretrained and s.solver != "none"}
    others = {name: hits for name, hits in evidence.correct.items() if name in learning}
    found = worse_than(scratch.correct, others)
    if not found:
        return [
            Flag(
                state="unknown",
                text="No pretrained strategy has been trained on the images that training from "
                "scratch was tested on.",
                remedy="Compare again with a pretrained strategy.",
            )
        ]
    return _losers(
        evidence,
        found,
        scratch.name,
        stats.mean(scratch.correct),
        "is {gap} less accurate than {baseline}: what the model learnt before is in the way here.",
        f"Use {scratch.title}, or train more of the model's "
        "blocks; a model whose source task is nearer to yours may do better.",
        "No pretrained strategy is measurably less accurate than {baseline}.",
    )


def harmful_fine_tuning(evidence: Evidence) -> list[Flag]:
    """Judge every fine-tuned strategy against the linear probe, paired, Holm over strategies."""
    tuned = {s.name for s in evidence.found.strategies if s.pretrained and s.solver == "steps"}
    probe = evidence.correct.get(PROBE)
    others = {name: hits for name, hits in evidence.correct.items() if name in tuned}
    found = worse_than(probe, others) if probe is not None else {}
    if probe is None or not found:
        lacking = "Feature extraction" if probe is None else "No fine-tuned strategy"
        verb = "was not run" if probe is None else "was run"
        return [
            Flag(
                state="unknown",
                text=f"{lacking} {verb}, so there is nothing to hold against the other.",
                remedy="Compare feature extraction with at least one way of fine-tuning.",
            )
        ]
    baseline = f"{lowered(evidence.titles[PROBE])} (the linear probe)"
    return _losers(
        evidence,
        found,
        baseline,
        stats.mean(probe),
        "is {gap} less accurate than {baseline}: fine-tuning has made the features worse.",
        "Use feature extraction, or fine-tune with a smaller learning rate, fewer blocks or more "
        "images.",
        "No way of fine-tuning is measurably less accurate than {baseline}.",
    )


def _losers(
    evidence: Evidence,
    found: dict[str, Interval],
    baseline: str,
    reached: float,
    bad: str,
    remedy: str,
    good: str,
) -> list[Flag]:
    """Return a raised flag for each whose loss excludes 0, else one that is clear."""
    numbers = tuple(
        (f"{evidence.titles[name]}, less accurate by", said(gap, signed=True))
        for name, gap in found.items()
    )
    numbers = ((f"Accuracy of {baseline}", percent(reached)), *numbers)
    raised = [
        Flag(
            state="raised",
            strategy=name,
            text=f"{evidence.titles[name]} {bad.format(gap=said(gap), baseline=baseline)}",
            value=gap,
            unit="points",
            baseline=baseline,
            remedy=remedy,
            evidence=numbers,
        )
        for name, gap in sorted(found.items(), key=lambda one: -one[1].value)
        if gap.low > 0
    ]
    worst = max(found, key=lambda name: found[name].value)
    text = f"{good.format(baseline=baseline)} {_closest(evidence, worst, found[worst])}"
    clear = Flag(
        state="clear",
        text=text,
        value=found[worst],
        unit="points",
        baseline=baseline,
        evidence=numbers,
    )
    return raised or [clear]


def _closest(evidence: Evidence, name: str, gap: Interval) -> str:
    if gap.value > 0:
        return (
            f"{evidence.titles[name]} is {said(gap, signed=True)} less accurate, maybe by chance."
        )
    more = said(reversed_sign(gap), signed=gap.high > 0)
    return f"The closest to it, {lowered(evidence.titles[name])}, is {more} more accurate."


def forgetting(evidence: Evidence) -> list[Flag]:
    """Judge whether the paired interval of forgetting lies above FORGETTING_POINTS."""
    known = {
        row.strategy: Interval(row.forgetting_points, row.forgetting_low, row.forgetting_high)
        for row in evidence.rows
        if row.forgetting_points is not None
        and row.forgetting_low is not None
        and row.forgetting_high is not None
    }
    source = evidence.started.source
    if not known or source is None:
        return [
            Flag(
                state="unknown",
                text="There were no labelled source images (20 are needed), so what the model "
                "forgot was not measured.",
                remedy="Bring labelled images of source classes on the Data page, then compare "
                "again.",
            )
        ]
    numbers = tuple((f"{evidence.titles[name]} forgot", said(v)) for name, v in known.items())
    raised = [
        Flag(
            state="raised",
            strategy=name,
            text=f"{evidence.titles[name]} has forgotten {said(lost)} of the source task.",
            value=lost,
            unit="points",
            baseline=f"the original model on {number_of(source.images, 'source image')}",
            remedy="It matters only if the model has to keep its old skill: then freeze more "
            "blocks, or keep the original model beside the new one.",
            evidence=numbers,
        )
        for name, lost in sorted(known.items(), key=lambda one: -one[1].value)
        if lost.low > FORGETTING_POINTS
    ]
    worst = max(known, key=lambda name: known[name].value)
    clear = Flag(
        state="clear",
        text=f"No strategy has surely forgotten more than {FORGETTING_POINTS:.0f} points of the "
        f"source task. The most: {lowered(evidence.titles[worst])}, {said(known[worst])}.",
        value=known[worst],
        unit="points",
        evidence=numbers,
    )
    return raised or [clear]
