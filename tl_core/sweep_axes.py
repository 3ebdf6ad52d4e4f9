"""The points of each sweep of one model: the values of its axis, and the comparison at each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, TypeAlias, TypeVar, get_args

import numpy as np
from msgspec.structs import replace

from tl_core import datasets
from tl_core.catalog import Model, at_size
from tl_core.config import (
    SMALL_INPUT,
    Augmentation,
    ComparisonConfig,
    NotPossible,
    Regularisation,
    Setting,
)
from tl_core.plans import limits
from tl_core.strategies import Strategy, custom_strategy
from tl_core.sweep import SweepPoint
from tl_core.sweep_settings import own_settings

Values: TypeAlias = Sequence[float | str]
Value = TypeVar("Value")

ALL: Final = "all"
FEWEST_LABELS: Final = 2
# Under so many sizes beside `all`, a curve would hardly have a form.
_FEWEST_SIZES: Final = 4
# Half decades to both sides of the model's own rate, and how far a range test goes beyond.
_HALF_DECADES: Final = (-3, -2, -1, 0, 1, 2, 3)
_BEYOND: Final = 10.0
LARGEST_RATE: Final = 1.0
_STEPS: Final = (0.25, 0.5, 1, 2, 4, 8)
_SIZES: Final = (0.5, 0.75, 1, 1.5)
# Networks halve the input five times; small ones have blocks that do not.
_MULTIPLE, _SMALL_MULTIPLE = 32, 8


@dataclass
class Axis:
    """Points as they are made, and sentences on what was left out."""

    points: list[SweepPoint] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, label: str, value: float | None, config: ComparisonConfig) -> None:
        """Append a point."""
        self.points.append(SweepPoint(label=label, value=value, config=config))


def labels(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return sizes up to half of the smallest class, then all images.

    2, 5, 10, 20, 50 …; where only few of these fit, four sizes in equal steps of proportion.
    """
    counts = datasets.training_counts(datasets.load(base.data.fingerprint))
    there, made = [n for n in counts if n], Axis()
    wanted: Values = [*_usual_sizes(min(there) // 2), ALL]
    for value in wanted if values is None else values:
        if value == ALL:
            mean = sum(there) / len(there)
            made.add(ALL, mean, replace(base, labels_per_class=None))
            continue
        size = _whole(value, FEWEST_LABELS, "labels per class")
        if size >= max(there):
            made.notes.append(f"{size} labels per class are all there are: left out.")
            continue
        made.add(str(size), float(size), replace(base, labels_per_class=size))
    made.points.sort(key=lambda point: point.value or 0.0)
    return made


def _usual_sizes(most: int) -> list[int]:
    found = list(_round_numbers(most))
    if len(found) >= _FEWEST_SIZES or most < FEWEST_LABELS:
        return found
    spread = np.geomspace(FEWEST_LABELS, most, _FEWEST_SIZES)
    return sorted({round(float(size)) for size in spread})


def _round_numbers(most: int) -> Iterator[int]:
    for decade in count():
        for digit in (1, 2, 5):
            size = digit * 10**decade
            if size > most:
                return
            if size >= FEWEST_LABELS:
                yield size


def depth(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return one's own strategy with the last k blocks trained, for every k."""
    blocks, made = len(row.blocks), Axis()
    setting = base.settings.get("full_fine_tuning") or _setting(base, row)
    wanted = range(blocks + 1) if values is None else values
    for k in sorted({_whole(value, 0, "trained blocks", blocks) for value in wanted}):
        strategy = custom_strategy([place < blocks - k for place in range(blocks)])
        label = row.blocks[blocks - k].name if k else "head only"
        config = replace(base, strategies=(strategy,), settings={strategy.name: setting})
        made.add(label, float(k), config)
    return made


def rate(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return a range test, then seven rates in half decades around the one in use."""
    own = _setting(base, row).learning_rate
    wanted = [own * 10 ** (half / 2) for half in _HALF_DECADES] if values is None else values
    rates = sorted({float(f"{_number(value, 'learning rate'):.2g}") for value in wanted})
    rates = [one for one in rates if 0 < one <= LARGEST_RATE]
    if not rates:
        raise NotPossible("A learning rate is a number above 0, at most 1.")
    base, made = replace(_with_training(base), settings={}), Axis()
    stepped = tuple(_stepped(base.strategies))
    around = (rates[0] / _BEYOND, min(LARGEST_RATE, rates[-1] * _BEYOND))
    made.add("range test", None, replace(base, strategies=stepped, rate_range=around))
    for one in rates:
        made.add(f"{one:g}", one, replace(base, learning_rate=one))
    return made


def steps(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return a quarter of the budget's steps to eight times as many."""
    own, made = limits(base, row.preprocessing.crop).steps, Axis()
    wanted = [max(1, round(own * factor)) for factor in _STEPS] if values is None else values
    for number in sorted({_whole(value, 1, "steps") for value in wanted}):
        made.add(f"{number:,}", float(number), replace(_with_training(base), steps=number))
    return made


def input_size(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return half to one and a half times the model's own input size, as far as it takes them."""
    own, made = row.preprocessing.crop, Axis()
    multiple = _MULTIPLE if own >= SMALL_INPUT else _SMALL_MULTIPLE
    usual = [max(1, round(own * factor / multiple)) * multiple for factor in _SIZES]
    wanted = usual if values is None else values
    for size in sorted({_whole(value, 1, "pixels") for value in wanted}):
        try:
            at_size(row, size)
        except NotPossible as error:
            made.notes = list(dict.fromkeys([*made.notes, str(error)]))
            continue
        made.add(str(size), float(size), replace(base, input_size=None if size == own else size))
    return made


def augmentation(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return none, crops, colour."""
    return _named(base, "augmentation", get_args(Augmentation), get_args(Augmentation), values)


def regularisation(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return nothing, then each remedy alone."""
    known = get_args(Regularisation)
    return _named(base, "regularisation", known, [k for k in known if k != "usual"], values)


def _named(
    base: ComparisonConfig,
    what: str,
    known: Sequence[str],
    default: Sequence[str],
    values: Values | None,
) -> Axis:
    made = Axis()
    for value in dict.fromkeys(default if values is None else map(str, values)):
        if value not in known:
            raise NotPossible(f"There is no {what} '{value}'. There are: {', '.join(known)}.")
        change: dict[str, Any] = {what: value}
        made.add(value.replace("_", " "), None, replace(_with_training(base), **change))
    return made


def _stepped(strategies: Sequence[Strategy]) -> Iterator[Strategy]:
    return (strategy for strategy in strategies if strategy.solver == "steps")


def _with_training(base: ComparisonConfig) -> ComparisonConfig:
    """Return the comparison; raises NotPossible where nothing in it is trained step by step."""
    if next(_stepped(base.strategies), None) is None:
        raise NotPossible(
            "None of the strategies is trained step by step: nothing would change. Add partial or "
            "full fine-tuning."
        )
    return base


def _setting(base: ComparisonConfig, row: Model) -> Setting:
    """Return the setting of the first strategy that trains, reused weights first; else own rates.

    All points of a sweep share it, so it is one that the comparison really uses.
    """
    trained = sorted(_stepped(base.strategies), key=lambda strategy: not strategy.pretrained)
    if trained:
        return base.settings[trained[0].name]
    strategy = custom_strategy([False] * len(row.blocks))
    return own_settings((strategy,), row)[strategy.name]


def _number(value: float | str, what: str) -> float:
    return _read(float, value, what)


def _whole(value: float | str, least: int, what: str, most: int | None = None) -> int:
    number = _read(lambda given: int(str(given)), value, what)
    if number < least or (most is not None and number > most):
        between = f"from {least} to {most}" if most is not None else f"{least} or more"
        raise NotPossible(f"The number of {what} is {between}, not {number}.")
    return number


def _read(kind: Callable[[float | str], Value], value: float | str, what: str) -> Value:
    try:
        return kind(value)
    except ValueError as error:
        raise NotPossible(f"'{value}' is no number ({what}).") from error
