"""What a comparison does otherwise than usual with images, rates and labels: words and checks."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from tl_core.catalog import Model, at_size
from tl_core.config import Augmentation, NotPossible, Regularisation
from tl_core.regularisation import RULES
from tl_core.strategies import Strategy

AUGMENTATION: Final[Mapping[Augmentation, str]] = {
    "none": "none, the centre of each image",
    "crops": "crops and mirroring",
    "colour": "crops, mirroring and colour",
}
# A range test may go beyond rates that anybody trains with: where it breaks is what it is for.
HIGHEST_RATE: Final = 10.0
# A narrower range shows no curve.
LEAST_RATIO: Final = 10.0
RATES_ASKED: Final = (
    f"two numbers above 0, at most {HIGHEST_RATE:g}, the second at least {LEAST_RATIO:g} times the "
    "first"
)

Rates = tuple[float, float]


class Unusual(Protocol):
    """A configuration, or a choice that becomes one."""

    @property
    def input_size(self) -> int | None:
        """See `config.ComparisonConfig`, also for the others."""

    @property
    def augmentation(self) -> Augmentation:
        """How images are varied."""

    @property
    def regularisation(self) -> Regularisation:
        """What holds trainings back."""

    @property
    def rate_range(self) -> Rates | None:
        """The rates of a range test."""


def size_text(size: int | None) -> str:
    """Return an input size in words."""
    return "the model's own" if size is None else f"{size} pixels"


def range_text(rates: Rates | None) -> str:
    """Return a range of learning rates in words, a dash for none."""
    return "–" if rates is None else f"{rates[0]:.2g} to {rates[1]:.2g}"


def phrases(of: Unusual) -> list[str]:
    """Return what is otherwise than usual, a phrase each."""
    found = []
    if of.input_size is not None:
        found.append(f"images {size_text(of.input_size)} wide")
    if of.augmentation != "crops":
        found.append(f"augmentation: {AUGMENTATION[of.augmentation]}")
    if of.regularisation != "usual":
        found.append(f"regularisation: {RULES[of.regularisation].title}")
    if of.rate_range is not None:
        found.append(f"a range test of learning rates from {range_text(of.rate_range)}")
    return found


def is_range(low: float, high: float) -> bool:
    """Return whether a range test can go from `low` to `high`."""
    return low > 0 and LEAST_RATIO * low <= high <= HIGHEST_RATE


def check(
    row: Model, strategies: Sequence[Strategy], of: Unusual, learning_rate: float | None
) -> None:
    """Raise NotPossible with a sentence where this cannot be done with a model and strategies."""
    at_size(row, of.input_size)
    for name, value, known in (
        ("augmentation", of.augmentation, AUGMENTATION),
        ("regularisation", of.regularisation, RULES),
    ):
        if value not in known:
            raise NotPossible(f"The {name} is one of {', '.join(known)}.")
    if of.rate_range is None:
        return
    if not is_range(*of.rate_range):
        raise NotPossible(f"The range of learning rates is {RATES_ASKED}.")
    if learning_rate is not None:
        raise NotPossible("Give a learning rate or a range of them, not both.")
    if all(strategy.solver != "steps" for strategy in strategies):
        raise NotPossible(
            "A range of learning rates is for strategies that are trained step by step: choose one."
        )
