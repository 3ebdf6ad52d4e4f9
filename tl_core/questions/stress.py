"""What does a mistake in preprocessing cost? The same model and images, handed over wrongly.

The linear probe is solved on images as they are meant to be; then test images and source images
are handed over in every way of `variants.VARIANTS`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import functional as vision

from tl_core import datasets, input_check, preprocessing, stats
from tl_core.answers import Estimate, Stress, Variant
from tl_core.catalog import Preprocessing
from tl_core.config import ComparisonConfig
from tl_core.events import Answered, Event, Progress
from tl_core.heads import Probe, ProbeTask, convex_probes, zero_shot_probabilities
from tl_core.input_check import InputValues
from tl_core.inputs import EVALUATION_BATCH, to_device
from tl_core.materials import Materials, open_materials
from tl_core.pixels import Pixels
from tl_core.variants import VARIANTS

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
# Images of a kind that are looked at in every way.
MOST_IMAGES = input_check.MOST_IMAGES
_ENLARGED_FROM = 4

Floats = NDArray[np.float64]
Way = Callable[[Tensor, Preprocessing], Tensor]


def _usual(image: Tensor, wanted: Preprocessing) -> Tensor:
    return preprocessing.normalise(preprocessing.centre_crop(image, wanted), wanted)


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
    return _usual(vision.rgb_to_grayscale(image, num_output_channels=3), wanted)


def _constant_channel(image: Tensor, wanted: Preprocessing) -> Tensor:
    dead = image.clone()
    dead[..., 2, :, :] = 0
    return _usual(dead, wanted)


def _stretched(image: Tensor, wanted: Preprocessing) -> Tensor:
    height, width = image.shape[-2:]
    return _usual(vision.resize(image, [height, 3 * width], antialias=True), wanted)


def _upscaled(image: Tensor, wanted: Preprocessing) -> Tensor:
    height, width = image.shape[-2:]
    small = [max(1, height // _ENLARGED_FROM), max(1, width // _ENLARGED_FROM)]
    enlarged = vision.resize(
        vision.resize(image, small, antialias=True), [height, width], antialias=True
    )
    return _usual(enlarged, wanted)


# From a resized uint8 image (1 x 3 x H x W) to the network's input.
WAYS: dict[str, Way] = {
    "not_normalised": _not_normalised,
    "other_normalisation": _other_normalisation,
    "range_255": _range_255,
    "bgr": lambda image, wanted: _usual(image.flip(-3), wanted),
    "squashed": _squashed,
    "nearest": _nearest,
    "greyscale": _greyscale,
    "constant_channel": _constant_channel,
    "stretched": _stretched,
    "upscaled": _upscaled,
}


@dataclass(frozen=True)
class Look:
    """What the original model makes of images handed over in one way."""

    features: NDArray[np.float32]
    source_logits: NDArray[np.float32]
    values: InputValues

    @property
    def energy(self) -> Floats:
        """log sum exp of the source logits, N: how familiar each image is."""
        found: Floats = logsumexp(self.source_logits.astype(np.float64), axis=1)
        return found


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

    def target(self, look: Look) -> Floats:
        return self._hits(self.probe.probabilities(look.features), self.labels)

    def zero_shot(self, look: Look) -> Floats:
        found = zero_shot_probabilities(look.source_logits, self.class_map, self.classes)
        return self._hits(found, self.labels)

    def of_source(self, look: Look) -> Floats:
        assert self.source_labels is not None
        return self._hits(look.source_logits, self.source_labels)

    @staticmethod
    def _hits(scores: NDArray[Any], labels: NDArray[np.int64]) -> Floats:
        hits: Floats = (scores[: len(labels)].argmax(axis=1) == labels).astype(np.float64)
        return hits


def stress(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Stress` of a data set with the configured model."""
    materials = yield from open_materials(config)
    judge, wanted = _Judge(materials, config), materials.row.preprocessing
    source = materials.probe.inputs.pixels if materials.probe is not None else None
    usual = _look(materials, materials.pixels, judge.looked_at, _usual)
    usual_source = _look(materials, source, judge.source, _usual) if source else None
    variants = []
    for done, name in enumerate(VARIANTS):
        yield Progress(message=f"Trying: {VARIANTS[name].title}", fraction=done / len(VARIANTS))
        found = _look(materials, materials.pixels, judge.looked_at, WAYS[name])
        found_source = _look(materials, source, judge.source, WAYS[name]) if source else None
        noticed = _noticed(materials, judge, found, WAYS[name], wanted)
        variants.append(_variant(name, judge, usual, found, usual_source, found_source, noticed))
    of_source = judge.of_source(usual_source) if usual_source else None
    yield Answered(
        answer=Stress(
            images=len(judge.labels),
            source_images=len(judge.source),
            target_accuracy=float(judge.target(usual).mean()),
            source_accuracy=None if of_source is None else float(of_source.mean()),
            zero_shot_accuracy=float(judge.zero_shot(usual).mean()) if judge.mapped else None,
            variants=tuple(variants),
            mismatch=_noticed(materials, judge, usual, _usual, wanted),
        )
    )


def spread(indices: Sequence[int], most: int = MOST_IMAGES) -> list[int]:
    """Return at most `most` of the indices, evenly from first to last."""
    if len(indices) <= most:
        return list(indices)
    return [indices[i] for i in np.linspace(0, len(indices) - 1, most).round().astype(int)]


def _look(materials: Materials, pixels: Pixels, chosen: list[int], way: Way) -> Look:
    """Return what the original model reads of images handed over in one way."""
    net, compute = materials.original, materials.compute
    features, logits, values = [], [], []
    for start in range(0, len(chosen), EVALUATION_BATCH):
        some = chosen[start : start + EVALUATION_BATCH]
        batch = torch.cat([way(pixels[i].cpu(), pixels.preprocessing) for i in some])
        values.append(batch)
        batch = to_device(batch.contiguous(memory_format=torch.channels_last), compute)
        with torch.no_grad(), compute.autocast():
            final = net.forward_blocks(batch)
            features.append(net.pool(final).float().cpu())
            logits.append(net.source_logits(final).float().cpu())
    return Look(
        torch.cat(features).numpy(),
        torch.cat(logits).numpy(),
        input_check.input_values(iter(values)),
    )


def _noticed(
    materials: Materials, judge: _Judge, found: Look, way: Way, wanted: Preprocessing
) -> str:
    """Return what the input check says of images that are handed over in this way."""
    fault = input_check.range_fault(found.values, wanted)
    if fault:
        return fault
    swapped = _look(
        materials, materials.pixels, judge.looked_at, lambda image, to: way(image.flip(-3), to)
    )
    return input_check.order_fault(input_check.familiarity_gain(found.energy, swapped.energy))


def _variant(
    name: str,
    judge: _Judge,
    usual: Look,
    found: Look,
    usual_source: Look | None,
    found_source: Look | None,
    noticed: str,
) -> Variant:
    of_source = None
    if usual_source is not None and found_source is not None:
        of_source = _loss(judge.of_source(usual_source), judge.of_source(found_source))
    return Variant(
        name=name,
        target_loss=_loss(judge.target(usual), judge.target(found)),
        source_loss=of_source,
        zero_shot_loss=(
            _loss(judge.zero_shot(usual), judge.zero_shot(found)) if judge.mapped else None
        ),
        familiarity=_paired(found.energy, usual.energy, 1.0),
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
