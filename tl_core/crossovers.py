"""From how many labels on one strategy overtakes another, measured; and what the textbook says."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Final

from tl_core import stats
from tl_core.learning_curve import measured_hits
from tl_core.stats import Interval
from tl_core.strategies import STRATEGIES, Strategy
from tl_core.swept import Swept
from tl_core.wording import lowered, number_of


@dataclass(frozen=True)
class Crossover:
    """`first` is behind `second` at few labels and ahead of it at many.

    `sizes` ascending; `differences` in parallel: accuracy of the first minus the second (fraction),
    paired over the same test images, simultaneous over the sizes (Holm). `below`: the largest size
    at which it is behind, `above` the next at which it is ahead, each with an interval without 0.
    """

    first: str
    second: str
    first_title: str
    second_title: str
    sizes: tuple[float, ...]
    differences: tuple[Interval, ...]
    below: float
    above: float

    @property
    def text(self) -> str:
        """The crossover as a sentence."""
        signs = dict(zip(self.sizes, map(_sign, self.differences), strict=True))
        behind = all(sign < 0 for size, sign in signs.items() if size <= self.below)
        ahead = all(sign > 0 for size, sign in signs.items() if size >= self.above)
        start = "From" if ahead else "At"
        on = " on" if ahead else ""
        down = "and fewer " if behind and self.below > self.sizes[0] else ""
        between = [n for n in self.sizes if self.below < n < self.above]
        open_part = "; between them nothing can be said" if between else ""
        return (
            f"{start} {self.above:.0f} labels per class{on} {lowered(self.first_title)} is ahead "
            f"of {lowered(self.second_title)}; at {self.below:.0f} {down}it is behind{open_part}."
        )


def crossovers(found: Swept) -> list[Crossover]:
    """Return the pairs of strategies that change places between two measured sizes.

    Only where the paired difference excludes 0 on both sides; empty if there is no such pair.
    """
    first = next((r for r in found.records.values() if r.started is not None), None)
    pairs = permutations(first.strategies if first is not None else (), 2)
    made = [_crossover(found, *pair) for pair in pairs]
    return [one for one in made if one is not None]


def _crossover(found: Swept, first: Strategy, second: Strategy) -> Crossover | None:
    ours, theirs = measured_hits(found, first.name), measured_hits(found, second.name)
    both = {size: (ours[size], theirs[size]) for size in ours if size in theirs}
    differences = stats.holm_pairs(both)
    signs = {size: _sign(one) for size, one in differences.items()}
    decided = [size for size, sign in signs.items() if sign]
    change = next(
        ((a, b) for a, b in pairwise(decided) if signs[a] < 0 < signs[b]),
        None,
    )
    if change is None:
        return None
    return Crossover(
        first.name,
        second.name,
        first.title,
        second.title,
        tuple(differences),
        tuple(differences.values()),
        *change,
    )


def _sign(difference: Interval) -> int:
    return 0 if difference.contains_zero else (1 if difference.value > 0 else -1)


def crossover_text(found: Sequence[Crossover]) -> str:
    """Return all crossovers in sentences, or that none was found."""
    if not found:
        return "No crossover found: no two strategies change places beyond their intervals."
    return " ".join(one.text for one in found)


# Images in all from which the textbook recommends a strategy; no source measures such a bound.
TEXTBOOK: Final = (
    (0, "feature_extraction"),
    (500, "partial_fine_tuning"),
    (5_000, "full_fine_tuning"),
    (100_000, "from_scratch"),
)


def textbook_text(images: int) -> str:
    """Return what the textbook says of so many training images in all, with its own bounds."""
    chosen = [name for bound, name in TEXTBOOK if images >= bound][-1]
    said = "; ".join(
        f"{lowered(STRATEGIES[name].title)}: {STRATEGIES[name].textbook.labels_needed}"
        for _, name in TEXTBOOK
    )
    return (
        f"The textbook's thresholds, in images of all classes: {said}. With your "
        f"{number_of(images, 'training image')} it would say {lowered(STRATEGIES[chosen].title)}."
    )
