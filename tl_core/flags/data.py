"""Are training and test alike in their classes, and may the result be used?"""

import numpy as np
from numpy.typing import NDArray

from tl_core.catalog import catalog
from tl_core.events import RunEnded
from tl_core.flags.flag import FINISH, Evidence, Flag, in_points, said
from tl_core.label_shift import total_variation
from tl_core.stats import LEVEL, Interval, raised_interval
from tl_core.wording import percent, points

DRAWS = 4000

Counts = NDArray[np.int64]


def label_shift(evidence: Evidence) -> list[Flag]:
    """Judge the total variation of class shares in training and test against chance alone.

    Chance: both parts drawn from the same shares (multinomial); raised above its 95% quantile.
    """
    counts = class_counts(evidence)
    if counts is None:
        return [Flag(state="unknown", text="Nothing was tested yet.", remedy=FINISH)]
    train, validation, test = counts
    value, chance = distance(train, test)
    numbers = [
        ("Training and test images", f"{train.sum():,} and {test.sum():,}"),
        ("Chance alone, up to", f"{points(100 * chance)} points"),
    ]
    numbers += _largest_moves(evidence.started.dataset.classes, train, test)
    if validation is not None and validation.sum():
        other, its_chance = distance(train, validation)
        numbers.append(
            (
                "Training and validation differ by",
                f"{said(in_points(other))}, chance up to {points(100 * its_chance)}",
            )
        )
    differs = value.value > chance
    text = (
        f"The classes' shares in training and test differ by {said(in_points(value))}; chance "
        f"alone gives up to {points(100 * chance)}"
    )
    return [
        Flag(
            state="raised" if differs else "clear",
            text=f"{text}: the test images come in another mix than the model learnt from."
            if differs
            else f"{text}.",
            value=in_points(value),
            unit="points",
            baseline="two parts drawn from the same shares",
            remedy="Say which mix the model will meet: Class balance on the Trust page gives the "
            "accuracy under any other."
            if differs
            else "",
            evidence=tuple(numbers),
        )
    ]


def distance(first: Counts, second: Counts, seed: int = 0) -> tuple[Interval, float]:
    """Return the total variation between two counts of classes, and how far chance alone goes.

    Fractions. The interval resamples both; chance draws both from their common shares.
    """
    rng = np.random.default_rng(seed)

    def between(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = [
            rng.multinomial(n, share, size=DRAWS) / n
            for n, share in zip(sizes, (a, b), strict=True)
        ]
        apart: NDArray[np.float64] = np.abs(drawn[0] - drawn[1]).sum(axis=1) / 2
        return apart

    sizes = int(first.sum()), int(second.sum())
    shares = first / sizes[0], second / sizes[1]
    common = (first + second) / sum(sizes)
    chance = float(np.quantile(between(common, common), LEVEL))
    value = total_variation(*shares)
    return raised_interval(value, between(*shares), chance), chance


def class_counts(evidence: Evidence) -> tuple[Counts, Counts | None, Counts] | None:
    """Return the first seed's images by class in training, validation and test.

    Training is what the other two leave; validation is None where its labels were not kept, and
    then counted as training.
    """
    dataset = evidence.started.dataset
    run = _first_run(evidence)
    if run is None:
        return None
    classes = len(dataset.classes)
    test = np.bincount(run.result.test_labels, minlength=classes)
    validation = None
    if run.result.validation_labels:
        validation = np.bincount(run.result.validation_labels, minlength=classes)
    train = np.array(dataset.class_counts) - test - (validation if validation is not None else 0)
    return (train, validation, test) if train.sum() > 0 and (train >= 0).all() else None


def _first_run(evidence: Evidence) -> RunEnded | None:
    runs = (run for run in evidence.found.ended.values() if run.run.kind == "final")
    return next((run for run in runs if run.run.seed == 0), None)


def _largest_moves(classes: tuple[str, ...], train: Counts, test: Counts) -> list[tuple[str, str]]:
    before, after = train / train.sum(), test / test.sum()
    moved = np.argsort(-np.abs(after - before), kind="stable")[:3]
    return [
        (
            f"Share of {classes[label]}",
            f"{percent(before[label])} in training, {percent(after[label])} in test",
        )
        for label in moved
    ]


def licence(evidence: Evidence) -> list[Flag]:
    """Repeat whether the weights may be used commercially, as the catalog says."""
    row = catalog().get(evidence.started.config.backbone)
    if row is None:
        text = "The model is not in this version's catalog: the terms of its weights are unknown."
        remedy = "Look up the terms where the weights come from."
        return [Flag(state="unknown", text=text, remedy=remedy)]
    states = {"no": "raised", "unclear": "unknown", "yes": "clear"}
    may = row.weights.may_be_sold
    return [
        Flag(
            state=states[may],  # type: ignore[arg-type]
            text=f"{row.title}: {row.weights.commercial}",
            remedy=""
            if may == "yes"
            else "Ask before you sell anything made with these weights, or choose a model whose "
            "weights may be used commercially.",
            evidence=(("Licence of the weights", row.weights.weights_licence),),
        )
    ]
