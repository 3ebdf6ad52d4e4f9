"""What each sample set claims to show, as functions of what a comparison measured on it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core import datasets, stats
from tl_core.ingest.samples import leak
from tl_core.pairing import correctness
from tl_core.record import Record
from tl_core.stats import Interval, Matrix
from tl_core.tables import StrategyRow, rows
from tl_core.wording import duration, number_of, percent, points, spread

FROZEN: Final = "feature_extraction"
FULL: Final = "full_fine_tuning"
SCRATCH: Final = "from_scratch"


@dataclass(frozen=True)
class Claim:
    """One claim, what was measured, and whether the measurement bears it out."""

    text: str
    measured: str
    holds: bool


@dataclass(frozen=True)
class Measured:
    """A finished comparison as the claims read it.

    `correct`: of each strategy, seeds x test images; `labels` and `names` of the test images.
    """

    record: Record
    rows: dict[str, StrategyRow]
    correct: dict[str, Matrix]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def difference(self, first: str, second: str) -> Interval:
        """Return how much more often the first strategy is right, paired over images and seeds."""
        return stats.paired_interval(self.correct[first], self.correct[second])


def measured(record: Record) -> Measured:
    """Return a finished comparison for the claims."""
    assert record.started is not None
    data = datasets.load(record.started.dataset.fingerprint)
    tested = sorted({i for ended in record.ended.values() for i in ended.result.test_images})
    return Measured(
        record=record,
        rows={row.strategy: row for row in rows(record)},
        correct=correctness(record),
        labels=np.array([data.images[index].label for index in tested]),
        names=tuple(data.images[index].name for index in tested),
    )


def signs(found: Measured) -> list[Claim]:
    """Close to the source task: no label is worth much, forgetting buys nothing."""
    zero, frozen, full = (found.rows[name] for name in ("zero_shot", FROZEN, FULL))
    assert found.record.started is not None
    floor = found.record.started.majority_accuracy
    gain = found.difference(FULL, FROZEN)
    # Alone, "no gain is seen" would also hold where too little was measured to see one: what the
    # app calls too small to show on so many images bounds the gain as well.
    margin = stats.smallest_visible_gap(found.correct[FULL].shape[1])
    return [
        Claim(
            "Zero-shot transfer lies above always guessing one class",
            f"{_accuracy(zero)} against {percent(floor)}",
            zero.ci_low is not None and zero.ci_low > floor,
        ),
        Claim(
            "Feature extraction is the best strategy, or tied with it",
            f"{_accuracy(frozen)}, {_points(_to_best(frozen))} to the best",
            bool(frozen.tied_with_best),
        ),
        Claim(
            "Full fine-tuning forgets",
            f"{points(full.forgetting_points)} points "
            f"({spread(full.forgetting_low, full.forgetting_high)})",
            full.forgetting_low is not None and full.forgetting_low > 0,
        ),
        Claim(
            "Full fine-tuning gains nothing over feature extraction: the interval of the gain "
            f"reaches 0 and stays below {points(100 * margin)} points",
            f"{_points(gain)} points",
            gain.low <= 0 and gain.high < margin,
        ),
    ]


def digits(found: Measured) -> list[Claim]:
    """Real, after a source task of drawings: the features carry over."""
    assert found.record.started is not None
    zero, frozen, scratch = (found.rows[name] for name in ("zero_shot", FROZEN, SCRATCH))
    floor = found.record.started.majority_accuracy
    claims = [
        Claim(
            "Zero-shot transfer lies above always guessing one class",
            f"{_accuracy(zero)} against {percent(floor)}",
            zero.ci_low is not None and zero.ci_low > floor,
        )
    ]
    if "zero_shot" in found.correct:
        gain = found.difference(FROZEN, "zero_shot")
        text = "Feature extraction is better than zero-shot transfer"
        claims.append(Claim(text, f"{_points(gain)} points", gain.low > 0))
    worth = found.difference(FROZEN, SCRATCH)
    times = f"{duration(frozen.train_seconds)} against {duration(scratch.train_seconds)}"
    text = "Feature extraction is not measurably worse than training from scratch, in less time"
    is_faster = (frozen.train_seconds or 0.0) < (scratch.train_seconds or 0.0)
    claims.append(Claim(text, f"{_points(worth)} points, {times}", worth.high >= 0 and is_faster))
    return claims


def defects(found: Measured) -> list[Claim]:
    """Imbalance and another mixture in the test part: accuracy hides what balance tells."""
    assert found.record.started is not None
    classes = len(found.record.started.dataset.classes)
    floor = found.record.started.majority_accuracy
    # Weighted so, the mean over images is the mean over classes.
    weights = len(found.labels) / classes / np.bincount(found.labels)[found.labels]
    claims = [
        Claim(
            "Always answering 'no defect' has a high accuracy and finds no fault",
            f"accuracy {percent(floor)}, balanced accuracy {percent(1 / classes)}",
            floor > 0.6,
        )
    ]
    for name in (FROZEN, FULL, SCRATCH):
        correct = found.correct[name]
        gap = stats.paired_interval(correct, correct * weights)
        claims.append(
            Claim(
                f"{_title(found, name)}: accuracy is higher than balanced accuracy",
                f"{percent(found.rows[name].test_accuracy)} against "
                f"{percent(found.rows[name].balanced_accuracy)}, {_points(gap)} points",
                gap.low > 0,
            )
        )
    return claims


def threads(found: Measured) -> list[Claim]:
    """Negative transfer: the classes differ in what pretraining made the model ignore."""
    loss = found.difference(SCRATCH, FROZEN)
    frozen = found.rows[FROZEN]
    return [
        Claim(
            "Training from scratch is better than the frozen backbone",
            f"{_accuracy(found.rows[SCRATCH])} against {_accuracy(frozen)}: {_points(loss)} points",
            loss.low > 0,
        )
    ]


def leaked(found: Measured) -> list[Claim]:
    """Test images that repeat training images look better recognised than they are."""
    planted = leak.planted()
    again = {name for _, name in planted.twice}
    repeated = np.array([name in again for name in found.names])
    claims = [
        Claim(
            "Planted: leaves photographed twice, in two parts; wrong labels",
            f"{number_of(len(planted.twice), 'leaf', 'leaves')}, of them {int(repeated.sum())} in "
            f"the test part; {number_of(len(planted.wrong), 'wrong label')}",
            bool(planted.twice) and bool(planted.wrong),
        )
    ]
    for name in (FROZEN, FULL):
        correct = found.correct[name]
        gap = stats.unpaired_interval(correct[:, repeated], correct[:, ~repeated])
        everything, clean = stats.mean(correct), stats.mean(correct[:, ~repeated])
        claims.append(
            Claim(
                f"{_title(found, name)}: repeated test images are recognised better than new ones",
                f"{_points(gap)} points; the accuracy reads {percent(everything)}, on new leaves "
                f"it is {percent(clean)}",
                gap.low > 0,
            )
        )
    return claims


LESSONS: Final[dict[str, Callable[[Measured], list[Claim]]]] = {
    "signs": signs,
    "digits": digits,
    "defects": defects,
    "threads": threads,
    "leak": leaked,
}


def _accuracy(row: StrategyRow) -> str:
    if row.test_accuracy is None or row.ci_low is None or row.ci_high is None:
        return "–"
    return f"{percent(row.test_accuracy)} ({spread(100 * row.ci_low, 100 * row.ci_high)})"


def _to_best(row: StrategyRow) -> Interval:
    ends = row.difference_to_best, row.difference_low, row.difference_high
    return Interval(*(0.0 if end is None else end for end in ends))


def _points(found: Interval) -> str:
    low_high = spread(100 * found.low, 100 * found.high, signed=True)
    return f"{points(100 * found.value, signed=True)} ({low_high})"


def _title(found: Measured, name: str) -> str:
    return next(s.title for s in found.record.strategies if s.name == name)
