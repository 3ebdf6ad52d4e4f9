"""From a cell of the confusion matrix to its images, a mended label and a comparison of them."""

import re

import pytest
from msgspec.structs import replace

from tl_core import datasets, ingest, recording
from tl_core.events import ComparisonStarted
from tl_core.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def job(sampled_home) -> str:
    """The first sample's recorded comparison, as if it had just run on this machine."""
    name = next(iter(ingest.SAMPLES))
    data = ingest.sample(name)
    made = [event for _, event in recording.read(recording.path_of(name)).moments]
    first = made[0]
    assert isinstance(first, ComparisonStarted)
    config = replace(first.config, data=replace(first.config.data, fingerprint=data.fingerprint))
    facts = replace(first.dataset, fingerprint=data.fingerprint)
    store = Store()
    job = store.create(config, data.name, queued=False)
    store.append(job, [replace(first, config=config, dataset=facts), *made[1:]])
    store.finish(job, "done")
    return job


def test_a_cell_opens_its_images_whose_labels_can_be_mended_and_compared_anew(job, server, page):
    page.goto(f"{server.url}/?job={job}")
    page.get_by_role("radio", name="Mistakes").click()
    chart = page.get_by_test_id("stVegaLiteChart")
    chart.scroll_into_view_if_needed()
    canvas = chart.locator("canvas, svg").first
    box = canvas.bounding_box()
    # Somewhere in the middle of the matrix: whichever cell it is, the boxes have to name it.
    boxes = page.locator("[class*=st-key-mistakes_label], [class*=st-key-mistakes_predicted]")
    before = boxes.all_inner_texts()
    page.mouse.click(box["x"] + 0.62 * box["width"], box["y"] + 0.12 * box["height"])
    page.wait_for_function(
        "before => JSON.stringify(before) !== JSON.stringify([...document.querySelectorAll("
        "'[class*=st-key-mistakes_label], [class*=st-key-mistakes_predicted]')]"
        ".map(one => one.innerText))",
        arg=before,
    )
    page.get_by_text(re.compile("recognised as such: |taken for .*: [0-9]+ image")).wait_for()

    tick = page.get_by_role("checkbox", name="Tick").first
    tick.locator("xpath=..").click()
    page.get_by_role("button", name="Relabel", exact=True).click()
    page.get_by_text("The data have changed since this comparison").wait_for()
    page.get_by_text("data changed since").first.wait_for()
    page.get_by_text("relabelled since: ").first.wait_for()
    (changed,) = [data for data in datasets.all_datasets() if data.edited_from]

    page.get_by_role("button", name="Compare the changed data").click()
    page.wait_for_url(lambda address: "job=" in address and job not in address)
    page.get_by_text(re.compile("^(Waiting to compare|Comparing) ")).wait_for()
    (anew,) = [one for one in Store().list() if one.id != job]
    assert anew.config.data.fingerprint == changed.fingerprint
    assert not page.strangers
