"""What depends on which images are counted: classes, mixtures of them, and copies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tl_core import label_shift, pairing, stats
from tl_core.answers import Estimate, Soundness
from tl_core.dots import Dot
from tl_core.outcomes.outcome import (
    NotMeasured,
    Outcome,
    Reply,
    comparison,
    first,
    floor_dot,
    gap_text,
    hits,
    reads,
    scaled,
)
from tl_core.record import Record
from tl_core.slices import Attribute, Slice, slices, source_model
from tl_core.wording import number_of

# Classes that a chart shows at most, the worst served first.
MOST_CLASSES = 12
COPIES = "copies_across_parts"
_PROBE = "feature_extraction"


def source_bias(replies: Sequence[Reply]) -> Outcome:
    """Hold the class that the source model serves worst against all others.

    Its gap's interval is simultaneous over all classes: the worst of many is low by chance too.
    """
    found = comparison(replies)
    name = source_model(found)
    if name is None:
        raise NotMeasured("The source model was not measured on these images.")
    by_class = [one for one in slices(found, [_classes(found)], name) if one.gap is not None]
    if not by_class:
        raise NotMeasured("The classes have too few test images to be judged one by one.")
    worst = by_class[0]
    assert worst.gap is not None
    gap = scaled(worst.gap)
    before = _class_dots(by_class, name, "The source model as it is")
    learnt = {one.value: one for one in slices(found, [_classes(found)], _PROBE)}
    after = _class_dots([learnt[one.value] for one in by_class], _PROBE, "With a head that learnt")
    if name == _PROBE:
        sentence = (
            "None of these classes is one of the source model's, so it is judged through a head "
            f"on its features: right on {reads(after[0])} of class {worst.value}, {gap_text(gap)} "
            "behind the others."
        )
        return Outcome(gap, gap.low > 0, sentence, dots=after)
    sentence = (
        f"The source model is right on {reads(before[0])} of class {worst.value}, "
        f"{gap_text(gap)} behind the others; feature extraction on {reads(after[0])}."
    )
    return Outcome(gap, gap.low > 0, sentence, dots=(*before, *after))


def _classes(found: Record) -> Attribute:
    """Return the class as an attribute of the test images."""
    assert found.started is not None
    images, labels = pairing.test_images(found), pairing.test_labels(found)
    values = [""] * (max(images, default=-1) + 1)
    for image, label in zip(images, labels.tolist(), strict=True):
        values[image] = found.started.dataset.classes[label]
    return Attribute("class", "Class", tuple(values))


def _class_dots(found: Sequence[Slice], strategy: str, series: str) -> tuple[Dot, ...]:
    return tuple(
        Dot(one.value, scaled(one.accuracy), series, strategy) for one in found[:MOST_CLASSES]
    )


def label_shift_outcome(replies: Sequence[Reply]) -> Outcome:
    """Hold accuracy as tested against that with all classes equally often, paired over images.

    The second weighs an image N / (C n), n of the N test images being of its class.
    """
    found = comparison(replies)
    correct, labels = hits(found, _PROBE), pairing.test_labels(found)
    counts = np.bincount(labels)
    occurring = np.flatnonzero(counts)
    weight = len(labels) / (len(occurring) * counts[labels])
    loss = scaled(stats.paired_interval(correct, correct * weight))
    tested = Dot(
        "As the test part is mixed", scaled(stats.accuracy_interval(correct)), strategy=_PROBE
    )
    even = scaled(under_mixture(found, 1 / len(occurring)))
    equal = Dot("All classes equally often", even, strategy=_PROBE)
    sentence = (
        f"Accuracy is {reads(tested)} as the test part is mixed, and {reads(equal)} with all "
        f"{len(occurring)} classes equally often: {gap_text(_negative(loss))}."
    )
    return Outcome(loss, loss.low > 0, sentence, dots=(tested, equal, floor_dot(found)))


def _negative(found: Estimate) -> Estimate:
    return Estimate(value=-found.value, low=-found.high, high=-found.low)


def largest_class(found: Record) -> tuple[str, float]:
    """Return the most frequent class of the test part and its share of it."""
    assert found.started is not None
    counts = np.bincount(pairing.test_labels(found))
    return found.started.dataset.classes[int(counts.argmax())], float(counts.max() / counts.sum())


def under_mixture(found: Record, share: float) -> stats.Interval:
    """Return the probe's accuracy (fraction) if the largest class had this share.

    The other classes that were tested divide the rest evenly.
    """
    labels = pairing.test_labels(found)
    correct = hits(found, _PROBE)
    tested = ~np.isnan(correct)
    each: NDArray[np.int64] = np.tile(labels, (len(correct), 1))[tested]
    counts = np.bincount(labels)
    others = max(int((counts > 0).sum()) - 1, 1)
    shares = np.where(counts > 0, (1 - share) / others, 0.0)
    shares[counts.argmax()] = share
    return label_shift.accuracy_under_shares(correct[tested] > 0, each, shares)


def duplicates(replies: Sequence[Reply]) -> Outcome:
    """Hold test images of which a copy trains against the others, as the data check found them."""
    found, sound = comparison(replies), first(replies, Soundness)
    images = pairing.test_images(found)
    repeated = _repeated(sound, images)
    inside = np.array([image in repeated for image in images])
    total = number_of(len(images), "test image")
    if not inside.any() or inside.all():
        raise NotMeasured(
            f"The data check found no copy of any of the {total} in another part: nothing to "
            "compare, and nothing to mend."
        )
    correct = hits(found, _PROBE)
    gap = scaled(stats.unpaired_interval(correct[:, inside], correct[:, ~inside]))
    known, new = (
        Dot(label, scaled(stats.accuracy_interval(correct[:, chosen])), strategy=_PROBE)
        for label, chosen in (("Copies of other parts", inside), ("New images", ~inside))
    )
    whole = Dot("All test images", scaled(stats.accuracy_interval(correct)), strategy=_PROBE)
    sentence = (
        f"The data check found a copy in another part for {int(inside.sum())} of {total}. On these "
        f"the model is right on {reads(known)}, on new ones {reads(new)}: {gap_text(gap)}."
    )
    return Outcome(gap, gap.low > 0, sentence, dots=(known, new, whole))


def _repeated(sound: Soundness, images: Sequence[int]) -> set[int]:
    """Return the test images that have a copy which is not tested."""
    tested = set(images)
    groups = [group for one in sound.findings if one.kind == COPIES for group in one.groups]
    return {
        image
        for group in groups
        if not tested.issuperset(group)
        for image in tested.intersection(group)
    }
