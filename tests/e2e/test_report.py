"""The report from disk, in a real browser: no network, no script but its own, readable by all."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.test_report import HOSTILE, renamed, subject
from tl_core import report

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CHARTS = ("accuracies", "training", "change", "forgotten", "reliability", "classes")


@dataclass
class Opened:
    """A page with a report, and everything it asked for, said or did since."""

    page: object
    address: str
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a comparison whose every name is hostile."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report.html(subject(renamed(HOSTILE, HOSTILE[1]), name=HOSTILE[0])))
    return path


@pytest.fixture
def open_report(browser, file: Path) -> Iterator:
    contexts = []

    def opening(width: int = 1280, scheme: str = "light") -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        found = Opened(page, file.as_uri())
        page.on("request", lambda request: found.requests.append(request.url))
        page.on("console", lambda message: found.said.append(message.text))
        page.on("pageerror", lambda error: found.said.append(str(error)))
        page.on("dialog", lambda dialog: (found.said.append(dialog.message), dialog.dismiss()))
        page.goto(found.address)
        for key in CHARTS:
            page.locator(f"#chart-{key} .main-svg").first.wait_for()
        return found

    yield opening
    for context in contexts:
        context.close()


def lines_of(page, key: str) -> list[str]:
    """Return the labels of a chart's vertical axis as they are drawn, lines joined by a space."""
    return page.locator(f"#chart-{key} .ytick text").evaluate_all(
        """texts => texts.map(text => {
            const lines = [...text.querySelectorAll('tspan.line')];
            return (lines.length ? lines : [text]).map(one => one.textContent).join(' ');
        })"""
    )


def test_it_opens_from_disk_and_hostile_names_are_only_seen(open_report):
    opened = open_report()
    page = opened.page
    assert page.locator("h1").inner_text() == HOSTILE[0]
    cells = page.locator("#classes tbody th").all_inner_texts()
    assert cells == [name.replace("\u202e", "") for name in HOSTILE]
    drawn = lines_of(page, "classes")
    for name in (HOSTILE[0], HOSTILE[2], "gnp.exe", "{{7*7}} %{x}", HOSTILE[7], HOSTILE[8]):
        assert name in drawn
    assert page.locator("img").count() == 0
    assert opened.requests == [opened.address]
    assert opened.said == []


def test_hovering_shows_a_hostile_name_as_text(open_report):
    opened = open_report()
    page = opened.page
    chart = page.locator("#chart-classes")
    chart.scroll_into_view_if_needed()
    found = set()
    for point in chart.locator(".scatterlayer .point").all():
        label = chart.locator(".hoverlayer .hovertext")
        # Away first: the label of the point before would be taken for this one's.
        page.mouse.move(1, 1)
        expect(label).to_have_count(0)
        point.hover(force=True)
        label.first.wait_for()
        found.add(label.first.text_content().split(": ")[0])
    assert HOSTILE[0] in found and HOSTILE[8] in found
    assert opened.requests == [opened.address]
    assert opened.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_accessible_and_never_wider_than_the_screen(open_report, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    opened = open_report(width, scheme)
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    assert wide == width
    found = axe.run(opened.page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not grave, [(one["id"], one["nodes"][0]["html"][:200]) for one in grave]


def test_charts_are_readable_when_the_scheme_changes(open_report):
    opened = open_report()
    label = opened.page.locator("#chart-accuracies .ytick text").first
    expect(label).to_have_css("fill", "rgb(31, 35, 40)")
    opened.page.emulate_media(color_scheme="dark")
    expect(label).to_have_css("fill", "rgb(230, 237, 243)")
    assert opened.said == []


@pytest.mark.parametrize("key", ["training", "classes"])
def test_the_camera_gives_a_slide_on_white_paper(open_report, key):
    opened = open_report(scheme="dark")
    button = opened.page.locator(f"#chart-{key}").get_by_role(
        "button", name="Download as a picture for a slide"
    )
    with opened.page.expect_download() as waiting:
        button.click()
    picture = Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    assert waiting.value.suggested_filename == f"{key}.png"
    assert picture.size == (3200, 1800)
    assert picture.convert("RGBA").getpixel((5, 5)) == (255, 255, 255, 255)
    assert opened.said == []


def test_it_prints_on_white_within_the_paper(open_report, tmp_path):
    opened = open_report(scheme="dark")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    widths = opened.page.locator(".plot .main-svg").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert widths and max(widths) <= 700
    opened.page.emulate_media(media="print")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert opened.page.evaluate(ground) == "rgb(255, 255, 255)"
    assert not opened.page.locator("nav").is_visible()
