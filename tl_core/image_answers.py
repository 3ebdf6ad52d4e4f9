"""What every strategy answered to each test image, put together over the seeds that tested it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.record import Record


@dataclass(frozen=True)
class Answer:
    """A strategy's commonest class for an image, given by `agreeing` of `runs` runs.

    `confidence`: mean over the runs that gave it; of several equally common ones the surest.
    """

    predicted: int
    confidence: float
    agreeing: int
    runs: int


@dataclass(frozen=True)
class ImageAnswers:
    """One test image (index into the data set), its label, and each strategy's answer by name."""

    image: int
    label: int
    answers: dict[str, Answer]

    def right(self, strategy: str) -> bool:
        """Return whether a strategy's answer is the label."""
        return self.answers[strategy].predicted == self.label


def image_answers(found: Record, strategies: Sequence[str]) -> list[ImageAnswers]:
    """Return the test images that any of the strategies was tested on, in the data set's order."""
    labels: dict[int, int] = {}
    given: dict[int, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for name in strategies:
        for ended in found.final(name).values():
            tested = ended.result
            for image, label, predicted, confidence in zip(
                tested.test_images,
                tested.test_labels,
                tested.test_predictions,
                tested.test_confidences,
                strict=True,
            ):
                labels[image] = label
                given[image][name].append((predicted, confidence))
    return [
        ImageAnswers(
            image,
            labels[image],
            {name: _answer(given[image][name]) for name in strategies if name in given[image]},
        )
        for image in sorted(labels)
    ]


def _answer(runs: Sequence[tuple[int, float]]) -> Answer:
    sure: dict[int, list[float]] = defaultdict(list)
    for predicted, confidence in runs:
        sure[predicted].append(confidence)
    commonest = max(sure, key=lambda label: (len(sure[label]), sum(sure[label]), -label))
    mean = float(np.mean(sure[commonest]))
    return Answer(commonest, mean, len(sure[commonest]), len(runs))


def confusion(found: Record, strategy: str) -> NDArray[np.int64]:
    """Return how often each class (row) was taken for each class (column), over all seeds' tests.

    An image that several seeds tested counts once for each.
    """
    assert found.started is not None
    classes = len(found.started.dataset.classes)
    counts = np.zeros((classes, classes), dtype=np.int64)
    for ended in found.final(strategy).values():
        np.add.at(counts, (ended.result.test_labels, ended.result.test_predictions), 1)
    return counts


@dataclass(frozen=True)
class Confused:
    """A kind of mistake: `count` tests of class `label` ended as `predicted`, so much of them."""

    label: int
    predicted: int
    count: int
    share: float


def most_confused(counts: NDArray[np.int64]) -> list[Confused]:
    """Return the kinds of mistakes in a confusion matrix, the commonest first."""
    tested = counts.sum(axis=1)
    found = [
        Confused(label, predicted, int(counts[label, predicted]), counts[label, predicted] / total)
        for label, total in enumerate(tested.tolist())
        for predicted in np.flatnonzero(counts[label]).tolist()
        if predicted != label
    ]
    return sorted(found, key=lambda one: (-one.count, -one.share, one.label, one.predicted))


def images_behind(found: Record, strategy: str, label: int, predicted: int) -> list[int]:
    """Return the images of a class that any seed of a strategy took for `predicted`, ascending."""
    return sorted(
        {
            image
            for ended in found.final(strategy).values()
            for image, true, answer in zip(
                ended.result.test_images,
                ended.result.test_labels,
                ended.result.test_predictions,
                strict=True,
            )
            if (true, answer) == (label, predicted)
        }
    )
