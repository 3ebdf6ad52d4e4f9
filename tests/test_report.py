"""The report: complete in one file, honest about what it is, and all user text only text."""

import base64
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser

import msgspec
import pytest

from tests import replies, scripted
from tl_core import columns, ingest, recording, report
from tl_core.config import NotPossible
from tl_core.datasets import Dataset
from tl_core.document import document
from tl_core.events import Answered, ComparisonStarted
from tl_core.flags import Evidence
from tl_core.record import Record, record
from tl_core.report import Subject
from tl_core.store import Store
from tl_core.tables import rows

ASKED_LIMIT = 8_000_000
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "&amp; \"quoted\" 'too'",
    "\u202egnp.exe",
    "n" * 255,
    "![x](http://attacker.example/a.png)",
    "{{7*7}} %{x}",
    "$\\frac{1}{2}$",
    "<b>bold</b>",
    "digit 9",
)


class Page(HTMLParser):
    """What a browser would make of the file, as far as tests ask: elements, text, headings."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.scripts: list[tuple[dict, str]] = []
        self._open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag == "script":
            self.scripts.append((dict(attributes), ""))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "script" in self._open:
            about, before = self.scripts[-1]
            self.scripts[-1] = (about, before + data)
        elif "style" not in self._open:
            self.words.append(data)
            if self._open and re.fullmatch("h[1-6]", self._open[-1]):
                level, before = self.headings[-1]
                self.headings[-1] = (level, before + data)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def charts(self) -> list[dict]:
        (found,) = [body for about, body in self.scripts if about.get("id") == "charts"]
        return json.loads(found)


def subject(found: Record, **changes: object) -> Subject:
    given = {"evidence": Evidence(found, rows(found)), "name": found.started.dataset.name}
    return Subject(**{**given, **changes})


def renamed(names: tuple[str, ...], data: str) -> Record:
    """Return a comparison whose classes and data set have these names."""
    events = scripted.events(scripted.Scenario(seeds=1))
    first = events[0]
    assert isinstance(first, ComparisonStarted)
    config = msgspec.structs.replace(first.config, class_map={names[0]: (999,)})
    facts = msgspec.structs.replace(first.dataset, classes=names, name=data)
    started = msgspec.structs.replace(
        first, config=config, dataset=facts, unmapped_classes=names[1:]
    )
    return record([started, *events[1:]])


FULL = record(scripted.events(scripted.Scenario(baselines=True)))


@pytest.fixture(scope="module")
def full() -> str:
    return report.html(subject(FULL, ended=1_790_000_000.0))


@pytest.fixture(scope="module")
def hostile() -> str:
    return report.html(subject(renamed(HOSTILE, HOSTILE[1]), name=HOSTILE[0]))


def test_it_is_one_file_well_under_the_limit(full):
    assert len(full.encode()) < ASKED_LIMIT
    page = Page(full)
    fetching = {"src", "srcset", "poster", "data", "action", "formaction"}
    assert not [about for _, about in page.elements if fetching & set(about)]
    hrefs = [about["href"] for _, about in page.elements if "href" in about]
    assert hrefs and all(href.startswith(("#", "data:")) for href in hrefs)
    targets = {about.get("id") for _, about in page.elements}
    assert {href[1:] for href in hrefs if href.startswith("#")} <= targets
    assert full.count("plotly.js v") == 1


def test_its_policy_allows_its_own_scripts_and_nothing_else(full):
    page = Page(full)
    (policy,) = [
        about["content"]
        for tag, about in page.elements
        if tag == "meta" and about.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    assert "unsafe" not in rules["script-src"]
    assert rules["img-src"] == "data: blob:"
    run = [body for about, body in page.scripts if about.get("type") != "application/json"]
    hashes = {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in run}
    assert {f"'sha256-{one}'" for one in hashes} == set(rules["script-src"].split())


def test_the_same_comparison_gives_the_same_file(full):
    assert report.html(subject(FULL, ended=1_790_000_000.0)) == full


def test_it_says_what_the_app_says(full):
    made = document(FULL, rows(FULL))
    said = Page(full).text
    for clause in [*made["verdict"]["clauses"], made["verdict"]["would_change_if"]]:
        *_, rest = clause["text"].split(". ")
        assert rest in said
    for flag in made["flags"]:
        assert flag["title"].lower() in said.lower() and flag["text"] in said
        assert flag["state"] == "clear" or flag["remedy"] in said
    for column in columns.columns(FULL):
        assert column.title in said and column.definition in said
    for fact in ("CPU, 2 cores", "2.11.0", "BSD", "21 September 2026", made["command"]):
        assert fact in said
    for title in columns.BASELINES.values():
        assert title in said
    assert "result = compare(" in said


def test_every_number_of_the_table_has_its_interval(full):
    said = Page(full).text
    for row in rows(FULL):
        assert f"{100 * row.test_accuracy:.1f}%" in said
        assert f"{100 * row.ci_low:.1f} to {100 * row.ci_high:.1f}" in said


def test_every_chart_has_a_place_a_title_and_words(full):
    page = Page(full)
    charts = page.charts()
    keys = [chart["key"] for chart in charts]
    assert keys == ["accuracies", "training", "change", "forgotten", "reliability", "classes"]
    places = {about["id"] for tag, about in page.elements if tag == "div" and "id" in about}
    assert places == {f"chart-{key}" for key in keys}
    ids = {about.get("id") for _, about in page.elements}
    figures = [about for tag, about in page.elements if tag == "figure"]
    assert len(figures) == len(keys)
    assert all({f["aria-labelledby"], f["aria-describedby"]} <= ids for f in figures)


def test_headings_are_in_order_and_every_table_has_a_caption(full):
    page = Page(full)
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(title.strip() for _, title in page.headings)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("caption") == tags.count("table") >= 5
    assert dict(page.elements)["html"]["lang"] == "en"


def test_hostile_names_are_text_and_nothing_else(hostile):
    page = Page(hostile)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"img", "b", "iframe"}
    assert len(page.scripts) == 3
    assert not [about for _, about in page.elements if any(key.startswith("on") for key in about)]
    assert "\u202e" not in hostile
    said = page.text
    for name in HOSTILE:
        assert name.replace("\u202e", "") in said
    assert page.headings[0][1] == HOSTILE[0]


def test_hostile_names_are_literal_in_charts(hostile):
    charts = {chart["key"]: chart for chart in Page(hostile).charts()}
    labels = charts["classes"]["figure"]["layout"]["yaxis"]["ticktext"]
    assert len(labels) == len(HOSTILE)
    for label in labels:
        assert not re.search("<(?!br>)", label)
    lines = {label.replace("<br>", " ") for label in labels}
    assert "&lt;img src=x onerror=alert(1)&gt;" in lines and "&lt;b&gt;bold&lt;/b&gt;" in lines
    assert "&amp;amp; \"quoted\" 'too'" in lines
    assert "<" not in charts["classes"]["about"]


def test_what_was_cut_short_says_so(full):
    events = scripted.events()
    found = record(events[: len(events) // 2])
    said = Page(report.html(subject(found))).text
    assert f"Partial results: {len(found.ended)} of 18 planned trainings had ended" in said
    assert "Partial results" not in Page(full).text
    begun = report.html(subject(record(events[:1])))
    assert "nothing to recommend" in Page(begun).text
    assert Page(begun).charts() == []


def test_a_failed_run_is_named():
    found = record(scripted.events(scripted.Scenario(seeds=1, fails="full_fine_tuning")))
    said = Page(report.html(subject(found))).text
    assert "Full fine-tuning, seed 1, failed" in said
    assert "There was not enough memory for this run." in said


def test_without_source_images_it_speaks_of_drift():
    found = record(scripted.events(scripted.Scenario(seeds=1, probe=0)))
    page = Page(report.html(subject(found)))
    assert "Drift while training" in page.text
    assert "forgotten" not in {chart["key"] for chart in page.charts()}


def test_older_results_without_probabilities_lack_only_what_needs_them():
    found = record(scripted.events(scripted.Scenario(seeds=1, kept=False)))
    page = Page(report.html(subject(found)))
    assert "reliability" not in {chart["key"] for chart in page.charts()}
    assert "Calibration on test images" not in page.text


def test_a_recording_says_that_it_is_one():
    data = Dataset(name="d", fingerprint="f" * 64, kind="target", classes=(), images=())
    made = scripted.recording("digits", data, scripted.Scenario(seeds=1))
    page = Page(report.html(report.of_recording(made)))
    assert made.label in page.text
    assert page.headings[0][1].endswith("(recorded)")
    assert "DATA = 'sample:digits'" in page.text


def test_the_recordings_that_come_with_the_app_can_be_reported():
    made = recording.read(recording.path_of(next(iter(ingest.SAMPLES))))
    assert made.label in report.html(report.of_recording(made))


def test_a_jobs_report_has_what_was_asked_about_the_same_images(home):
    store, scenario = Store(), scripted.Scenario(seeds=1)
    job = store.create(scripted.config(scenario), "mine", queued=False)
    store.append(job, scripted.events(scenario))
    store.finish(job, "done")
    before = report.of_job(store, store.get(job))
    assert before.ended == store.get(job).ended
    assert before.evidence.soundness is None
    asked = store.create(scripted.config(scenario), "check", queued=False, kind="check")
    store.append(asked, [Answered(answer=replies.soundness())])
    store.finish(asked, "done")
    after = report.of_job(store, store.get(job))
    assert after.evidence.soundness == replies.soundness()
    assert {f.state for f in after.flags if f.name == "data_faults"} != {"unknown"}


def test_a_job_that_measured_nothing_cannot_be_reported(home):
    store = Store()
    job = store.create(scripted.config(scripted.Scenario()), "mine")
    with pytest.raises(NotPossible, match="nothing to report"):
        report.of_job(store, store.get(job))
