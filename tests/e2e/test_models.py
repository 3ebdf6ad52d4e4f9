"""Finished models in a real browser: try an image, then take a model away and use it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tl_core import datasets

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]


def test_an_image_is_tried_and_a_model_taken_away(compared, compared_job, server, page, tmp_path):
    pytest.importorskip("onnxruntime", reason="requirements-export.txt is not installed")
    page.set_default_timeout(120_000)
    data = datasets.load(compared.started.config.data.fingerprint)
    photo = tmp_path / "photo.png"
    Image.fromarray(datasets.pixels(data, 0)).save(photo)

    page.goto(f"{server.url}/?job={compared_job}")
    page.get_by_role("radio", name="Try an image").click()
    page.locator("input[type=file]").first.set_input_files(photo)
    page.get_by_text("What the models see").wait_for()
    for strategy in compared.strategies:
        page.get_by_role("img", name=f"Where {strategy.title} looks").wait_for()

    page.get_by_role("radio", name="Export").click()
    page.get_by_role("button", name="Make the files").click()
    page.get_by_text("the same class on all").first.wait_for()
    with page.expect_download() as taken:
        page.get_by_role("button", name="All files as a zip").click()
    with zipfile.ZipFile(Path(taken.value.path())) as archive:
        archive.extractall(tmp_path / "taken")
    for script in ("use_onnx.py", "use_safetensors.py"):
        command = [sys.executable, str(tmp_path / "taken" / script), str(photo)]
        said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert all(name in said.stdout for name in data.classes), said.stderr[-300:]
    assert not page.strangers
