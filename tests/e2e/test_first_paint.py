"""The first thing a visitor sees, in a real browser: the recording that comes with the app."""

import pytest
from playwright.sync_api import expect

from tl_core import recording
from tl_core.ingest import SAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_the_default_samples_recording_is_shown_and_replays(server, page):
    made = recording.read(recording.path_of(next(iter(SAMPLES))))
    page.goto(server.url)
    page.get_by_text(f"{made.label}.").first.wait_for()
    page.get_by_text("Press Compare strategies to run it here").wait_for()
    assert page.get_by_role("button", name="Compare strategies").is_enabled()
    cards = page.get_by_role("listitem").filter(has_text="recorded:")
    expect(cards).to_have_count(len(made.started.config.strategies))
    chart = page.get_by_test_id("stVegaLiteChart").and_(
        page.locator('[aria-label*="recorded earlier, not measured here"]')
    )
    chart.wait_for()

    page.get_by_role("button", name="Replay").click()
    page.get_by_text("Replaying the recording").wait_for()
    cards.filter(has_text="replaying").first.wait_for(state="hidden")
    page.get_by_text("Replaying the recording").wait_for(state="hidden")
    page.get_by_role("button", name="Replay").wait_for()
    chart.wait_for()
    assert not page.strangers
