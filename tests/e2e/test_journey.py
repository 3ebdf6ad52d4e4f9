"""The main job in a real browser: bring images and weights, choose layers, compare, come back."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

HOSTILE = ("<img src=x onerror=alert(1)>", "![x](http://attacker.example/a.png) *bold*")
MODEL = "MobileNetV3 small"


def images_zip(folder: Path) -> Path:
    """A zip of two classes with hostile names, a wrapper folder and files to ignore."""
    rng, path = np.random.default_rng(0), folder / "my pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place, name in enumerate(HOSTILE):
            for number in range(10):
                pixels = rng.integers(0, 90, (40, 40, 3)) + 120 * place
                file = io.BytesIO()
                Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
                archive.writestr(f"wrapper/{name.replace('/', '∕')}/{number}.png", file.getvalue())
        archive.writestr("wrapper/.DS_Store", b"x")
        archive.writestr("__MACOSX/._a.png", b"x")
        archive.writestr(f"wrapper/{HOSTILE[0]}/broken.png", b"not an image")
    return path


def open_page(page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def test_upload_choose_compare_cancel_continue_and_come_back(
    server, page, tmp_path, random_weights
):
    page.goto(server.url)
    page.get_by_text("Which way of reusing a trained model").wait_for()
    assert page.get_by_role("button", name="Compare strategies").is_enabled()

    open_page(page, "Data")
    page.get_by_text("Use my images", exact=True).click()
    page.locator(".st-key-target_mode").get_by_text("A zip").click()
    page.locator("[class*=st-key-target_zip] input").set_input_files(images_zip(tmp_path))
    page.get_by_text("Refused: 1 file").wait_for()
    page.get_by_text(HOSTILE[0]).first.wait_for()

    open_page(page, "Model & layers")
    page.get_by_role("combobox").first.click()
    page.get_by_role("combobox").first.fill(MODEL)
    page.keyboard.press("Enter")
    page.get_by_text(f"The weights of {MODEL} are not on this machine").first.wait_for()
    weights = random_weights("mobilenet_v3_small")
    page.locator("input[type=file]").first.set_input_files(weights)
    page.get_by_text(f"The weights of {MODEL} are not on this machine").first.wait_for(
        state="hidden"
    )
    page.get_by_text("Compare this as My layers").click()

    open_page(page, "Lab")
    page.get_by_role("button", name="Change plan").click()
    page.get_by_role("button", name="Training from scratch").click()
    page.get_by_text("5 strategies, 1 seed").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Compare strategies").click()
    page.wait_for_url(re.compile("job="))
    page.get_by_text("Feature extraction").first.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Continue").click(timeout=60_000)
    page.get_by_text(re.compile("^Use ")).first.wait_for(timeout=300_000)
    page.get_by_text("My layers").first.wait_for()
    address = page.url
    page.get_by_text("Take it away").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Report", exact=True).click()
    report = Path(taken.value.path()).read_text(encoding="utf-8")
    assert "<img src=x" not in report and "&lt;img src=x" in report

    page.reload()
    page.get_by_text(re.compile("^Use ")).first.wait_for()
    server.stop()
    server.start()
    page.goto(address)
    page.get_by_text(re.compile("^Use ")).first.wait_for()

    for name in ("Data", "Model & layers", "History"):
        open_page(page, name)
        page.get_by_role("heading").first.wait_for()
    page.get_by_text("my pictures").first.wait_for()
    assert "libtorch" not in server.maps()
    assert not page.strangers
