"""Exported files: the same pixels, the same probabilities, scripts that need nothing of the app."""

import json
import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from tests.test_finished_runs import answer
from tl_core import cache, preprocessing
from tl_core.adapted import Adapted, ClassMapHead, LinearHead
from tl_core.answers import Export
from tl_core.backbones import build
from tl_core.catalog import catalog
from tl_core.export import files, snippets
from tl_core.export.deployed import Deployed
from tl_core.export.parity import exact_probabilities, parity
from tl_core.export.preprocessing_graph import preprocessing_graph
from tl_core.questions import exporting

ort = pytest.importorskip("onnxruntime", reason="requirements-export.txt is not installed")

SIZES = [(375, 500), (1201, 333), (64, 64), (31, 97), (100, 1000), (1000, 100), (257, 511)]


def photograph(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Noise over smooth areas: full range, with edges."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 9, (height, width, 3)), axis=1) + 128
    return np.ascontiguousarray(np.clip(walk, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("model", ["squeezenet1_1", "resnet10_procedural", "swin_t"])
def test_the_graph_prepares_images_to_the_bit(model, interpolation):
    wanted = msgspec.structs.replace(catalog()[model].preprocessing, interpolation=interpolation)
    session = ort.InferenceSession(preprocessing_graph(wanted).SerializeToString())
    for height, width in [*SIZES, (wanted.resize, wanted.resize)]:
        image = photograph(height, width)
        pixels = torch.from_numpy(image).permute(2, 0, 1)
        expected = preprocessing.evaluation_input(pixels, wanted).numpy()
        (found,) = session.run(None, {"image": image})
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6, err_msg=f"{height}x{width}")


def adapted(model: str, zero_shot: bool = False) -> Adapted:
    row = catalog()[model]
    backbone = build(row, None, seed=3).eval()
    if zero_shot:
        sources = row.head_parameters // (row.feature_size + 1)
        return Adapted(backbone, ClassMapHead({"a": (1, 2), "b": (5,)}, ("a", "b"), sources))
    weight = torch.randn(2, row.feature_size, generator=torch.Generator().manual_seed(0))
    return Adapted(backbone, LinearHead(weight.double(), torch.tensor([0.1, -0.1]).double()))


@pytest.mark.parametrize(
    ("model", "zero_shot"),
    [
        ("squeezenet1_1", False),
        ("squeezenet1_1", True),
        ("resnet10_procedural", False),
        ("resnet10_procedural", True),
        ("mobilenet_v3_small", False),
    ],
)
def test_both_files_predict_what_the_app_predicts(tmp_path, model, zero_shot):
    row, deployed = catalog()[model], Deployed(adapted(model, zero_shot))
    about = {"classes": ["a", "b"]}
    files.write_safetensors(deployed, row, about, tmp_path / files.SAFETENSORS)
    files.write_onnx(deployed, row, about, tmp_path / files.ONNX)
    scripts = {
        files.SAFETENSORS: (snippets.USE_SAFETENSORS, snippets.use_safetensors(row, 2, zero_shot)),
        files.ONNX: (snippets.USE_ONNX, snippets.use_onnx()),
    }
    images = [photograph(height, width, seed) for seed, (height, width) in enumerate(SIZES)]
    exact = exact_probabilities(deployed, images, row.preprocessing)
    for file, (name, text) in scripts.items():
        (tmp_path / name).write_text(text)
        found = parity(file, tmp_path / name, images, exact, exact)
        assert found.images == len(SIZES)
        assert found.largest < 1e-5, file
        assert found.changed == 0


def test_a_file_that_predicts_differently_is_noticed(tmp_path):
    model = "resnet10_procedural"
    row, deployed = catalog()[model], Deployed(adapted(model))
    files.write_safetensors(deployed, row, {"classes": ["a", "b"]}, tmp_path / files.SAFETENSORS)
    script = tmp_path / snippets.USE_SAFETENSORS
    text = snippets.use_safetensors(row, 2, False)
    assert "antialias=True" in text
    script.write_text(text.replace("antialias=True", "antialias=False"))
    images = [photograph(375, 500)]
    exact = exact_probabilities(deployed, images, row.preprocessing)
    assert parity(files.SAFETENSORS, script, images, exact, exact).largest > 1e-4


@pytest.mark.parametrize("strategy", ["zero_shot", "full_fine_tuning"])
def test_an_export_is_checked_and_its_scripts_stand_alone(compared, strategy, tmp_path):
    from tl_core import finished_runs

    found, wanted = compared, compared.started.config
    run = found.final(strategy)[0]
    said = answer("export", wanted, finished_runs.named([run]))
    assert isinstance(said, Export)
    names = (files.SAFETENSORS, files.ONNX, snippets.USE_SAFETENSORS, snippets.USE_ONNX)
    assert said.files == tuple(sorted(names))
    assert {one.file for one in said.parity} == {files.SAFETENSORS, files.ONNX}
    for one in said.parity:
        assert one.largest < 1e-5
        assert one.changed == 0
    folder = cache.entry("exports", said.entry)
    with safe_open(folder / files.SAFETENSORS, "pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["classes"] == list(found.started.dataset.classes)
    assert about["strategy"] == run.run.strategy.title
    photo = tmp_path / "photo.png"
    Image.fromarray(photograph(90, 120)).save(photo)
    printed = set()
    for script in (snippets.USE_SAFETENSORS, snippets.USE_ONNX):
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [sys.executable, str(folder / script), str(photo)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
        )
        assert done.returncode == 0, done.stderr[-500:]
        assert all(name in done.stdout for name in about["classes"])
        printed.add(done.stdout)
    assert len(printed) == 1
    assert answer("export", wanted, finished_runs.named([run])) == said


def test_without_onnx_the_other_file_is_written_and_the_lack_is_said(compared, monkeypatch):
    from tl_core import finished_runs

    found, wanted = compared, compared.started.config
    monkeypatch.setattr(files, "onnx_is_here", lambda: False)
    said = answer("export", wanted, finished_runs.named([found.final("feature_extraction")[0]]))
    assert set(said.files) == {files.SAFETENSORS, snippets.USE_SAFETENSORS}
    assert said.lacking == exporting.NO_ONNX
    assert "requirements-export.txt" in said.lacking
