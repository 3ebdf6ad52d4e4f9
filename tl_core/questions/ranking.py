"""Which pretrained model? Transferability scores of local models, before any training."""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from tl_core import backbones, catalog, datasets, device, transferability, weights
from tl_core.activations import open_read_out
from tl_core.answers import RankedModel, RankedScore, Ranking
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.device import Compute
from tl_core.events import Answered, Event, Progress
from tl_core.forgetting import ready
from tl_core.pixels import open_pixels
from tl_core.weights import WeightsFile

Floats = NDArray[np.float64]


def rank(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then a `Ranking` of models whose weights are here.

    `request["models"]`: SHA-256 of their weights, by default one file of each model that has any;
    `request["scores"]`: names of `transferability.SCORES`, by default those shown on screen. Scores
    are computed on the training part of the first seed alone: what is tested later stays unseen.
    """
    compute = device.resolve(config.device, config.precision, config.threads)
    compute.activate()
    dataset = datasets.load(config.data.fingerprint)
    train = list(datasets.split_with(dataset, 0, config.labels_per_class).train)
    labels = np.array([dataset.images[i].label for i in train], dtype=np.int64)
    on_screen = [name for name, score in transferability.SCORES.items() if score.on_screen]
    names = tuple(request.get("scores") or on_screen)
    found = []
    wanted = [weights.find(sha) for sha in request.get("models", ())]
    for file in [file for file in wanted if file is not None] or weights.local_models():
        row = catalog.catalog()[file.model]
        yield Progress(message=f"{row.title} looks at {dataset.name}")
        found.append((yield from _ranked(row, file, dataset, train, labels, names, compute)))
    if not found:
        raise NotPossible("No model's weights are on this machine. Download some first.")
    yield Answered(
        answer=Ranking(images=len(train), classes=len(dataset.classes), models=tuple(found))
    )


def _ranked(
    row: catalog.Model,
    file: WeightsFile,
    dataset: datasets.Dataset,
    train: list[int],
    labels: NDArray[np.int64],
    names: tuple[str, ...],
    compute: Compute,
) -> Generator[Progress, None, RankedModel]:
    net = ready(backbones.build(row, backbones.load_weights(file.path)), compute)
    pixels = yield from open_pixels(dataset, row.preprocessing, compute)
    read = yield from open_read_out(net, file.sha256, pixels, compute, dataset.name)
    features = read.features[train].astype(np.float64)
    source: Floats = softmax(read.source_logits[train].astype(np.float64), axis=1)
    scores: dict[str, RankedScore] = {}
    for done, name in enumerate(names):
        score = transferability.SCORES[name]
        yield Progress(message=f"{row.title}: {score.title}", fraction=done / len(names))
        with contextlib.suppress(ValueError):  # these images are too few for this score
            found = score.measure(features, labels, source)
            scores[name] = RankedScore(
                value=found.value, shuffled=found.shuffled, cautions=found.cautions
            )
    return RankedModel(
        model=row.name,
        title=row.title,
        scores=scores,
        seconds=read.seconds_per_image * len(train),
        milliseconds=1000 * read.seconds_per_image,
        megabytes=file.megabytes,
    )
