"""What a pitfall's experiment showed, and the pieces that every card needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from tl_core import pairing, stats
from tl_core.answers import AnyAnswer, Estimate
from tl_core.dots import Dot
from tl_core.record import Record
from tl_core.stats import Interval, Matrix
from tl_core.wording import percent, points, spread

Reply: TypeAlias = Record | AnyAnswer
Kind = TypeVar("Kind")

ACCURACY = "Accuracy on test images (%)"


class NotMeasured(ValueError):
    """An experiment ended without what its card needs; the text says what is missing."""


@dataclass(frozen=True)
class Outcome:
    """What was measured, in the unit of the card's options, and what to show of it.

    A value without an interval, such as a count, has itself as both ends. `shown`: whether the
    pitfall could be seen this time; `otherwise` is what to say if not.
    """

    measure: Estimate
    shown: bool
    sentence: str
    axis: str = ACCURACY
    dots: tuple[Dot, ...] = ()
    otherwise: str = "Not this time: the interval contains 0."

    @property
    def shares(self) -> bool:
        """Whether the dots are percentages of images, from 0 to 100."""
        return self.axis.endswith("(%)")


def first(replies: Sequence[Reply], kind: type[Kind]) -> Kind:
    """Return the first reply of a kind; raises NotMeasured if there is none."""
    found = next((reply for reply in replies if isinstance(reply, kind)), None)
    if found is None:
        raise NotMeasured("The experiment has not run yet.")
    return found


def comparison(replies: Sequence[Reply]) -> Record:
    """Return the first comparison; raises NotMeasured if none has begun."""
    found = first(replies, Record)
    if found.started is None:
        raise NotMeasured("Nothing was measured before the run ended.")
    return found


def hits(found: Record, strategy: str) -> Matrix:
    """Return whether each test image was classified correctly, seeds x images.

    Raises NotMeasured with the reason if the strategy did not finish.
    """
    correct = pairing.matrix(found, strategy)
    if correct is None:
        titles = {s.name: s.title for s in found.strategies}
        why = next((f.reason for f in found.failed.values()), "The run did not finish.")
        raise NotMeasured(f"{titles.get(strategy, strategy)} was not measured. {why}")
    return correct


def scaled(found: Interval, factor: float = 100.0) -> Estimate:
    """Return an interval of fractions in percent or points."""
    return Estimate(value=factor * found.value, low=factor * found.low, high=factor * found.high)


def exactly(value: float) -> Estimate:
    """Return a value that has no interval."""
    return Estimate(value=value, low=value, high=value)


def accuracy_dot(found: Record, strategy: str, label: str = "") -> Dot:
    """Return a strategy's test accuracy in percent, under its title or another label."""
    titles = {s.name: s.title for s in found.strategies}
    accuracy = stats.accuracy_interval(hits(found, strategy))
    return Dot(label or titles[strategy], scaled(accuracy), strategy=strategy)


def floor_dot(found: Record) -> Dot:
    """Return the accuracy of always guessing the largest class, in percent."""
    assert found.started is not None
    return Dot("Always the largest class", exactly(100 * found.started.majority_accuracy))


def reads(dot: Dot) -> str:
    """Return a dot's value as a percentage."""
    return percent(dot.estimate.value / 100)


def gap_text(gap: Estimate) -> str:
    """Return signed points with their interval."""
    return f"{points(gap.value, True)} points ({spread(gap.low, gap.high, True)})"
