"""What every strategy has to beat, measured without training: majority class and 1-NN."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from tl_core import metrics, stats
from tl_core.datasets import Split
from tl_core.events import Baseline, BaselineName

Labels = NDArray[np.int64]


def nearest_neighbour(
    features: NDArray[np.floating], labels: Labels, train: Sequence[int], test: Sequence[int]
) -> Labels:
    """Return for each test image the label of the most similar training image (cosine).

    `features` N x D, `labels` N; `train` and `test` are rows of them.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(lengths > 0, lengths, 1.0)
    known = KNeighborsClassifier(n_neighbors=1).fit(unit[list(train)], labels[list(train)])
    predictions: Labels = known.predict(unit[list(test)])
    return predictions


def majority(labels: Labels, train: Sequence[int], test: Sequence[int]) -> Labels:
    """Return training's most frequent class for each test image.

    A tie goes to the class that is rarest in the test part, as in `metrics.majority_accuracy`.
    """
    counts = np.bincount(labels[list(train)])
    tested = np.bincount(labels[list(test)], minlength=len(counts))
    winners = np.flatnonzero(counts == counts.max())
    return np.full(len(test), winners[tested[winners].argmin()], dtype=np.int64)


def measure(
    labels: Labels, features: NDArray[np.floating], parts: Sequence[Split]
) -> tuple[Baseline, ...]:
    """Return the baselines on the test parts of all seeds; labels N, features N x D."""
    columns = sorted({image for part in parts for image in part.test})
    place = {image: column for column, image in enumerate(columns)}

    def baseline(name: BaselineName, predict: Callable[[Split], Labels]) -> Baseline:
        correct, balanced = np.full((len(parts), len(columns)), np.nan), []
        for seed, part in enumerate(parts):
            predicted, true = predict(part), labels[list(part.test)]
            correct[seed, [place[image] for image in part.test]] = predicted == true
            balanced.append(metrics.balanced_accuracy(predicted, true, int(labels.max()) + 1))
        accuracy = stats.accuracy_interval(correct)
        return Baseline(
            name=name,
            test_accuracy=accuracy.value,
            ci_low=accuracy.low,
            ci_high=accuracy.high,
            balanced_accuracy=float(np.mean(balanced)),
        )

    return (
        baseline("majority_class", lambda part: majority(labels, part.train, part.test)),
        baseline(
            "nearest_neighbour",
            lambda part: nearest_neighbour(features, labels, part.train, part.test),
        ),
    )
