"""How long a sweep will take, before it runs."""

from collections.abc import Mapping
from dataclasses import replace

from tl_core import datasets
from tl_core.config import DRAWN, ComparisonConfig
from tl_core.estimate import Counts, plan_of, stored_pixels
from tl_core.ingest import source_probe
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
    preparation: dict[object, float] = {}
    total = 0.0
    for point in sweep.points:
        config = point.config
        planned = plan_of(config, _labelled(config, counts), device, measured)
        if planned is None:
            return None
        total += sum(run.seconds for run in planned.runs if run.kind != "equal_steps")
        # What the original model makes of the images is kept.
        seen = (config.backbone, config.weights_sha256, config.input_size)
        preparation[seen] = max(preparation.get(seen, 0.0), planned.preparation)
    return total + sum(preparation.values())


def whole_counts(base: ComparisonConfig) -> Counts:
    """Return the counts of a comparison's data with all its labels, from the data directory.

    Raises BadInput where the data are no longer there.
    """
    data, probe = datasets.load(base.data.fingerprint), base.data.probe
    part = datasets.split(data, 0)
    drawn = probe is not None and probe.startswith(DRAWN)
    there = source_probe.COUNT if drawn else len(datasets.load(probe).images) if probe else 0
    return Counts(
        len(part.train),
        len(part.validation),
        len(part.test),
        there,
        classes=len(data.classes),
        pixels=stored_pixels(data),
    )


def _labelled(config: ComparisonConfig, counts: Counts) -> Counts:
    """Return the counts of a point: of training and validation what its labels leave."""
    if config.labels_per_class is None or not counts.n_train:
        return counts
    train = min(counts.n_train, config.labels_per_class * counts.classes)
    validation = max(counts.classes, round(counts.n_validation * train / counts.n_train))
    return replace(counts, n_train=train, n_validation=min(validation, counts.n_validation))
