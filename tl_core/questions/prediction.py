"""What do finished runs say of images that nobody has labelled, and where do they look?"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from tl_core import datasets
from tl_core.activations import read_out_pass
from tl_core.adapted import Adapted
from tl_core.answers import Prediction, RunPrediction
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.device import Compute
from tl_core.events import Answered, Event, Progress
from tl_core.finished_runs import runs_of
from tl_core.heat_maps import heat_maps, picture
from tl_core.inputs import EVALUATION_BATCH, PixelInputs
from tl_core.pixels import open_pixels
from tl_core.questions.finished import open_models
from tl_core.run_result import packed
from tl_core.worth_labelling import worth_labelling

# Heat maps are to be looked at, one by one.
MOST_HEAT_MAPS = 12


def predict(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Prediction` of the runs `request["runs"]` (`finished_runs.named`).

    `request["unlabelled"]`: the images, as a data set's fingerprint; `request["heat_maps"]`: also
    show where the models look, on MOST_HEAT_MAPS images at the most.
    """
    runs = runs_of(request)
    brought = datasets.load(str(request["unlabelled"]))
    wants_maps = bool(request.get("heat_maps"))
    if wants_maps and len(brought.images) > MOST_HEAT_MAPS:
        raise NotPossible(
            f"Heat maps are for at most {MOST_HEAT_MAPS} images, and these are "
            f"{len(brought.images)}. Predict without heat maps."
        )
    materials, models = yield from open_models(config, runs)
    wanted, compute = materials.row.preprocessing, materials.compute
    pixels = yield from open_pixels(brought, wanted, compute)
    inputs = PixelInputs(pixels, False, compute)
    crops = pixels.evaluation_batch(range(len(pixels))).cpu() if wants_maps else None
    found, first_features = [], None
    for run_id, model in models.items():
        title = runs[run_id].strategy.title
        shares, features = yield from _shares(model, inputs, compute, title)
        first_features = features if first_features is None else first_features
        maps: list[bytes] = []
        if crops is not None:
            maps = heat_maps(model, crops, shares.argmax(axis=1).tolist(), wanted)
        found.append(
            RunPrediction(
                run_id=run_id,
                strategy=runs[run_id].strategy.name,
                title=title,
                probabilities=packed(shares),
                heat_maps=tuple(maps),
            )
        )
    first = np.frombuffer(found[0].probabilities, "<f4").reshape(len(brought.images), -1)
    assert first_features is not None
    yield Answered(
        answer=Prediction(
            images=tuple(image.name for image in brought.images),
            classes=materials.dataset.classes,
            runs=tuple(found),
            pictures=() if crops is None else tuple(picture(crop) for crop in crops),
            worth_labelling=tuple(worth_labelling(first, first_features)),
        )
    )


def _shares(model: Adapted, inputs: PixelInputs, compute: Compute, title: str) -> Any:
    """Yield progress; return class probabilities (N x C) and features (N x D) of all images."""
    shares, features, total = [], [], len(inputs.pixels)
    for start in range(0, total, EVALUATION_BATCH):
        part = range(start, min(start + EVALUATION_BATCH, total))
        seen, logits = read_out_pass(model.backbone, inputs, part, compute)
        scores = _scores(model, seen, logits, compute)
        shares.append(scores.softmax(dim=1).numpy())
        features.append(seen)
        yield Progress(message=f"{title} looks at the images", fraction=part.stop / total)
    return np.concatenate(shares), np.concatenate(features)


def _scores(model: Adapted, features: Any, logits: Any, compute: Compute) -> torch.Tensor:
    with torch.no_grad():
        places = (torch.from_numpy(values).to(compute.device) for values in (features, logits))
        scores: torch.Tensor = model.head(*places).double().cpu()
    return scores
