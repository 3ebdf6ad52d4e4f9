"""A finished run's model as files, each held against the app before anyone may take it."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from tl_core import cache, datasets
from tl_core.activations import read_out_pass
from tl_core.adapted import Adapted, ClassMapHead
from tl_core.answers import Export, Parity
from tl_core.config import ComparisonConfig, RunConfig, content_hash
from tl_core.events import Answered, Event, Progress
from tl_core.export import files, snippets
from tl_core.export.deployed import Deployed
from tl_core.export.parity import IMAGES, Floats, decoded, exact_probabilities, parity
from tl_core.finished_runs import runs_of
from tl_core.inputs import PixelInputs
from tl_core.materials import Materials
from tl_core.questions.finished import open_models
from tl_core.questions.looks import spread

# Raised when the files' content changes.
FORMAT: Final = 1

NO_ONNX: Final = (
    "No ONNX file: it needs packages that are not installed. Install them with "
    "`pip install -r requirements-export.txt`, restart the app and export again."
)


def export(config: ComparisonConfig, request: Mapping[str, Any]) -> Iterator[Event]:
    """Yield progress, then the `Export` of the first of the runs `request["runs"]`."""
    runs = runs_of(request)
    run_id, run = next(iter(runs.items()))
    materials, models = yield from open_models(config, {run_id: run})
    test = spread(datasets.split(materials.dataset, run.seed).test, IMAGES)
    name = content_hash(FORMAT, run_id, files.onnx_is_here())
    path = cache.entry("exports", name)
    model = models[run_id]
    if cache.is_ready(path):
        # Held against the app again: what is taken away is checked as it lies there.
        found = yield from _checked(path, materials, model, test)
    else:
        size = 3 * sum(p.numel() * p.element_size() for p in model.backbone.parameters())
        with cache.building(path, size) as part:
            yield from _write(part, materials, model, _about(config, run, materials))
            found = yield from _checked(part, materials, model, test)
    yield Answered(
        answer=Export(
            entry=name,
            files=tuple(sorted(file.name for file in path.iterdir() if file.name != cache.SEAL)),
            parity=found,
            lacking="" if files.onnx_is_here() else NO_ONNX,
        )
    )


def _about(config: ComparisonConfig, run: RunConfig, materials: Materials) -> dict[str, Any]:
    """Return what travels with the model."""
    row, wanted = materials.row, materials.row.preprocessing
    return {
        "classes": list(materials.dataset.classes),
        "strategy": run.strategy.title,
        "seed": run.seed,
        "model": row.name,
        "weights_sha256": config.weights_sha256,
        "weights_licence": row.weights.weights_licence,
        "data": {"name": config.data.name, "fingerprint": config.data.fingerprint},
        "preprocessing": {
            "shorter_side": wanted.resize,
            "interpolation": wanted.interpolation,
            "antialias": True,
            "centre_crop": wanted.crop,
            "mean": list(wanted.mean),
            "std": list(wanted.std),
        },
    }


def _write(
    path: Path, materials: Materials, model: Adapted, about: dict[str, Any]
) -> Generator[Progress, None, None]:
    row, deployed = materials.row, Deployed(model)
    yield Progress(message="Writing safetensors", fraction=0.1)
    files.write_safetensors(deployed, row, about, path / files.SAFETENSORS)
    zero_shot = isinstance(model.head, ClassMapHead)
    script = snippets.use_safetensors(row, len(about["classes"]), zero_shot)
    (path / snippets.USE_SAFETENSORS).write_text(script, encoding="utf-8")
    if files.onnx_is_here():
        yield Progress(message="Writing ONNX", fraction=0.2)
        files.write_onnx(deployed, row, about, path / files.ONNX)
        (path / snippets.USE_ONNX).write_text(snippets.use_onnx(), encoding="utf-8")


def _checked(
    path: Path, materials: Materials, model: Adapted, test: list[int]
) -> Generator[Progress, None, tuple[Parity, ...]]:
    """Run each file's script on test images and hold it against the app."""
    images = decoded(materials.dataset, test)
    exact = exact_probabilities(Deployed(model), images, materials.row.preprocessing)
    shown, found = _shown(materials, model, test), []
    pairs = (
        (files.SAFETENSORS, snippets.USE_SAFETENSORS),
        (files.ONNX, snippets.USE_ONNX),
    )
    for file, script in pairs:
        if (path / file).exists():
            yield Progress(message=f"Holding {file} against the app", fraction=0.7)
            found.append(parity(file, path / script, images, exact, shown))
    return tuple(found)


def _shown(materials: Materials, model: Adapted, test: list[int]) -> Floats:
    """Return the probabilities that the app computes at its own precision, N x C."""
    inputs, compute = PixelInputs(materials.pixels, False, materials.compute), materials.compute
    seen = read_out_pass(model.backbone, inputs, test, compute)
    with torch.no_grad():
        scores = model.head(*(torch.from_numpy(values).to(compute.device) for values in seen))
    return np.asarray(scores.double().softmax(dim=1).cpu().numpy())
