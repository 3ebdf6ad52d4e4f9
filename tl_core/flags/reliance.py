"""Can accuracy and confidence be relied on: too sure, flattered by a class, from few images?"""

import numpy as np

from tl_core import confidence, pairing, stats
from tl_core.confidence import ConfidenceRow
from tl_core.flags.flag import AGAIN, FINISH, Evidence, Flag, in_points, said
from tl_core.record import Record
from tl_core.stats import Interval
from tl_core.wording import lowered, number_of, percent, points

# Points by which accuracy may surely exceed balanced accuracy.
IMBALANCE_POINTS = 5.0
# Gaps between strategies under this many points should be visible.
VISIBLE_POINTS = 10.0


def overconfidence(evidence: Evidence) -> list[Flag]:
    """Judge mean confidence minus accuracy: above 0 for sure (Holm), and more than chance gives.

    The second condition: the expected calibration error lies above what a calibrated model with
    the same confidences stays under in 95 of 100 cases.
    """
    gaps = confidence.confidence_gaps(evidence.found)
    if not gaps:
        return [
            Flag(
                state="unknown",
                text="The probabilities of this comparison were not kept, so nobody can say "
                "whether its confidence is right.",
                remedy=AGAIN,
            )
        ]
    zero = np.zeros_like(next(iter(gaps.values())))
    signed = {name: in_points(one) for name, one in stats.holm_intervals(zero, gaps).items()}
    rows = evidence.confidence
    numbers = tuple(
        (f"{evidence.titles[name]}, confidence minus accuracy", said(gap, signed=True))
        for name, gap in signed.items()
    )
    raised = [
        Flag(
            state="raised",
            strategy=name,
            text=_too_sure(evidence, gap, rows[name]),
            value=gap,
            unit="points",
            baseline="its own accuracy",
            remedy=_scaling(rows[name]),
            evidence=numbers,
        )
        for name, gap in sorted(signed.items(), key=lambda one: -one[1].value)
        if gap.low > 0 and name in rows and _beyond_chance(rows[name])
    ]
    surest = max(signed, key=lambda name: signed[name].value)
    clear = Flag(
        state="clear",
        text="No strategy is measurably surer than it is right. The surest against its accuracy: "
        f"{lowered(evidence.titles[surest])}, {said(signed[surest], signed=True)}.",
        value=signed[surest],
        unit="points",
        baseline="its own accuracy",
        evidence=numbers,
    )
    return raised or [clear]


def _beyond_chance(row: ConfidenceRow) -> bool:
    return row.before.expected_calibration_error.value > row.before.if_calibrated


def _too_sure(evidence: Evidence, gap: Interval, row: ConfidenceRow) -> str:
    measured, before = evidence.row(row.strategy), row.before
    accuracy = (measured.test_accuracy if measured else None) or 0.0
    error = before.expected_calibration_error
    return (
        f"{evidence.titles[row.strategy]} is on average {percent(accuracy + gap.value / 100)} sure "
        f"and right on {percent(accuracy)}: {said(gap)} too sure. Its expected calibration error "
        f"is {points(100 * error.value)} points; a calibrated model would show up to "
        f"{points(100 * before.if_calibrated)}."
    )


def _scaling(row: ConfidenceRow) -> str:
    before, after = row.before.log_loss.value, row.after.log_loss.value
    change = f"from {before:.2f} to {after:.2f}"
    if after < before:
        return (
            f"Divide its logits by {row.temperature:.2f} (found on the validation images): that "
            f"takes the log-loss on the test images {change}. Read lower confidences as doubt."
        )
    return (
        f"Do not read its confidence as a chance of being right. The temperature found on the "
        f"validation images ({row.temperature:.2f}) does not help here: the log-loss on the test "
        f"images goes {change}. More validation images may."
    )


def class_imbalance(evidence: Evidence) -> list[Flag]:
    """Judge whether accuracy surely exceeds balanced accuracy by more than IMBALANCE_POINTS."""
    gaps = {name: gap for name in evidence.correct if (gap := imbalance(evidence.found, name))}
    if not gaps:
        return [Flag(state="unknown", text="No strategy has been tested yet.", remedy=FINISH)]
    numbers = tuple(
        (f"{evidence.titles[name]}, accuracy minus balanced accuracy", said(gap, signed=True))
        for name, gap in gaps.items()
    )
    raised = [
        Flag(
            state="raised",
            strategy=name,
            text=f"{evidence.titles[name]} looks better than it serves rare classes: its accuracy "
            f"lies {said(gap)} above its balanced accuracy, in which every class counts the same.",
            value=gap,
            unit="points",
            baseline="its balanced accuracy",
            remedy="Judge it by balanced accuracy and by the recall of the class that matters, or "
            "let training make up for rare classes (Change plan in the Lab).",
            evidence=numbers,
        )
        for name, gap in sorted(gaps.items(), key=lambda one: -one[1].value)
        if gap.low > IMBALANCE_POINTS
    ]
    worst = max(gaps, key=lambda name: gaps[name].value)
    clear = Flag(
        state="clear",
        text=f"No strategy's accuracy is surely more than {IMBALANCE_POINTS:.0f} points above its "
        f"balanced accuracy. The most: {lowered(evidence.titles[worst])}, "
        f"{said(gaps[worst], signed=True)}.",
        value=gaps[worst],
        unit="points",
        baseline="its balanced accuracy",
        evidence=numbers,
    )
    return raised or [clear]


def imbalance(found: Record, strategy: str) -> Interval | None:
    """Return accuracy minus mean recall of the classes, in points, bootstrap over images and seeds.

    Over all seeds together; resamples without an image of a class take the mean of the others.
    """
    correct = pairing.matrix(found, strategy)
    if correct is None:
        return None
    correct = correct[~np.isnan(correct).all(axis=1)]
    labels = pairing.test_labels(found)
    tested = (~np.isnan(correct)).astype(np.float64)
    classes = [labels == label for label in np.unique(labels)]
    parts = [part * mask for part in (np.nan_to_num(correct), tested) for mask in classes]
    hits, images = np.hsplit(stats.bootstrap_sums(np.stack(parts)), 2)
    with np.errstate(invalid="ignore"):
        samples = hits.sum(axis=1) / images.sum(axis=1) - np.nanmean(hits / images, axis=1)
    recalls = [np.nanmean(correct[:, mask]) for mask in classes if tested[:, mask].any()]
    value = float(np.nanmean(correct) - np.mean(recalls))
    return in_points(Interval(value, *stats.ends(samples[~np.isnan(samples)])))


def few_test_images(evidence: Evidence) -> list[Flag]:
    """Judge whether gaps under VISIBLE_POINTS between strategies would look like ties."""
    images = len(pairing.test_images(evidence.found)) or evidence.started.dataset.n_test
    gap = 100 * stats.smallest_visible_gap(images)
    widths = [
        50 * (row.difference_high - row.difference_low)
        for row in evidence.rows
        if row.difference_high is not None
        and row.difference_low is not None
        and row.difference_high > row.difference_low
    ]
    numbers = [("Test images", f"{images:,}"), ("Gaps that look like ties, about", points(gap))]
    if widths:
        numbers.append(
            (
                "Half widths of the measured differences",
                f"{points(min(widths))} to {points(max(widths))} points",
            )
        )
    few = gap > VISIBLE_POINTS
    text = (
        f"{number_of(images, 'test image')}: two strategies that differ by less than about "
        f"{points(gap)} points will look tied"
    )
    again = (
        "more seeds add test images"
        if not evidence.started.dataset.given_split
        else ("your data came with their own test part, so only more test images help")
    )
    return [
        Flag(
            state="raised" if few else "clear",
            text=f"{text}, whichever is better." if few else f"{text}.",
            unit="points",
            baseline=f"{VISIBLE_POINTS:.0f} points",
            remedy=f"Test on more images: {again}." if few else "",
            evidence=tuple(numbers),
        )
    ]
