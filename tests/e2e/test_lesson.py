"""A lesson link on a fresh server: hidden controls, a prediction, the reveal, everything back."""

import msgspec
import pytest
from playwright.sync_api import expect

from tests.simulated import comparison, hits
from tl_core import catalog, ingest
from tl_core.events import ComparisonEnded
from tl_core.lessons import LESSONS
from tl_core.pitfall_jobs import jobs
from tl_core.store import Store
from tl_core.weights import FIRST_MODEL

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LESSON = LESSONS["few_labels"]


@pytest.fixture
def measured(tmp_path, monkeypatch) -> None:
    """The lesson's comparison as an earlier class left it, before the server starts."""
    monkeypatch.setenv("TL_HOME", str(tmp_path / "home"))
    row = catalog.find(FIRST_MODEL)
    data = ingest.sample(LESSON.sample)
    (job,) = jobs(LESSON, data, row, row.weights.sha256)
    accuracies = {"feature_extraction": 0.9, "from_scratch": 0.4}
    found = comparison({name: hits(share, 1, seeds=1) for name, share in accuracies.items()})
    store = Store()
    made = store.create(job.config, "An earlier class", queued=False)
    started = msgspec.structs.replace(found.started, config=job.config)
    store.append(made, [started, *found.ended.values(), ComparisonEnded(seconds=20.0)])
    store.finish(made, "done")
    store.close()


def test_a_link_opens_predicts_reveals_and_shows_everything_again(measured, server, page):
    page.goto(f"{server.url}/?lesson={LESSON.name}&hide=data,plan&screen=big")
    page.get_by_text(LESSON.predict).wait_for()
    expect(page.get_by_role("link", name="Data", exact=True)).to_have_count(0)
    root = "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"
    assert page.evaluate(root) > 20

    page.get_by_text(LESSON.options[0], exact=True).click()
    page.get_by_role("button", name="Show the result").click()
    page.get_by_text(LESSON.more).wait_for()
    page.get_by_text("Not what you predicted.").wait_for()
    page.get_by_test_id("stPlotlyChart").wait_for()

    page.get_by_role("button", name="Show everything").click()
    page.get_by_role("link", name="Data", exact=True).wait_for()
    page.get_by_role("link", name="Full result in the Lab").click()
    page.get_by_role("button", name="Run again").wait_for()
    page.get_by_text("Big screen").click()
    page.wait_for_function(f"() => ({root})() < 17")
    assert not page.strangers
