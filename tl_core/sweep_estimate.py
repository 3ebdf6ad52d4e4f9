"""How long a sweep will take, before it runs."""

from collections.abc import Mapping
from dataclasses import replace

from tl_core.config import ComparisonConfig
from tl_core.estimate import Counts, plan_of
from tl_core.sweep import Sweep


def sweep_seconds(
    sweep: Sweep,
    counts: Counts,
    device: Mapping[str, object] | None,
    measured: Mapping[str, float],
) -> float | None:
    """Return the seconds of all points; None where a model is not in the catalog.

    `counts`: of the whole data, as `plan_of` takes them; `device` and `measured`: what the store
    knows of this machine (`store.device()`, `store.speeds()`). Runs that are finished already are
    counted as if they were not.
    """
    total, seen = 0.0, False
    for point in sweep.points:
        there = _labelled(point.config, counts)
        planned = plan_of(
            point.config, replace(there, pixels=0.0) if seen else there, device, measured
        )
        if planned is None:
            return None
        total, seen = total + planned.seconds, True
    return total


def _labelled(config: ComparisonConfig, counts: Counts) -> Counts:
    """Return the counts of a point: of training and validation what its labels leave."""
    if config.labels_per_class is None or not counts.n_train:
        return counts
    train = min(counts.n_train, config.labels_per_class * counts.classes)
    validation = max(counts.classes, round(counts.n_validation * train / counts.n_train))
    return replace(counts, n_train=train, n_validation=min(validation, counts.n_validation))
