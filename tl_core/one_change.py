"""One setting of a finished comparison changed: what can be, and the comparison that results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec

from tl_core.catalog import Model, at_size
from tl_core.config import (
    BUDGETS,
    SMALL_INPUT,
    ClassBalance,
    ComparisonConfig,
    NotPossible,
    budget_for,
)
from tl_core.regularisation import RULES
from tl_core.strategies import Strategy
from tl_core.unusual import AUGMENTATION, size_text

Value = str | int | float | None

_RATES: Final = (0.1, 1 / 3, 3.0, 10.0)
_SIZES: Final = (0.5, 0.75, 1.0, 1.5)
_LABELS: Final = (2, 5, 10, 20, 50, 100)
# Networks halve the input five times; small ones have blocks that do not.
_MULTIPLE, _SMALL_MULTIPLE = 32, 8


@dataclass(frozen=True)
class Facts:
    """What decides which values make sense; `fewest`: training images of the smallest class."""

    row: Model
    fewest: int


@dataclass(frozen=True)
class Change:
    """A setting that can be changed. `field`: of the configuration; `unit` follows a value."""

    title: str
    field: str
    values: Callable[[ComparisonConfig, Facts], Sequence[Value]]
    say: Callable[[Value, Facts], str]


def _whole(value: Value) -> int | None:
    return None if value is None else int(value)


def _plain(value: Value, facts: Facts) -> str:
    return str(value).replace("_", " ")


def _seeds(value: Value, facts: Facts) -> str:
    return f"{value} seed{'' if value == 1 else 's'}"


def _budget(value: Value, facts: Facts) -> str:
    name = next(name for name in BUDGETS if name == value)
    return f"{name}: {budget_for(name, facts.row.preprocessing.crop).steps} steps"


def _rates(config: ComparisonConfig, facts: Facts) -> list[Value]:
    own = config.learning_rate or facts.row.recipe.rate
    rates = [float(f"{own * factor:.2g}") for factor in _RATES]
    asked: list[Value] = [None] if config.learning_rate is not None else []
    return [*asked, *(rate for rate in rates if rate <= 1)]


def _rate(value: Value, facts: Facts) -> str:
    return "the model's own" if value is None else f"{value:g}"


def _labels(config: ComparisonConfig, facts: Facts) -> list[Value]:
    return [None, *(size for size in _LABELS if size < facts.fewest)]


def _label(value: Value, facts: Facts) -> str:
    return "all" if value is None else f"{value} a class"


def _sizes(config: ComparisonConfig, facts: Facts) -> list[Value]:
    own = facts.row.preprocessing.crop
    multiple = _MULTIPLE if own >= SMALL_INPUT else _SMALL_MULTIPLE
    sizes = [max(1, round(own * factor / multiple)) * multiple for factor in _SIZES]
    return [None if size == own else size for size in sizes if _possible(facts.row, size)]


def _possible(row: Model, size: int) -> bool:
    try:
        at_size(row, size)
    except NotPossible:
        return False
    return True


CHANGES: Final[Mapping[str, Change]] = {
    change.field: change
    for change in (
        Change("Seeds", "seeds", lambda config, facts: (1, 3, 5), _seeds),
        Change("Budget", "budget", lambda config, facts: tuple(BUDGETS), _budget),
        Change("Learning rate", "learning_rate", _rates, _rate),
        Change("Labels", "labels_per_class", _labels, _label),
        Change(
            "Rare classes", "class_balance", lambda config, facts: get_args(ClassBalance), _plain
        ),
        Change("Input size", "input_size", _sizes, lambda value, facts: size_text(_whole(value))),
        Change(
            "Augmentation",
            "augmentation",
            lambda config, facts: tuple(AUGMENTATION),
            lambda value, facts: next(t for name, t in AUGMENTATION.items() if name == value),
        ),
        Change(
            "Regularisation",
            "regularisation",
            lambda config, facts: tuple(RULES),
            lambda value, facts: next(rule.title for name, rule in RULES.items() if name == value),
        ),
    )
}


def values(change: Change, config: ComparisonConfig, facts: Facts) -> list[Value]:
    """Return the values that a setting can be changed to; the one that it has is none of them."""
    now = getattr(config, change.field)
    found = dict.fromkeys(change.values(config, facts))
    return [value for value in found if value != now]


def changed(
    config: ComparisonConfig, change: Change, value: Value, strategies: Sequence[Strategy]
) -> ComparisonConfig:
    """Return the comparison of these strategies with one setting changed, and nothing else."""
    wanted: dict[str, Any] = {change.field: value, "strategies": tuple(strategies)}
    return msgspec.structs.replace(config, **wanted)
