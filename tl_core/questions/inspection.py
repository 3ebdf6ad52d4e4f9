"""What did training change: how images lie in feature space, and how far weights moved?"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tl_core import backbones, datasets, stats
from tl_core.activations import read_out_pass
from tl_core.answers import Cloud, Estimate, InspectedRun, Inspection
from tl_core.backbones import Backbone
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.events import Answered, Event, Progress
from tl_core.finished_runs import runs_of
from tl_core.inputs import PixelInputs
from tl_core.questions.finished import open_models
from tl_core.run_result import packed
from tl_core.transferability import SCORES

Floats = NDArray[np.float64]
# Two components and a nearest neighbour need some images.
LEAST_IMAGES = 3


def inspect(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Inspection` of the runs `request["runs"]`, all of one seed.

    Raises NotPossible for fewer than LEAST_IMAGES test images.
    """
    runs = runs_of(request)
    materials, models = yield from open_models(config, runs)
    seed = next(iter(runs.values())).seed
    test = list(datasets.split(materials.dataset, seed).test)
    if len(test) < LEAST_IMAGES:
        raise NotPossible(
            f"{len(test)} test images are too few to draw: {LEAST_IMAGES} are needed."
        )
    labels = materials.labels[test]
    before = materials.read_out.features[test].astype(np.float64)
    plane, shares = _plane(before)
    inputs, found = PixelInputs(materials.pixels, False, materials.compute), []
    for done, (run_id, model) in enumerate(models.items()):
        run = runs[run_id]
        yield Progress(
            message=f"{run.strategy.title} looks at the test images", fraction=done / len(models)
        )
        features = read_out_pass(model.backbone, inputs, test, materials.compute)[0]
        points, explained = _plane(features.astype(np.float64))
        start = materials.original
        if not run.strategy.pretrained:
            start = backbones.build(materials.row, None, seed=run.seed)
        found.append(
            InspectedRun(
                run_id=run_id,
                strategy=run.strategy.name,
                title=run.strategy.title,
                cloud=_cloud(_turned(points, plane), explained, features, labels),
                moved=_moved(start, model.backbone),
            )
        )
    yield Answered(
        answer=Inspection(
            images=tuple(test),
            labels=tuple(labels.tolist()),
            before=_cloud(plane, shares, before, labels),
            runs=tuple(found),
        )
    )


def _plane(features: Floats) -> tuple[Floats, tuple[float, float]]:
    """Return the first two principal components, N x 2 of unit size, and their variance shares."""
    centred = features - features.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    total = max(float((values**2).sum()), 1e-12)
    points = left[:, :2] * values[:2]
    points /= max(float(np.sqrt((points**2).sum(axis=1).mean())), 1e-12)
    first, second = (float(v) for v in values[:2] ** 2 / total)
    return points, (first, second)


def _turned(points: Floats, onto: Floats) -> Floats:
    """Return points turned and mirrored to lie near others (orthogonal Procrustes)."""
    left, _, right = np.linalg.svd(points.T @ onto)
    found: Floats = points @ (left @ right)
    return found


def _cloud(
    points: Floats,
    explained: tuple[float, float],
    features: NDArray[np.floating],
    labels: NDArray[np.int64],
) -> Cloud:
    share = SCORES["knn"](features, labels)
    low, high = stats.wilson(share, len(labels))
    return Cloud(
        points=packed(points),
        explained=explained,
        neighbours=Estimate(value=share, low=low, high=high),
    )


def _moved(before: Backbone, after: Backbone) -> tuple[float, ...]:
    """Return for each block |change of its parameters| / |its parameters before|."""
    found = []
    with torch.no_grad():
        for old, new in zip(before.blocks, after.blocks, strict=True):
            pairs = list(zip(old.parameters(), new.parameters(), strict=True))
            change = sum(float((a.cpu() - b.cpu()).double().square().sum()) for a, b in pairs)
            length = sum(float(a.double().square().sum()) for a, _ in pairs)
            found.append((change / max(length, 1e-30)) ** 0.5)
    return tuple(found)
