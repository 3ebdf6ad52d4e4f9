"""Do exported files predict what the app predicts? Fifty photographs, several models.

    python -m benchmarks.export_parity [--models squeezenet1_1,resnet18]

A linear probe is trained on photographs of TL_REFERENCE_DATA: on torchvision's own weights for
SqueezeNet 1.1, on random backbones for the others. Its files are written and their scripts run on
50 test photographs: from the decoded pixels, and for ONNX from the prepared tensor too. Exit code 1
where a probability is off by 1e-3 (1e-4 from the tensor), or a class differs although its two
likeliest are 2e-3 apart.
"""

import argparse
import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from benchmarks.rows import markdown
from tl_core import cache, catalog, datasets, finished_runs, ingest, preprocessing, weights
from tl_core.answers import Export
from tl_core.backbones import build
from tl_core.config import ComparisonConfig, DataConfig
from tl_core.events import Answered
from tl_core.experiment import run_comparison
from tl_core.export import files, snippets
from tl_core.export.deployed import Deployed
from tl_core.export.parity import decoded, exact_probabilities
from tl_core.questions import ask
from tl_core.questions.finished import open_models
from tl_core.record import record
from tl_core.strategies import STRATEGIES
from tl_core.weights import WeightsFile

MODELS: Final = ("squeezenet1_1", "resnet18", "mobilenet_v3_large", "efficientnet_b0", "vit_b_16")
PRETRAINED: Final = "squeezenet1_1"
PHOTOGRAPHS, TRAINED_ON = 50, 24
LIMIT, TENSOR_LIMIT, APART = 1e-3, 1e-4, 2e-3

Floats = NDArray[np.float64]


def main() -> int:
    """Measure and print; return 1 if a file is off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(MODELS), metavar="A,B")
    models = parser.parse_args().models.split(",")
    reference = os.environ.get("TL_REFERENCE_DATA")
    if not reference:
        print("Set TL_REFERENCE_DATA to the folder of reference data.", file=sys.stderr)
        return 1
    lines, good = [], True
    with tempfile.TemporaryDirectory() as home:
        os.environ["TL_HOME"] = home
        photographs = _photographs(Path(reference), Path(home) / "photographs")
        for name in models:
            line, fine = _measured(name, photographs, Path(reference))
            print(line, file=sys.stderr)
            lines.append(line)
            good &= fine
    heads = ["model", "file", "photographs", "from pixels", "from the tensor", "class differs"]
    heads.append("the app's probabilities")
    print(markdown(heads, [one for line in lines for one in line]))
    return 0 if good else 1


def _photographs(reference: Path, target: Path) -> Path:
    """Return a folder with some photographs to learn from and PHOTOGRAPHS to be tested on."""
    source = reference / "data" / "hymenoptera"
    for part, where, count in (
        ("train", "train", TRAINED_ON),
        ("val", "test", PHOTOGRAPHS // 2),
    ):
        for folder in sorted((source / part).iterdir()):
            (target / where / folder.name).mkdir(parents=True)
            for photo in sorted(folder.glob("*.jpg"))[:count]:
                shutil.copy(photo, target / where / folder.name)
    return target


def _weights(name: str, reference: Path) -> WeightsFile:
    row = catalog.catalog()[name]
    if name == PRETRAINED:
        path = next((reference / "weights").glob(f"{name}*.safetensors"))
        return weights.add(row, path, name="ImageNet")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.safetensors"
        net = build(row, None, seed=0).net
        _settle(net, row.preprocessing.crop)
        state = net.state_dict()
        save_file({key: value.contiguous() for key, value in state.items()}, path)
        return weights.add(row, path, name="random")


def _settle(net: torch.nn.Module, side: int) -> None:
    """Give batch normalisation statistics: with initial ones all images would look the same."""
    layers = [one for one in net.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.momentum = None
    if layers:
        parts = [torch.randn(16, 3, size, size) for size in (3, 12, 96)]
        images = sum(torch.nn.functional.interpolate(part, side) for part in parts)
        with torch.no_grad():
            net.train()(images)


def _measured(name: str, photographs: Path, reference: Path) -> tuple[list[list[str]], bool]:
    data, file = ingest.ingest_path(photographs), _weights(name, reference)
    config = ComparisonConfig(
        data=DataConfig(fingerprint=data.fingerprint, name=data.name),
        backbone=name,
        weights_sha256=file.sha256,
        strategies=(STRATEGIES["feature_extraction"],),
    )
    events = run_comparison(config, lambda _: None, lambda _: None, lambda *_: None)
    found = record(events)
    assert found.started is not None
    (run,) = found.final("feature_extraction").values()
    config, request = found.started.config, finished_runs.named([run])
    *_, last = ask("export", config, request)
    assert isinstance(last, Answered)
    assert isinstance(last.answer, Export)
    folder = cache.entry("exports", last.answer.entry)
    deployed = _deployed(config, run.run_id, run.run)
    images = decoded(data, list(datasets.split(data, 0).test))
    row, lines, good = catalog.catalog()[name], [], True
    exact = exact_probabilities(deployed, images, row.preprocessing)
    spread = f"{exact[:, 0].min():.3f} to {exact[:, 0].max():.3f}"
    for kind, script in (
        (files.SAFETENSORS, snippets.USE_SAFETENSORS),
        (files.ONNX, snippets.USE_ONNX),
    ):
        predict = runpy.run_path(str(folder / script))["probabilities"]
        shares = np.stack([predict(image) for image in images]).astype(np.float64)
        off, other = float(np.abs(shares - exact).max()), _differing(shares, exact)
        tensor = _from_tensor(deployed, images, exact, name) if kind == files.ONNX else None
        good &= off < LIMIT and other == 0 and (tensor is None or tensor < TENSOR_LIMIT)
        said = "" if tensor is None else f"{tensor:.1e}"
        lines.append([row.title, kind, str(len(images)), f"{off:.1e}", said, str(other), spread])
    return lines, good


def _deployed(config: ComparisonConfig, run_id: str, run: object) -> Deployed:
    steps = open_models(config, {run_id: run})  # type: ignore[dict-item]
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return Deployed(stop.value[1][run_id])


def _differing(shares: Floats, exact: Floats) -> int:
    """Return how many images get another class although the app's two likeliest lie apart."""
    ordered = np.sort(exact, axis=1)
    apart = ordered[:, -1] - ordered[:, -2] > APART
    return int(((shares.argmax(axis=1) != exact.argmax(axis=1)) & apart).sum())


def _from_tensor(
    deployed: Deployed, images: list[NDArray[np.uint8]], exact: Floats, name: str
) -> float:
    """Return the largest difference of the network alone, fed with the app's prepared tensors."""
    import onnxruntime

    row = catalog.catalog()[name]
    graph = files.network_graph(deployed, row).SerializeToString()
    session = onnxruntime.InferenceSession(graph)
    found = []
    for image in images:
        pixels = torch.from_numpy(image).permute(2, 0, 1)
        prepared = preprocessing.evaluation_input(pixels, row.preprocessing).contiguous().numpy()
        found.append(session.run(None, {"prepared": prepared})[0][0])
    return float(np.abs(np.stack(found) - exact).max())


if __name__ == "__main__":
    sys.exit(main())
