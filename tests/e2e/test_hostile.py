"""Names that attack whoever shows them, on every page: only seen, nothing runs, nothing leaves."""

import io
import zipfile
from pathlib import Path

import msgspec
import pytest

from tests import scripted
from tests.pictures import png
from tests.test_report import subject
from tl_core import datasets, ingest, report
from tl_core.events import ComparisonStarted
from tl_core.record import record
from tl_core.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

NAMES = (
    "<img src=http://attacker.example/1.png onerror=alert(1)>",
    "</script><script>alert(2);document.title='taken'</script>",
    "![x](http://attacker.example/3.png)",
    "[click](javascript:alert(4)) http://attacker.example/4",
    "<svg onload=alert(5)>",
    '=HYPERLINK("http://attacker.example/6")',
    "{{7*7}} %{x} {0.__class__} %s",
    "$\\href{http://attacker.example/8}{x}$",
    '"><iframe src=//attacker.example/9></iframe>',
    ":red[x] <style>@import 'http://attacker.example/10.css'</style>",
)
PAGES = ("Lab", "Model & layers", "Trust", "What if", "History", "Pitfalls", "Lessons", "Data")
LOOKS = ("Mistakes", "Per class", "Disagreements", "What was forgotten", "Interpolate")
LOOKS += ("Only differences", "What if", "Predict", "Export")


def files(per_class: int) -> dict[str, bytes]:
    """Images with such names, of classes with such names, as a table says."""
    names = [f"{n} {NAMES[n % 10].replace('/', '')}.png" for n in range(10 * per_class)]
    rows = [
        f'"{name.replace(chr(34), chr(34) * 2)}","{label}"'
        for name, label in zip(
            names, [NAMES[n % 10].replace('"', '""') for n in range(10 * per_class)], strict=True
        )
    ]
    made = {name: png(n) for n, name in enumerate(names)}
    table = "\n".join(["file,label", *rows]).encode()
    return {**made, "labels.csv": table, "../<b>out</b>.png": b"x", "<i>bad</i>.png": b"x"}


def zipped(per_class: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files(per_class).items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A finished comparison of images with such names, by somebody with such a name."""
    monkeypatch.setenv("TL_HOME", str(tmp_path / "home"))
    data = ingest.ingest_zip(io.BytesIO(zipped(30)), name=NAMES[0])
    made = scripted.events(scripted.Scenario(fingerprint=data.fingerprint, name=data.name, seeds=1))
    first = made[0]
    assert isinstance(first, ComparisonStarted)
    config = msgspec.structs.replace(first.config, class_map={data.classes[0]: (999,)})
    facts = msgspec.structs.replace(first.dataset, classes=data.classes)
    started = msgspec.structs.replace(first, config=config, dataset=facts)
    store = Store()
    job = store.create(config, NAMES[1], queued=False)
    store.append(job, [started, *made[1:]])
    store.finish(job, "done")
    store.close()
    (tmp_path / "report.html").write_text(
        report.html(subject(record([started, *made[1:]]), name=NAMES[0]))
    )
    return job


def settled(page) -> None:
    page.locator("[data-stale=true]").first.wait_for(state="detached")
    page.get_by_test_id("stStatusWidget").wait_for(state="detached")
    page.get_by_text("Big screen").wait_for()


def test_hostile_names_are_only_seen(job, server, page, tmp_path):
    page.set_default_timeout(60_000)
    page.goto(f"{server.url}/data?way=own")
    page.locator(".st-key-target_mode").get_by_text("A zip").click()
    upload = {"name": f"{NAMES[2]}.zip".replace("/", ""), "mimeType": "application/zip"}
    page.locator("input[type=file][accept*=zip]").set_input_files({**upload, "buffer": zipped(4)})
    page.get_by_text("in 10 classes taken in").wait_for()
    seen = {}
    for name in PAGES:
        page.get_by_role("link", name=name, exact=True).first.click()
        settled(page)
        seen[name] = page.inner_text("body")
    page.goto(f"{server.url}/?job={job}")
    for name in LOOKS:
        page.get_by_role("radio", name=name, exact=True).click()
        settled(page)
        seen[name] = page.inner_text("body")
    page.get_by_role("link", name="Trust", exact=True).first.click()
    settled(page)
    title = page.title()
    page.goto((tmp_path / "report.html").as_uri())
    page.locator("#chart-classes .main-svg").first.wait_for()

    assert page.strangers == []
    assert "taken" not in (title, page.title())
    # Shown, and shown as they are: the test has looked at pages on which the names stand.
    for place in ("Data", "History", "Per class"):
        assert "attacker.example" in seen[place].replace("\u2060", ""), place
    assert all("Traceback" not in text and str(tmp_path) not in text for text in seen.values())
    assert len(datasets.all_datasets("target")) >= 2
    assert not list(tmp_path.rglob("*out*"))
