"""What small comparisons showed: differences between strategies, parts, confidence and settings."""

from collections.abc import Sequence

import numpy as np

from tl_core import pairing, stats
from tl_core.answers import Estimate
from tl_core.dots import Dot
from tl_core.outcomes.outcome import (
    NotMeasured,
    Outcome,
    Reply,
    accuracy_dot,
    comparison,
    exactly,
    floor_dot,
    gap_text,
    hits,
    reads,
    scaled,
)
from tl_core.record import Record
from tl_core.tables import StrategyRow, rows
from tl_core.wording import points, spread

_BASELINES = {
    "majority_class": "Always the largest class",
    "nearest_neighbour": "Most similar training image",
}


def negative_transfer(replies: Sequence[Reply]) -> Outcome:
    """Hold training from scratch against a frozen pretrained backbone, paired over images."""
    found = comparison(replies)
    frozen, scratch = (accuracy_dot(found, name) for name in ("feature_extraction", "from_scratch"))
    gap = scaled(
        stats.paired_interval(hits(found, "from_scratch"), hits(found, "feature_extraction"))
    )
    sentence = (
        f"From scratch reaches {reads(scratch)}, the pretrained, frozen backbone {reads(frozen)}: "
        f"{gap_text(gap)}."
    )
    return Outcome(gap, gap.low > 0, sentence, dots=(scratch, frozen, floor_dot(found)))


def forgetting(replies: Sequence[Reply]) -> Outcome:
    """Tell what fine-tuning cost the source task, beside a backbone that stayed frozen."""
    found = comparison(replies)
    lost = {row.strategy: row for row in rows(found)}
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    dots = tuple(
        Dot(titles[name], _forgot(row), strategy=name)
        for name, row in lost.items()
        if row.forgetting_points is not None
    )
    tuned = next((dot for dot in dots if dot.strategy == "full_fine_tuning"), None)
    if tuned is None:
        raise NotMeasured(
            "Forgetting was not measured: it needs at least 20 labelled source images and a "
            "training that stays with numbers."
        )
    change = accuracy_dot(found, "full_fine_tuning"), accuracy_dot(found, "feature_extraction")
    loss = tuned.estimate
    sentence = (
        f"Full fine-tuning lost {points(loss.value)} points ({spread(loss.low, loss.high)}) of "
        f"accuracy on its own source task. On the new images it reaches {reads(change[0])}, the "
        f"frozen backbone {reads(change[1])}."
    )
    return Outcome(loss, loss.low > 0, sentence, "Accuracy on the source task lost (points)", dots)


def _forgot(row: StrategyRow) -> Estimate:
    value, low, high = row.forgetting_points, row.forgetting_low, row.forgetting_high
    assert value is not None and low is not None and high is not None
    return Estimate(value=value, low=low, high=high)


def overfitting(replies: Sequence[Reply]) -> Outcome:
    """Hold accuracy on training images, all of which are counted, against that on test images."""
    found = comparison(replies)
    tested = accuracy_dot(found, "full_fine_tuning", "Test images")
    (ended, *_) = found.final("full_fine_tuning").values()
    result = ended.result
    if result.train_accuracy is None or result.validation_accuracy is None:
        raise NotMeasured("Accuracy on training images was not measured.")
    train, share = 100 * result.train_accuracy, result.validation_accuracy
    ends = stats.wilson(share, result.validation_images)
    known = Dot("Training images", exactly(train), strategy="full_fine_tuning")
    chosen = Dot(
        "Validation images",
        Estimate(value=100 * share, low=100 * ends[0], high=100 * ends[1]),
        strategy="full_fine_tuning",
    )
    test = tested.estimate
    gap = Estimate(value=train - test.value, low=train - test.high, high=train - test.low)
    sentence = (
        f"{reads(known)} of the training images are right, {reads(tested)} of the test images: "
        f"{gap_text(gap)}."
    )
    return Outcome(gap, gap.low > 0, sentence, "Accuracy (%)", (known, chosen, tested))


def overconfidence(replies: Sequence[Reply]) -> Outcome:
    """Hold stated confidence against accuracy on the same test images, and both against guessing.

    Confidence minus accuracy is the signed calibration gap, above 0 for a model that is too sure.
    """
    found = comparison(replies)
    assert found.started is not None
    name = found.strategies[0].name
    correct = hits(found, name)
    sure = pairing.matrix(found, name, lambda ended: ended.result.test_confidences)
    if sure is None:
        raise NotMeasured("Stated confidence was not kept.")
    gap = scaled(stats.paired_interval(sure, correct))
    stated = Dot(
        "How sure it says it is",
        scaled(stats.paired_interval(sure, np.zeros_like(sure))),
        strategy=name,
    )
    right = accuracy_dot(found, name, "How often it is right")
    guesses = [
        Dot(
            _BASELINES[one.name], scaled(stats.Interval(one.test_accuracy, one.ci_low, one.ci_high))
        )
        for one in found.started.baselines
    ]
    sentence = (
        f"On average it says that it is {reads(stated)} sure, and is right on {reads(right)}: "
        f"{gap_text(gap)}."
    )
    dots = (stated, right, *(guesses or [floor_dot(found)]))
    return Outcome(gap, gap.low > 0, sentence, "Test images (%)", dots)


def sensitivity(replies: Sequence[Reply]) -> Outcome:
    """Hold the best against the worst of several settings of one strategy, paired over images.

    The pair was chosen after looking: its interval is at Bonferroni's level over all pairs.
    """
    runs = [reply for reply in replies if isinstance(reply, Record) and reply.started]
    if len(runs) < 2:
        raise NotMeasured("At least two settings have to be measured.")
    if len({pairing.test_images(run) for run in runs}) > 1:
        raise NotMeasured("The settings were tested on different images.")
    dots = tuple(accuracy_dot(run, run.strategies[0].name, _setting(run)) for run in runs)
    order = sorted(range(len(runs)), key=lambda i: dots[i].estimate.value)
    worst, best = (hits(runs[i], runs[i].strategies[0].name) for i in (order[0], order[-1]))
    pairs = len(runs) * (len(runs) - 1) / 2
    gap = scaled(stats.paired_interval(best, worst, 1 - (1 - stats.LEVEL) / pairs))
    low, high = dots[order[0]], dots[order[-1]]
    sentence = (
        f"{high.label}: {reads(high)}. {low.label}: {reads(low)}. Best minus worst: "
        f"{gap_text(gap)}."
    )
    return Outcome(gap, gap.low > 0, sentence, dots=dots)


def _setting(found: Record) -> str:
    assert found.started is not None
    rate = found.started.config.learning_rate
    return "The model's own learning rate" if rate is None else f"Learning rate {rate:g}"
