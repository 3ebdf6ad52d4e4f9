"""One pitfall for real, in a browser: predict, run, see, come back, undo."""

import re

import pytest

from tl_core.pitfalls import PITFALLS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

CARD = PITFALLS["source_bias"]


def test_a_pitfall_is_predicted_run_seen_and_undone(server, page):
    page.goto(f"{server.url}/pitfalls")
    page.get_by_text(CARD.question).wait_for(timeout=120_000)
    page.locator(f".st-key-open_{CARD.name}").get_by_role("button").click()
    page.wait_for_url(re.compile(f"card={CARD.name}"))
    page.get_by_text(CARD.options[0], exact=True).click()
    page.get_by_role("button", name="Run it").click()
    result = page.get_by_text(re.compile("^(It shows|Not this time)"))
    result.wait_for(timeout=300_000)
    page.get_by_text("The source model is right on").wait_for()
    judged = page.get_by_test_id("stAlert")
    judged.get_by_text(re.compile("redict")).wait_for()
    page.get_by_test_id("stPlotlyChart").wait_for()

    page.reload()
    result.wait_for()
    page.get_by_role("button", name="Undo: back to the start").click()
    result.wait_for(state="hidden")
    assert page.get_by_role("button", name="Run it").is_enabled()
    assert "libtorch" not in server.maps()
    assert not page.strangers
