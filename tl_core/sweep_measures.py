"""What a sweep's charts show: one measure of its table at a time, with the ends of its interval."""

from typing import Final, Literal

import pandas as pd

from tl_core.sweep import SweepName

SweepMeasure = Literal["accuracy", "forgetting", "drift", "seconds"]

TITLES: Final[dict[SweepMeasure, str]] = {
    "accuracy": "Accuracy on test images (%)",
    "forgetting": "Forgetting (points of source accuracy lost)",
    "drift": "Drift (source predictions changed, %)",
    "seconds": "Seconds of one training",
}

# Where doubling means as much at every place.
LOGARITHMIC: Final[frozenset[SweepName]] = frozenset({"labels", "rate", "steps"})


def measures(frame: pd.DataFrame) -> list[SweepMeasure]:
    """Return what a sweep's table can show: forgetting where it was measured, drift elsewhere."""
    change: list[SweepMeasure] = []
    if frame["forgetting"].notna().any():
        change = ["forgetting"]
    elif frame["agreement"].notna().any():
        change = ["drift"]
    return ["accuracy", *change, "seconds"]


def measured(frame: pd.DataFrame, measure: SweepMeasure) -> pd.DataFrame:
    """Return a sweep's table with `y`, `low` and `high` of a measure; unmeasured points are gone.

    Drift and seconds have no interval: there all three are the same.
    """
    columns = {
        "accuracy": ("test_accuracy", "ci_low", "ci_high"),
        "forgetting": ("forgetting", "forgetting_low", "forgetting_high"),
        "drift": ("changed", "changed", "changed"),
        "seconds": ("train_seconds",) * 3,
    }[measure]
    frame = frame.assign(changed=100 - frame["agreement"].astype(float))
    values = {
        name: frame[column].astype(float)
        for name, column in zip(("y", "low", "high"), columns, strict=True)
    }
    made = frame.assign(**values)
    return made[made["y"].notna()]


def has_order(frame: pd.DataFrame) -> bool:
    """Return whether the points have places on an axis of numbers."""
    return bool(frame["value"].notna().any())
