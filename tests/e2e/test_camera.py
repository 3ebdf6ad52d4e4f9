"""Taking pictures in a real browser, with Chromium's pretended camera."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, add_files
from tl_core.limits import MAX_BURST

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, _sampled: Path, _drawn: Path
) -> Iterator[Server]:
    """One server for this file, whose first sample set need not be drawn."""
    home = tmp_path_factory.mktemp("camera") / "home"
    for made in (_sampled, _drawn):
        add_files(made, home)
    running = Server(home)
    yield running
    running.stop()


def open_camera(server, page) -> None:
    page.goto(f"{server.url}/data?way=own")
    page.locator(".st-key-target_mode").get_by_text("Take pictures").click()
    for number, name in enumerate(("cup", "<b>spoon</b>"), start=1):
        page.get_by_label("Name of a class").fill(name)
        page.get_by_label("Name of a class").press("Enter")
        # In the list: the camera's own buttons say it too, hidden until it is turned on.
        waiting = page.locator("p", has_text="no pictures yet")
        # What is redrawn stands there twice until the page is through.
        expect(waiting).to_have_count(number, timeout=60_000)
    page.get_by_role("button", name="Turn the camera on").click()


def hold(page, name: str, number: int, keyboard: bool = False) -> None:
    """Record a burst of at least three frames, by mouse or by the space key."""
    button = page.get_by_role("button", name=f"Hold to record {name}")
    expect(button).to_have_attribute("aria-disabled", "false")
    button.hover()
    button.focus()
    press, release = page.mouse.down, page.mouse.up
    if keyboard:
        press, release = (lambda: page.keyboard.down("Space")), (lambda: page.keyboard.up("Space"))
    press()
    page.get_by_text(re.compile(r"Recording: ([3-9]|\d\d)")).wait_for(state="attached")
    release()
    page.get_by_text(re.compile(f"taken: burst {number} of {name}")).wait_for()


def test_held_buttons_record_bursts_that_become_a_data_set(server, page):
    page.context.grant_permissions(["camera"])
    open_camera(server, page)
    page.get_by_text("Hold a button, or Space on it").wait_for()
    assert page.get_by_role("button", name="Make the data set").is_disabled()
    for number in (1, 2, 3):
        for name in ("cup", "<b>spoon</b>"):
            hold(page, name, number, keyboard=number == 2)
    page.get_by_role("button", name=re.compile("Hold to record cup")).dispatch_event("click")
    page.get_by_text("1 picture taken: burst 4 of cup").wait_for()

    page.get_by_role("button", name="Remove burst 4").click()
    page.get_by_text("Burst 4 of cup removed, 1 picture.").wait_for()
    page.get_by_role("link", name="Lab", exact=True).click()
    page.get_by_role("heading", name="Which way of reusing").wait_for()
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("cup, burst 3"))).not_to_have_count(0)

    page.get_by_role("button", name="Make the data set").click()
    page.get_by_text("in 2 classes taken in").wait_for()
    page.get_by_text("in 6 groups").wait_for()
    page.get_by_role("link", name="Lab", exact=True).click()
    page.get_by_text(re.compile(r"My images, \d+ images, 2 classes")).wait_for()
    assert not page.strangers


def test_a_refused_camera_is_explained_and_files_are_offered(server, page):
    open_camera(server, page)
    page.get_by_text("The camera was not allowed.").wait_for()
    picker = page.locator("[class*=st-key-camera_files] input")
    picker.wait_for(state="attached")
    assert "image/*" in picker.get_attribute("accept")
    page.get_by_role("button", name="Turn the camera on").wait_for()
    assert page.get_by_text(f"up to {MAX_BURST} pictures").is_visible()
