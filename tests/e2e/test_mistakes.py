"""From a cell of the confusion matrix to its images, a mended label and a comparison of them."""

import re

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from tl_core import datasets, ingest, recording
from tl_core.events import ComparisonStarted
from tl_core.image_answers import Confused, confusion, most_confused
from tl_core.record import record
from tl_core.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]


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


def told(classes: tuple[str, ...], mistake: Confused) -> str:
    return f"{classes[mistake.label]} taken for {classes[mistake.predicted]}: {mistake.count} image"


def test_a_cell_opens_its_images_whose_labels_can_be_mended_and_compared_anew(job, server, page):
    page.set_default_timeout(120_000)
    page.goto(f"{server.url}/?job={job}")
    page.get_by_role("radio", name="Mistakes").click()
    found = record(event for _, event in Store().events(job))
    strategy = "feature_extraction"
    page.get_by_role("radio", name="Feature extraction", exact=True).click()
    counts = confusion(found, strategy)
    first, second, *_ = most_confused(counts)
    classes = found.started.dataset.classes
    page.get_by_text(told(classes, first)).wait_for()
    cells = page.get_by_test_id("stVegaLiteChart").locator(".mark-rect path")
    cells.nth(second.label * len(classes) + second.predicted).click()
    page.get_by_text(told(classes, second)).wait_for()
    shown = page.get_by_role("combobox", name="True class")
    expect(shown).to_have_value(classes[second.label])

    page.get_by_text("Tick", exact=True).first.click()
    page.get_by_role("button", name="Relabel", exact=True).click()
    page.get_by_text("The data have changed since this comparison").wait_for()
    page.get_by_text("data changed since").first.wait_for()
    page.get_by_text("relabelled since: ").first.wait_for()
    (changed,) = [data for data in datasets.all_datasets() if data.edited_from]

    page.get_by_role("button", name="Compare the changed data").click()
    page.wait_for_url(lambda address: "job=" in address and job not in address)
    page.get_by_text(re.compile("^(Waiting to compare|Comparing) ")).wait_for()
    (anew,) = [one for one in Store().list() if one.id != job]
    Store().request_cancel(anew.id)
    assert anew.config.data.fingerprint == changed.fingerprint
    assert not page.strangers
