"""How often does each class occur in images that nobody has labelled?"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tl_core import datasets, label_shift
from tl_core.activations import open_read_out
from tl_core.answers import Estimate, Shift
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.events import Answered, Event, Progress
from tl_core.heads import ProbeTask, convex_probes
from tl_core.materials import open_materials
from tl_core.pixels import open_pixels
from tl_core.stats import Interval

# Fewer images than this say next to nothing about shares.
LEAST_IMAGES = 20


def shift(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Shift` of the unlabelled set `request["unlabelled"]`.

    Predictions are those of the linear probe; how it confuses classes is counted on the test part,
    which it never saw. Raises NotPossible for a set with fewer than LEAST_IMAGES images.
    """
    materials = yield from open_materials(config)
    unlabelled = datasets.load(str(request["unlabelled"]))
    if len(unlabelled.images) < LEAST_IMAGES:
        raise NotPossible(
            f"{len(unlabelled.images)} images are too few to estimate shares: bring at least "
            f"{LEAST_IMAGES}."
        )
    pixels = yield from open_pixels(unlabelled, materials.row.preprocessing, materials.compute)
    read = yield from open_read_out(
        materials.original,
        materials.weights_sha256,
        pixels,
        materials.compute,
        unlabelled.name,
    )
    yield Progress(message="Estimating the class balance")
    dataset, labels = materials.dataset, materials.labels
    part, classes = datasets.split(dataset, 0), len(dataset.classes)
    features = materials.read_out.features
    probe = convex_probes(features, labels, [ProbeTask(part.train, part.validation)], classes)[0]
    known = probe.probabilities(features[list(part.test)]).argmax(axis=1)
    guessed = probe.probabilities(read.features).argmax(axis=1)
    true = labels[list(part.test)]
    shares = label_shift.class_shares(labels[list(part.train)], classes)
    known_shares = tuple(shares.tolist())
    try:
        found = label_shift.bbse(known, true, guessed, classes)
        estimated = np.array([interval.value for interval in found.shares])
        accuracy = label_shift.accuracy_under_shares(known == true, true, estimated)
    except ValueError as refusal:
        answer = Shift(
            images=len(unlabelled.images),
            classes=dataset.classes,
            known=known_shares,
            refused=str(refusal),
        )
    else:
        answer = Shift(
            images=len(unlabelled.images),
            classes=dataset.classes,
            known=known_shares,
            estimated=tuple(_estimate(interval) for interval in found.shares),
            total_variation=label_shift.total_variation(shares, estimated),
            accuracy=_estimate(accuracy),
            condition=found.condition,
        )
    yield Answered(answer=answer)


def _estimate(interval: Interval) -> Estimate:
    return Estimate(value=interval.value, low=interval.low, high=interval.high)
