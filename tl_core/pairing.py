"""What runs measured of each test image, in the same rows and columns for all strategies.

Differences of two such matrices are paired: the same images within the same seeds.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tl_core import stats
from tl_core.config import RunKind
from tl_core.events import RunEnded
from tl_core.record import Record
from tl_core.stats import Matrix

# One value for each test image of a run, in its order; None where it was not kept.
Measure = Callable[[RunEnded], ArrayLike | None]


def correct(ended: RunEnded) -> ArrayLike:
    """Return whether each test image was classified correctly."""
    return np.equal(ended.result.test_predictions, ended.result.test_labels)


def test_images(found: Record) -> tuple[int, ...]:
    """Return the images (indices into the data set) that any run tested, ascending."""
    return tuple(sorted({i for run in found.ended.values() for i in run.result.test_images}))


def test_labels(found: Record) -> NDArray[np.int64]:
    """Return the labels of `test_images`."""
    known = {
        image: label
        for run in found.ended.values()
        for image, label in zip(run.result.test_images, run.result.test_labels, strict=True)
    }
    return np.array([known[image] for image in test_images(found)], dtype=np.int64)


def matrix(
    found: Record,
    strategy: str,
    measure: Measure = correct,
    kind: RunKind = "final",
    images: Sequence[int] | None = None,
) -> Matrix | None:
    """Return a strategy's values, seeds x `images`, NaN where a seed did not test an image.

    Without `images` those of `test_images`. None if no run of this kind has ended, or none kept
    what is asked for.
    """
    assert found.started is not None
    columns = test_images(found) if images is None else images
    column = {image: place for place, image in enumerate(columns)}
    values = np.full((found.started.config.seeds, len(column)), np.nan)
    for seed, ended in found.final(strategy, kind).items():
        measured = measure(ended)
        if measured is not None:
            places = np.array([column.get(image, -1) for image in ended.result.test_images], int)
            values[seed, places[places >= 0]] = np.asarray(measured, float)[places >= 0]
    return None if np.isnan(values).all() else values


def correctness(found: Record) -> dict[str, Matrix]:
    """Return for each measured strategy whether it was right: seeds x test images."""
    found_all = {s.name: matrix(found, s.name) for s in found.strategies}
    return {name: values for name, values in found_all.items() if values is not None}


def difference(first: Matrix, second: Matrix) -> stats.Interval | None:
    """Return mean(first - second) over the images and seeds that both have; None without any."""
    if np.isnan(first - second).all():
        return None
    return stats.paired_interval(first, second)
