"""Are images handed to a network in the way its weights were trained for?

Two signs need no labels: which values reach the network at all, and whether the original model
finds the images more familiar once red and blue change places.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tl_core import stats
from tl_core.catalog import Preprocessing

# Values beyond the possible ones by this factor, or all within this share of them.
TOO_WIDE, TOO_NARROW = 1.05, 0.6
# Images looked at; many more would turn differences that mean nothing into certain ones.
MOST_IMAGES = 200
# How sure it has to be that swapped channels are more familiar: asked of every data set, a false
# alarm in a thousand is still one too many.
SURE = 0.9999
FEWEST_IMAGES = 20


@dataclass(frozen=True)
class InputValues:
    """What reaches a network, over all images and channels."""

    mean: float
    std: float
    low: float
    high: float


def input_values(batches: Iterator[Tensor]) -> InputValues:
    """Return the values of batches N x 3 x H x W as the network sees them."""
    count, total, squares, lows, highs = 0, 0.0, 0.0, [], []
    for batch in batches:
        values = batch.double()
        count += values.numel()
        total += float(values.sum())
        squares += float((values * values).sum())
        lows.append(float(values.min()))
        highs.append(float(values.max()))
    mean = total / count
    return InputValues(mean, float(np.sqrt(squares / count - mean**2)), min(lows), max(highs))


def range_fault(found: InputValues, expected: Preprocessing) -> str:
    """Return what is wrong with the values, for the user; empty if nothing is.

    Right values fill the range that black and white become, (0 - mean) / std to (1 - mean) / std.
    """
    lowest = min((0 - m) / s for m, s in zip(expected.mean, expected.std, strict=True))
    highest = max((1 - m) / s for m, s in zip(expected.mean, expected.std, strict=True))
    ends = f"The network gets values from {found.low:.3g} to {found.high:.3g}, its weights expect "
    ends += f"{lowest:.2g} to {highest:.2g}"
    if found.low < TOO_WIDE * lowest or found.high > TOO_WIDE * highest:
        return f"{ends}: the images were probably not divided by 255."
    if found.low > TOO_NARROW * lowest and found.high < TOO_NARROW * highest:
        return f"{ends}: mean and standard deviation were probably not applied, or others were."
    return ""


def familiarity_gain(
    given: NDArray[np.float64], swapped: NDArray[np.float64]
) -> stats.Interval | None:
    """Return by how much more familiar images became (nats), paired, at a very sure level.

    Both: log sum exp of the source logits of N images, the negative free energy of Liu et al. 2020.
    None for too few images, or where nothing changed: greyscale images have no channel order.
    """
    change = swapped - given
    if len(change) < FEWEST_IMAGES or np.ptp(change) == 0:
        return None
    error = float(change.std(ddof=1) / np.sqrt(len(change)))
    reach = stats.normal_quantile(SURE) * error
    mean = float(change.mean())
    return stats.Interval(mean, mean - reach, mean + reach)


def order_fault(gain: stats.Interval | None) -> str:
    """Return what is wrong with the channel order, for the user; empty if nothing is."""
    if gain is None or gain.low <= 0:
        return ""
    return (
        "The model finds the images more familiar with red and blue exchanged "
        f"(+{gain.value:.2f} nats, {gain.low:.2f} to {gain.high:.2f}): they, or the weights, are "
        "probably BGR."
    )
