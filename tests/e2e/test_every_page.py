"""Every page, and every closer look: accessible, and never wider than the screen."""

import pytest

from tests.e2e.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]

PAGES = ("", "data", "model", "trust", "what_if", "history", "pitfalls", "lessons")
LOOKS = (
    "Mistakes",
    "Per class",
    "Disagreements",
    "Trade-off",
    "What was forgotten",
    "Interpolate",
    "Only differences",
    "What if",
    "Try an image",
    "Predict",
    "Export",
)
# Phone in the dark, laptop in the light: each width and each scheme once.
SCREENS = ((390, 844, "dark"), (1280, 800, "light"))


def settled(page) -> None:
    """Wait until the page has been drawn and its script has ended."""
    page.get_by_role("heading").first.wait_for()
    page.locator("[data-stale=true]").first.wait_for(state="detached")
    page.get_by_test_id("stStatusWidget").wait_for(state="detached")
    page.get_by_text("Big screen").wait_for()


def faults(page, axe, width: int) -> list[str]:
    """What is wrong with the page as it is, in words."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    found = [] if wide <= width else [f"{wide} pixels wide"]
    for one in axe.run(page).response["violations"]:
        if one["impact"] in ("serious", "critical"):
            found.append(f"{one['id']}: {one['nodes'][0]['html'][:160]}")
    return found


@pytest.mark.parametrize(("width", "height", "scheme"), SCREENS)
def test_every_page_is_accessible_and_fits(
    compared_job, server: Server, browser, width, height, scheme
):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page, wrong = context.new_page(), {}
    page.set_default_timeout(120_000)
    for name in PAGES:
        page.goto(f"{server.url}/{name}")
        settled(page)
        wrong[name or "lab"] = faults(page, axe, width)
    page.goto(f"{server.url}/?job={compared_job}")
    for name in LOOKS:
        page.get_by_role("radio", name=name, exact=True).click()
        settled(page)
        wrong[name] = faults(page, axe, width)
    context.close()
    assert not any(wrong.values()), {name: what for name, what in wrong.items() if what}
