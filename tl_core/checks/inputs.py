"""What the pictures themselves and the counts of classes say, without a model."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core.image_facts import Facts

# Longer than 2.5:1, a centre crop leaves out most of a picture.
EXTREME_ASPECT: Final = 2.5
# Standard deviations of the brightness (0 to 255) under which a picture is hard to see, and over
# which it is nearly black and white.
LOW_CONTRAST: Final = 5.0
HIGH_CONTRAST: Final = 100.0

# Under this many images a class is learnt, and tested, by chance.
TINY_CLASS: Final = 10


@dataclass(frozen=True)
class InputStatistics:
    """Shares of the images, 0 to 1. `upscaled`: None where the model's input is not known."""

    upscaled: float | None
    greyscale: float
    constant_channel: float
    extreme_aspect: float
    low_contrast: float
    high_contrast: float


def input_statistics(facts: Facts, resize: int | None = None) -> InputStatistics:
    """Return what shares of the images are unusual; `resize`: a model's shorter side in pixels."""
    return InputStatistics(
        upscaled=None if resize is None else float(is_upscaled(facts, resize).mean()),
        greyscale=float(facts.greyscale.mean()),
        constant_channel=float(facts.constant_channel.mean()),
        extreme_aspect=float(is_extreme(facts).mean()),
        low_contrast=float((facts.contrast < LOW_CONTRAST).mean()),
        high_contrast=float((facts.contrast > HIGH_CONTRAST).mean()),
    )


def is_upscaled(facts: Facts, resize: int) -> NDArray[np.bool_]:
    """Return whether each image is smaller than a model's input, N."""
    found: NDArray[np.bool_] = facts.shorter_side < resize
    return found


def is_extreme(facts: Facts) -> NDArray[np.bool_]:
    """Return whether each image is much longer than wide, or wider than long, N."""
    found: NDArray[np.bool_] = np.maximum(facts.aspect, 1 / facts.aspect) > EXTREME_ASPECT
    return found


def blank_images(facts: Facts) -> tuple[int, ...]:
    """Return the images with nothing, or next to nothing, on them."""
    return tuple(np.flatnonzero(facts.blank).tolist())


def tiny_classes(labels: ArrayLike, classes: int, least: int = TINY_CLASS) -> tuple[int, ...]:
    """Return the classes with fewer than `least` images among the labels (N)."""
    counts = np.bincount(np.asarray(labels), minlength=classes)
    return tuple(np.flatnonzero(counts < least).tolist())


def imbalance(labels: ArrayLike) -> float:
    """Return how many times as many images the largest class has as the smallest that has any."""
    counts = np.bincount(np.asarray(labels))
    return float(counts.max() / counts[counts > 0].min())
