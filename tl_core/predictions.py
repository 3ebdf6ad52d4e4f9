"""What a finished run said of its images, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.events import RunEnded

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """Natural log-probabilities N x C of labelled images; `labels` N.

    `images` are indices into the data set, None for the validation part.
    """

    log_probabilities: Floats
    labels: NDArray[np.int64]
    images: NDArray[np.int64] | None = None

    @property
    def probabilities(self) -> Floats:
        """Class probabilities N x C, rows summing to 1 (zero-shot: to 0 where it has no word)."""
        found: Floats = np.exp(self.log_probabilities)
        return found

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the most likely class is the label, N."""
        hits: NDArray[np.bool_] = self.log_probabilities.argmax(axis=1) == self.labels
        return hits


def unpacked(values: bytes) -> Floats:
    """Return the numbers of an event's float32 bytes, in one row."""
    return np.frombuffer(values, dtype="<f4").astype(np.float64)


def tested(ended: RunEnded) -> Predictions | None:
    """Return what a final run said of its test images, None if that was not kept."""
    result = ended.result
    if not result.test_log_probabilities:
        return None
    return Predictions(
        unpacked(result.test_log_probabilities).reshape(len(result.test_labels), -1),
        np.array(result.test_labels, dtype=np.int64),
        np.array(result.test_images, dtype=np.int64),
    )


def validated(ended: RunEnded) -> Predictions | None:
    """Return what a run said of its validation images, None if that was not kept."""
    result = ended.result
    if not result.validation_log_probabilities:
        return None
    labels = np.array(result.validation_labels, dtype=np.int64)
    return Predictions(
        unpacked(result.validation_log_probabilities).reshape(len(labels), -1), labels
    )
