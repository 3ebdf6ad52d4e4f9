"""People who log in with OpenID Connect, at a provider on this machine, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, add_files
from tests.e2e.provider import Provider

pytestmark = pytest.mark.browser
NOTHING = "Nothing has been compared yet"
PEOPLE = {"subject-1": "Ada Lovelace", "subject-2": "Bob"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider(PEOPLE)
    yield running
    running.close()


@pytest.fixture
def app(tmp_path: Path, _drawn: Path, sampled_home: Path, provider: Provider) -> Iterator[Server]:
    add_files(_drawn, sampled_home)
    secrets = tmp_path / "secrets.toml"

    def configured(url: str) -> list[str]:
        secrets.write_text(provider.secrets_file(url))
        return ["--secrets.files", str(secrets)]

    running = Server(sampled_home, configured)
    yield running
    running.stop()


def log_in(page, app: Server, name: str) -> None:
    page.goto(app.url)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name=name).click()
    page.get_by_role("button", name="Compare strategies").wait_for()


def test_who_logs_in_has_data_of_their_own_on_every_computer(app, browser, page):
    page.goto(f"{app.url}/history")
    page.get_by_role("button", name="Log in").wait_for()
    expect(page.get_by_text(NOTHING)).to_have_count(0)
    log_in(page, app, "Ada Lovelace")
    page.get_by_role("button", name="Compare strategies").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("cancelled").first.wait_for()

    other, again = (browser.new_context().new_page() for _ in range(2))
    for opened in (other, again):
        opened.set_default_timeout(30_000)
    log_in(other, app, "Bob")
    log_in(again, app, "Ada Lovelace")
    expect(again.get_by_role("button", name="Ada Lovelace")).to_be_visible()
    for opened, listed in ((other, False), (again, True)):
        opened.goto(f"{app.url}/history")
        if listed:
            opened.get_by_text("cancelled").first.wait_for()
        else:
            opened.get_by_text(NOTHING).wait_for()

    again.get_by_role("button", name="Ada Lovelace").click()
    again.get_by_role("button", name="Log out").click()
    again.get_by_role("button", name="Log in").wait_for()
    for opened in (other, again):
        opened.context.close()
    assert page.strangers == []
