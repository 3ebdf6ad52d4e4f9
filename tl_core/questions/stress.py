"""What does a mistake in preprocessing cost? The same model and images, handed over wrongly.

The linear probe is solved on images as they are meant to be; then test images and source images
are handed over in every way of `variants.VARIANTS`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import functional as vision

from tl_core import datasets, preprocessing, stats
from tl_core.answers import Estimate, Stress, Variant
from tl_core.catalog import Preprocessing
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.events import Answered, Event, Progress
from tl_core.heads import Probe, ProbeTask, convex_probes, zero_shot_probabilities
from tl_core.materials import Materials, open_materials
from tl_core.questions.looks import MOST_IMAGES, Look, Way, fault, look, spread, usual
from tl_core.variants import VARIANTS

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_ENLARGED_FROM = 4

Floats = NDArray[np.float64]


def _not_normalised(image: Tensor, wanted: Preprocessing) -> Tensor:
    return preprocessing.centre_crop(image, wanted).float() / 255


def _other_normalisation(image: Tensor, wanted: Preprocessing) -> Tensor:
    mean, std = IMAGENET if wanted.mean != IMAGENET[0] else HALF
    values = preprocessing.centre_crop(image, wanted).float() / 255
    return (values - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def _range_255(image: Tensor, wanted: Preprocessing) -> Tensor:
    values = preprocessing.centre_crop(image, wanted).float()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (wanted.mean, wanted.std))
    return (values - mean) / std


def _squashed(image: Tensor, wanted: Preprocessing) -> Tensor:
    square = vision.resize(image, [wanted.crop, wanted.crop], antialias=True)
    return preprocessing.normalise(square, wanted)


def _nearest(image: Tensor, wanted: Preprocessing) -> Tensor:
    crop = preprocessing.centre_crop(image, wanted)
    picked = functional.interpolate(crop[..., ::2, ::2], size=crop.shape[-2:], mode="nearest")
    return preprocessing.normalise(picked, wanted)


def _greyscale(image: Tensor, wanted: Preprocessing) -> Tensor:
    return usual(vision.rgb_to_grayscale(image, num_output_channels=3), wanted)


def _constant_channel(image: Tensor, wanted: Preprocessing) -> Tensor:
    dead = image.clone()
    dead[..., 2, :, :] = 0
    return usual(dead, wanted)


def _stretched(image: Tensor, wanted: Preprocessing) -> Tensor:
    height, width = image.shape[-2:]
    return usual(vision.resize(image, [height, 3 * width], antialias=True), wanted)


def _upscaled(image: Tensor, wanted: Preprocessing) -> Tensor:
    height, width = image.shape[-2:]
    small = [max(1, height // _ENLARGED_FROM), max(1, width // _ENLARGED_FROM)]
    enlarged = vision.resize(
        vision.resize(image, small, antialias=True), [height, width], antialias=True
    )
    return usual(enlarged, wanted)


# From a resized uint8 image (1 x 3 x H x W) to the network's input.
WAYS: dict[str, Way] = {
    "not_normalised": _not_normalised,
    "other_normalisation": _other_normalisation,
    "range_255": _range_255,
    "bgr": lambda image, wanted: usual(image.flip(-3), wanted),
    "squashed": _squashed,
    "nearest": _nearest,
    "greyscale": _greyscale,
    "constant_channel": _constant_channel,
    "stretched": _stretched,
    "upscaled": _upscaled,
}


class _Judge:
    """Whether the model is right on each image, for each of its readings."""

    def __init__(self, materials: Materials, config: ComparisonConfig) -> None:
        dataset, labels = materials.dataset, materials.labels
        part, classes = datasets.split(dataset, 0), len(dataset.classes)
        features = materials.read_out.features
        task = ProbeTask(part.train, part.validation)
        self.probe: Probe = convex_probes(features, labels, [task], classes)[0]
        test = spread(part.test)
        # Whether images look right needs no labels: other images make up for a small test part.
        rest = spread(sorted(set(range(len(labels))) - set(test)), MOST_IMAGES - len(test))
        self.looked_at = [*test, *rest]
        self.labels, self.classes = labels[test], dataset.classes
        self.class_map = config.class_map
        self.mapped = any(config.class_map.get(name) for name in dataset.classes)
        source = materials.probe
        self.source = spread(range(len(source.labels))) if source is not None else []
        self.source_labels = source.labels[self.source] if source is not None else None

    def target(self, seen: Look) -> Floats:
        return self._hits(self.probe.probabilities(seen.features), self.labels)

    def zero_shot(self, seen: Look) -> Floats:
        found = zero_shot_probabilities(seen.source_logits, self.class_map, self.classes)
        return self._hits(found, self.labels)

    def of_source(self, seen: Look) -> Floats:
        assert self.source_labels is not None
        return self._hits(seen.source_logits, self.source_labels)

    @staticmethod
    def _hits(scores: NDArray[Any], labels: NDArray[np.int64]) -> Floats:
        hits: Floats = (scores[: len(labels)].argmax(axis=1) == labels).astype(np.float64)
        return hits


def stress(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Stress` of a data set with the configured model.

    `request["variants"]`: names of `variants.VARIANTS`, by default all. Raises NotPossible for a
    name that is none.
    """
    names = tuple(request.get("variants") or VARIANTS)
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise NotPossible(f"There is no way '{unknown[0]}'. Ways: {', '.join(VARIANTS)}.")
    materials = yield from open_materials(config)
    judge = _Judge(materials, config)
    source = materials.probe.inputs.pixels if materials.probe is not None else None
    right = look(materials, materials.pixels, judge.looked_at, usual)
    right_source = look(materials, source, judge.source, usual) if source else None
    variants = []
    for done, name in enumerate(names):
        yield Progress(message=f"Trying: {VARIANTS[name].title}", fraction=done / len(names))
        found = look(materials, materials.pixels, judge.looked_at, WAYS[name])
        found_source = look(materials, source, judge.source, WAYS[name]) if source else None
        noticed = fault(materials, judge.looked_at, found, WAYS[name])
        variants.append(_variant(name, judge, right, found, right_source, found_source, noticed))
    of_source = judge.of_source(right_source) if right_source else None
    yield Answered(
        answer=Stress(
            images=len(judge.labels),
            source_images=len(judge.source),
            target_accuracy=float(judge.target(right).mean()),
            source_accuracy=None if of_source is None else float(of_source.mean()),
            zero_shot_accuracy=float(judge.zero_shot(right).mean()) if judge.mapped else None,
            variants=tuple(variants),
            mismatch=fault(materials, judge.looked_at, right, usual),
        )
    )


def _variant(
    name: str,
    judge: _Judge,
    right: Look,
    found: Look,
    right_source: Look | None,
    found_source: Look | None,
    noticed: str,
) -> Variant:
    of_source = None
    if right_source is not None and found_source is not None:
        of_source = _loss(judge.of_source(right_source), judge.of_source(found_source))
    return Variant(
        name=name,
        target_loss=_loss(judge.target(right), judge.target(found)),
        source_loss=of_source,
        zero_shot_loss=(
            _loss(judge.zero_shot(right), judge.zero_shot(found)) if judge.mapped else None
        ),
        familiarity=_paired(found.energy, right.energy, 1.0),
        mean=found.values.mean,
        std=found.values.std,
        low=found.values.low,
        high=found.values.high,
        noticed=noticed,
    )


def _loss(before: Floats, after: Floats) -> Estimate:
    """Return the loss of accuracy in percentage points, paired over images."""
    return _paired(before, after, 100.0)


def _paired(first: Floats, second: Floats, factor: float) -> Estimate:
    found = stats.paired_interval(first[None], second[None])
    return Estimate(value=factor * found.value, low=factor * found.low, high=factor * found.high)
