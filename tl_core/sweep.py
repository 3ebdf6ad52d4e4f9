"""A sweep: one comparison varied in one thing, as data."""

from typing import Literal, TypeAlias, get_args

from tl_core.config import ComparisonConfig, Config

SweepName: TypeAlias = Literal[
    "labels", "depth", "rate", "steps", "model", "input_size", "augmentation", "regularisation"
]
SWEEP_NAMES: tuple[SweepName, ...] = get_args(SweepName)


class SweepPoint(Config, frozen=True):
    """One comparison of a sweep. `value` is its place on the axis, None where there is no order."""

    label: str
    value: float | None
    config: ComparisonConfig


class Sweep(Config, frozen=True):
    """What is varied, and the points in the order in which they are run.

    `notes`: sentences for the user on what was left out, and why.
    """

    name: SweepName
    points: tuple[SweepPoint, ...]
    notes: tuple[str, ...] = ()
