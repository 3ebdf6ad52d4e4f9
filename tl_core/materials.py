"""All that a comparison works with, opened once: data, original model, what it reads, the probe."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from tl_core import backbones, catalog, datasets, device, source_images, weights
from tl_core.activations import ReadOut, open_read_out
from tl_core.backbones import Backbone
from tl_core.config import DRAWN, RATED_FROM, ComparisonConfig, NotPossible, RunConfig
from tl_core.counting import counted
from tl_core.device import Compute
from tl_core.events import Progress, SourceFacts
from tl_core.forgetting import ForgettingMeter, per_epoch_images, ready
from tl_core.ingest import source_probe
from tl_core.inputs import Part, PixelInputs
from tl_core.pixels import Pixels, open_pixels
from tl_core.source_images import Halves, SourceImages
from tl_core.strategies import learns_from_source


@dataclass(frozen=True)
class SourceProbe:
    """Labelled images of the source task; `labels` are indices of source classes, N.

    `set_aside`: how many more of the same data set are kept to learn from.
    """

    name: str
    fingerprint: str
    inputs: PixelInputs
    labels: NDArray[np.int64]
    read_out: ReadOut
    per_epoch: tuple[int, ...]
    set_aside: int = 0

    @property
    def rated(self) -> bool:
        """Whether there are enough images for a rate."""
        return len(self.labels) >= RATED_FROM


@dataclass(frozen=True)
class Materials:
    """One comparison's open rooms. `original` is the pretrained model, frozen, on its device.

    `row`: the catalog's, at the input size that was asked for. `probe` measures what is forgotten.
    `learning` are other source images, for what learns from some, opened only when asked for; where
    it is None then, `lacks_learning` says why.
    """

    dataset: datasets.Dataset
    row: catalog.Model
    weights_sha256: str
    compute: Compute
    original: Backbone
    pixels: Pixels
    read_out: ReadOut
    probe: SourceProbe | None
    meter: ForgettingMeter
    labels: NDArray[np.int64]
    learning: SourceProbe | None = None
    lacks_learning: str = ""

    @property
    def source_images(self) -> int | None:
        """Labelled source images there are, to measure on and to learn from; None without any."""
        known = [part for part in (self.probe, self.learning) if part is not None]
        return sum(len(part.labels) for part in known) if known else None

    def source_facts(self) -> SourceFacts | None:
        """Return the probe as an event tells it."""
        if self.probe is None:
            return None
        predictions = self.probe.read_out.source_logits.argmax(axis=1)
        return SourceFacts(
            name=self.probe.name,
            fingerprint=self.probe.fingerprint,
            images=len(self.probe.labels),
            classes=len(np.unique(self.probe.labels)),
            source_classes=len(catalog.source_classes(self.row.weights.source_classes)),
            labels=tuple(self.probe.labels.tolist()),
            predictions=tuple(predictions.tolist()),
            correct=tuple((predictions == self.probe.labels).tolist()),
            rated=self.probe.rated,
            set_aside=self.probe.set_aside,
        )


@dataclass(frozen=True)
class Task:
    """One run with all it works on."""

    run_id: str
    run: RunConfig
    split: datasets.Split
    materials: Materials
    class_map: dict[str, tuple[int, ...]]

    def part(self, indices: Sequence[int]) -> Part:
        """Return images with their labels."""
        chosen = tuple(indices)
        return Part(chosen, tuple(self.materials.labels[list(chosen)].tolist()))


def open_materials(
    config: ComparisonConfig, learning: bool = False
) -> Generator[Progress, None, Materials]:
    """Yield progress while data are decoded and the original model looks at them once.

    `learning`: also open source images to learn from; a strategy that needs them asks by itself.
    Raises NotPossible with a sentence for the user where data or weights are missing.
    """
    compute = device.resolve(config.device, config.precision, config.threads)
    compute.activate()
    row = catalog.at_size(catalog.catalog()[config.backbone], config.input_size)
    found = weights.find(config.weights_sha256)
    if found is None:
        raise NotPossible(
            f"The weights of {row.title} ({config.weights_sha256[:12]}) are no longer in the data "
            "directory. Download them or bring the file again."
        )
    dataset = datasets.load(config.data.fingerprint)
    original = ready(backbones.build(row, backbones.load_weights(found.path)), compute)
    if config.input_size is not None:
        row = counted(original)  # the catalog's size was counted when the catalog was made
    pixels = yield from open_pixels(dataset, row.preprocessing, compute)
    sha = config.weights_sha256
    read_out = yield from open_read_out(original, sha, pixels, compute, dataset.name)
    probe, to_learn, lacks = None, None, ""
    wanted = learning or any(map(learns_from_source, config.strategies))
    if config.data.probe is not None:
        source = yield from _source_images(config.data.probe, row)
        halves = _halves(source, row)
        aside = len(halves.learning.places)
        probe = yield from _open_probe(source, halves.measured, row, original, sha, compute, aside)
        if wanted:
            to_learn = yield from _open_learning(source, halves, row, original, sha, compute)
    if wanted and to_learn is None:
        lacks = source_images.why_none_to_learn(len(probe.labels) if probe else 0)
    target = PixelInputs(pixels, dataset.mirror, compute)
    meter = ForgettingMeter(row, compute, probe.inputs if probe else None, target, read_out)
    labels = np.array([image.label for image in dataset.images], dtype=np.int64)
    return Materials(
        dataset,
        row,
        sha,
        compute,
        original,
        pixels,
        read_out,
        probe,
        meter,
        labels,
        to_learn,
        lacks,
    )


def _source_images(wanted: str, row: catalog.Model) -> Generator[Progress, None, datasets.Dataset]:
    """Return the probe's data set; one that is drawn here is made if it is not there yet."""
    if not wanted.startswith(DRAWN):
        return datasets.load(wanted)
    found = source_probe.known(row)
    if found is None:
        yield Progress(message=f"Drawing {source_probe.COUNT:,} source images", fraction=None)
        found = source_probe.drawn(row)
    return found


def _halves(dataset: datasets.Dataset, row: catalog.Model) -> Halves:
    """Return what measures and what is learned from; raises NotPossible where nothing measures."""
    found = source_images.halves(dataset, row)
    if not found.measured.places:
        raise NotPossible(
            f"No class of the source images '{dataset.name}' is a class that {row.title} was "
            "trained on. Name the folders like source classes (a name, a synset or an index)."
        )
    return found


def _open_learning(
    dataset: datasets.Dataset,
    halves: Halves,
    row: catalog.Model,
    original: Backbone,
    sha: str,
    compute: Compute,
) -> Generator[Progress, None, SourceProbe | None]:
    """Open the half that is learned from, or images drawn for that; None where there is neither."""
    chosen = halves.learning
    if source_probe.is_drawn(dataset):
        yield Progress(message=f"Drawing {source_probe.COUNT:,} source images to learn from")
        dataset = source_probe.drawn_apart(dataset, row)
        chosen = source_images.selected(dataset, row)
    if not chosen.places:
        return None
    return (yield from _open_probe(dataset, chosen, row, original, sha, compute))


def _open_probe(
    dataset: datasets.Dataset,
    chosen: SourceImages,
    row: catalog.Model,
    original: Backbone,
    sha: str,
    compute: Compute,
    set_aside: int = 0,
) -> Generator[Progress, None, SourceProbe]:
    """Open the chosen images of a data set of source images."""
    kept = tuple(dataset.images[place] for place in chosen.places)
    part = msgspec.structs.replace(dataset, images=kept)
    pixels = yield from open_pixels(part, row.preprocessing, compute)
    read_out = yield from open_read_out(original, sha, pixels, compute, "the source images")
    labels = np.array(chosen.labels, dtype=np.int64)
    return SourceProbe(
        dataset.name,
        dataset.fingerprint,
        PixelInputs(pixels, False, compute),
        labels,
        read_out,
        tuple(per_epoch_images(labels).tolist()),
        set_aside,
    )
