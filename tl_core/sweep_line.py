"""The command that reproduces a sweep, from what it varies and its points."""

import shlex

from tl_core.command import command
from tl_core.config import ComparisonConfig
from tl_core.sweep import Sweep, SweepPoint


def sweep_line(sweep: Sweep, base: ComparisonConfig) -> str:
    """Return a `python -m tl_core sweep` line that gives the same numbers on this machine."""
    words = shlex.split(command(base))
    place = words.index("compare")
    values = [_value(sweep, point) for point in sweep.points if point.config.rate_range is None]
    return shlex.join(
        [*words[:place], "sweep", sweep.name, *words[place + 1 :], "--values", ",".join(values)]
    )


def _value(sweep: Sweep, point: SweepPoint) -> str:
    config = point.config
    if sweep.name == "model":
        return config.backbone
    if sweep.name == "augmentation":
        return config.augmentation
    if sweep.name == "regularisation":
        return config.regularisation
    if sweep.name == "labels" and config.labels_per_class is None:
        return point.label
    return f"{point.value or 0:g}"
