"""The Trust page as a user meets it, on scripted comparisons in a real store."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from streamlit.testing.v1 import AppTest

from tests import replies, scripted
from tl_core import ingest
from tl_core.datasets import Dataset
from tl_core.events import Answered, ComparisonStarted
from tl_core.findings import Finding
from tl_core.store import Store
from tl_ui.trust_view import VIEWS

APP = str(Path(__file__).resolve().parents[1] / "app.py")
HOSTILE = "![x](http://evil.example/x.png) <b> :smile: $x$"


@pytest.fixture
def store(sampled_home: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of a data directory with the first sample, on which no runner works."""
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)
    return Store()


@pytest.fixture
def data() -> Dataset:
    return ingest.sample(next(iter(ingest.SAMPLES)))


def put(store: Store, scenario: scripted.Scenario | None = None, **changes) -> str:
    """Store a comparison that has ended; `changes`: of its first event."""
    scenario = scenario or scripted.Scenario(baselines=True)
    job = store.create(scripted.config(scenario), scenario.name)
    store.claim()
    events = [
        replace(event, **changes) if isinstance(event, ComparisonStarted) else event
        for event in scripted.events(scenario)
    ]
    store.append(job, events)
    store.finish(job, "done")
    return job


def open_trust(job: str | None = None, view: str | None = None) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    if view is not None:
        page.session_state["trust_view"] = view
    if job is not None:
        page.query_params["job"] = job
    page.switch_page("pages/trust.py").run()
    assert not page.exception
    return page


def text(page: AppTest) -> str:
    """Return everything that is written on the page."""
    kinds = (page.markdown, page.caption, page.error, page.warning, page.info)
    said = [element.value for kind in kinds for element in kind]
    said += [element.label for element in page.expander]
    return "\n".join(said).replace("\\", "")


def links(page: AppTest) -> dict[str, str]:
    return {link.proto.label: link.proto.query_string for link in page.get("page_link")}


# Which comparison.


def test_without_a_comparison_it_says_where_to_make_one(store: Store) -> None:
    page = open_trust()
    assert "Nothing has been compared to the end yet" in page.info[0].value
    assert "Go to the Lab" in links(page)
    assert not page.selectbox


def test_the_latest_finished_comparison_is_shown_and_another_can_be_chosen(store: Store) -> None:
    first = put(store, scripted.Scenario(name="first"))
    second = put(store, scripted.Scenario(name="second"))
    waiting = store.create(scripted.config(scripted.Scenario()), "waits")
    page = open_trust()
    choice = page.selectbox(key="trust_job")
    assert choice.value == second
    assert not [option for option in choice.options if "waits" in option]
    choice.set_value(first).run()
    assert page.query_params["job"] == first
    assert page.selectbox(key="trust_job").value == first
    assert waiting not in links(page)["Open it in the Lab"]
    assert first in links(page)["Open it in the Lab"]


def test_the_address_decides_and_a_deleted_one_is_told(store: Store) -> None:
    first, _ = put(store), put(store)
    assert open_trust(first).selectbox(key="trust_job").value == first
    page = open_trust("0" * 32)
    assert "no longer here" in page.warning[0].value
    assert "checks raise a flag" in text(page)


def test_a_comparison_that_has_just_begun_links_to_the_lab(store: Store) -> None:
    job = store.create(scripted.config(scripted.Scenario()), "runs")
    store.claim()
    store.append(job, scripted.events()[:2])
    page = open_trust(job)
    assert "has a result yet" in text(page)
    assert job in links(page)["See how far it is"]


def test_a_cancelled_comparison_shows_what_it_has(store: Store) -> None:
    job = store.create(scripted.config(scripted.Scenario()), "cut")
    store.claim()
    store.append(job, scripted.events()[:60])
    store.finish(job, "cancelled")
    page = open_trust(job)
    assert "Partial results" in text(page)
    assert "checks raise" in text(page)


def test_the_lab_links_to_it(store: Store) -> None:
    job = put(store)
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["job"] = job
    page.run()
    assert not page.exception
    assert job in links(page)["Can I trust it?"]


# Flags.


def test_flags_are_summed_up_and_raised_ones_open(store: Store) -> None:
    said = text(open_trust(put(store)))
    assert "of 18 checks raise a flag" in said
    assert "Full fine-tuning has forgotten" in said
    assert "Also: " in said
    assert "could not be made" in said and "checks are clear" in said
    assert "What would a textbook have said?" in said


def test_the_data_check_is_asked_from_here_and_its_answer_becomes_flags(
    store: Store, data: Dataset
) -> None:
    job = put(store, scripted.Scenario(baselines=True, fingerprint=data.fingerprint))
    page = open_trust(job)
    before = text(page)
    next(b for b in page.button if b.label == "Check these images").click().run()
    assert not page.exception
    (asked,) = store.list(kind="check")
    assert asked.config.data.fingerprint == data.fingerprint
    store.claim()
    serious = Finding(
        kind="near_duplicates", title="Copies", text="Four.", remedy="Drop.", severity="serious"
    )
    store.append(asked.id, [Answered(answer=replies.soundness(serious))])
    store.finish(asked.id, "done")
    after = text(page.run())
    assert not page.exception
    assert "The images were not checked" in before and "Copies: Four." not in before
    assert "The images were not checked" not in after and "Copies: Four." in after
    assert not [b for b in page.button if b.label == "Check these images"]


def test_names_of_users_stay_text(store: Store) -> None:
    classes = (HOSTILE, *scripted.CLASSES[1:])
    scenario = scripted.Scenario(name=HOSTILE, baselines=True)
    facts = next(iter(scripted.events(scenario))).dataset
    job = put(store, scenario, dataset=replace(facts, classes=classes))
    for view in VIEWS:
        page = open_trust(job, view)
        for kind in (page.markdown, page.caption, page.info):
            for element in kind:
                assert "![x](" not in element.value and "<b>" not in element.value
                assert ":smile:" not in element.value


# Views.


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "scenario",
    [
        scripted.Scenario(baselines=True, trials=True),
        scripted.Scenario(seeds=1, probe=0, zero_shot=False, given_split=True),
        scripted.Scenario(kept=False),
    ],
    ids=["full", "bare", "older"],
)
def test_every_view_shows_every_comparison(store: Store, view: str, scenario) -> None:
    page = open_trust(put(store, scenario), view)
    for chart in page.get("plotly_chart"):
        assert chart.proto.alt
    for frame in page.dataframe:
        assert frame.proto.alt


def test_confidence_names_the_temperature_and_changes_with_the_strategy(store: Store) -> None:
    page = open_trust(put(store), "confidence")
    said = text(page)
    assert "found on the validation images, the log-loss on the test images goes from" in said
    assert "Zero-shot transfer is left out" in said
    table = page.dataframe[0].value
    assert {"Calibration error", "Temperature", "Log-loss after"} <= set(table)
    assert len(table) == 4
    pills = next(p for p in page.button_group if (p.key or "").startswith("trust_strategy_conf"))
    pills.set_value("from_scratch").run()
    assert not page.exception
    assert "Training from scratch is surer than it is right" in text(page)


def test_older_comparisons_can_be_run_again_to_see_what_was_not_kept(store: Store) -> None:
    job = put(store, scripted.Scenario(kept=False))
    for view in ("confidence", "costs", "outside"):
        page = open_trust(job, view)
        assert "Run it again to see this" in text(page)
        assert not page.get("plotly_chart")
    next(b for b in page.button if b.label == "Run again").click().run()
    assert not page.exception
    assert [entry.status for entry in store.list()] == ["queued", "done"]


def test_what_has_not_finished_yet_is_not_called_old(store: Store) -> None:
    job = store.create(scripted.config(scripted.Scenario()), "cut")
    store.claim()
    store.append(job, scripted.events()[:3])  # zero-shot alone, with a word for one class in ten
    store.finish(job, "cancelled")
    for view in ("confidence", "outside"):
        said = text(open_trust(job, view))
        assert "Run it again" not in said and "has finished yet" in said


def test_class_balance_follows_the_slider(store: Store) -> None:
    page = open_trust(put(store), "balance")
    table = page.dataframe[0].value
    assert table["With these shares"].tolist() == table["As tested"].tolist()
    slider = next(s for s in page.slider if s.key.startswith("trust_balance_share"))
    assert slider.value == 10
    slider.set_value(100).run()
    assert not page.exception
    table, recalls = page.dataframe[0].value, page.dataframe[1].value
    first = table["Strategy"][0]
    assert recalls["Share"].tolist() == ["100.0%"] + ["0.0%"] * 9
    assert (
        table["With these shares"][0].split(" ")[0]
        == (recalls[f"Recall, {first}"][0].split(" ")[0])
    )
    assert table["As tested"][0] != table["With these shares"][0]


def test_a_dearer_miss_changes_cost_and_threshold(store: Store) -> None:
    page = open_trust(put(store), "costs")
    before = page.dataframe[0].value.set_index("Strategy")
    assert "costs least" in text(page)
    assert {"Always raise an alarm", "Never raise an alarm"} <= set(before.index)
    page.select_slider(key="trust_cost_factor").set_value(100.0).run()
    assert not page.exception
    after = page.dataframe[0].value.set_index("Strategy")
    name = "Full fine-tuning"
    assert float(after["Threshold"][name]) <= float(before["Threshold"][name])
    assert after["Cost"]["Never raise an alarm"] != before["Cost"]["Never raise an alarm"]


def test_strangers_need_source_images(store: Store) -> None:
    page = open_trust(put(store), "outside")
    assert "accepts" in text(page) and "none of your classes" in text(page)
    none = open_trust(put(store, scripted.Scenario(probe=0)), "outside")
    assert "needs at least 20 source images" in none.info[0].value


def test_learning_says_curves_in_words(store: Store) -> None:
    page = open_trust(put(store, scripted.Scenario(trials=True)), "learning")
    said = text(page)
    assert "**Full fine-tuning:**" in said
    table = page.dataframe[0].value.set_index("Strategy")
    assert table["Rates tried"]["Full fine-tuning"].startswith("3: ")
    assert table["Came to nothing"]["Full fine-tuning"] == "0 of 3"
    once = open_trust(put(store), "learning")
    assert "Only one learning rate" in text(once)


# Groups.


def table_of(data: Dataset, images: int = 180) -> bytes:
    """Return a table that calls every third test image dark."""
    lines = [
        f"{data.images[number].name},{'dark' if number % 3 == 0 else 'light'}"
        for number in range(images)
    ]
    return "\n".join(["file,light", *lines, "missing.png,dark"]).encode()


def test_groups_come_from_a_table_and_can_be_removed(store: Store, data: Dataset) -> None:
    job = put(store, scripted.Scenario(baselines=True, fingerprint=data.fingerprint))
    page = open_trust(job, "groups")
    assert "Nothing is known of your images yet" in text(page)
    page.file_uploader(key="trust_table_file_0").upload("mine.csv", table_of(data)).run()
    assert not page.exception
    said = text(page)
    assert "Used: Light." in said
    assert "340 images of the data set are in no row" in said
    assert "Files that are not in the data set (1)" in said
    groups = next(f.value for f in page.dataframe if "Group" in f.value)
    assert set(groups["Group"]) == {"Light: dark", "Light: light"}
    assert groups["Test images"].tolist() in (["60", "120"], ["120", "60"])
    page.segmented_control(key="trust_view").set_value("confidence").run()
    page.segmented_control(key="trust_view").set_value("groups").run()
    assert "Used: Light." in text(page)
    page.button(key="trust_table_remove").click().run()
    assert not page.exception
    assert "Used: Light." not in text(page)


def test_a_table_that_cannot_be_used_says_why(store: Store, data: Dataset) -> None:
    job = put(store, scripted.Scenario(fingerprint=data.fingerprint))
    page = open_trust(job, "groups")
    page.file_uploader(key="trust_table_file_0").upload("mine.csv", b"camera\nold\n").run()
    assert not page.exception
    assert "no column of files" in page.error[0].value


def test_groups_of_hostile_names_stay_text(store: Store, data: Dataset) -> None:
    job = put(store, scripted.Scenario(baselines=True, fingerprint=data.fingerprint))
    page = open_trust(job, "groups")
    hostile = (
        table_of(data)
        .replace(b"dark", b"<b>![x](http://evil.example)")
        .replace(b"light\n", b"![y](http://evil.example)\n", 1)
    )
    page.file_uploader(key="trust_table_file_0").upload("mine.csv", hostile).run()
    assert not page.exception
    for element in (*page.markdown, *page.caption):
        assert "![" not in element.value.replace(r"\!\[", "") and "<b>" not in element.value


def test_the_look_of_the_images_is_measured_on_request(store: Store, data: Dataset) -> None:
    job = put(store, scripted.Scenario(baselines=True, fingerprint=data.fingerprint))
    page = open_trust(job, "groups")
    unknown = text(page)
    page.button(key="trust_measure").click().run()
    assert not page.exception
    groups = next(f.value for f in page.dataframe if "Group" in f.value)
    assert any(name.startswith("Brightness: ") for name in groups["Group"])
    assert "trust_measure" not in {button.key for button in page.button}
    # The groups are a check as well.
    assert "8 checks could not be made" in unknown and "7 checks could not be made" in text(page)


def test_a_data_set_that_is_gone_has_no_groups(store: Store) -> None:
    page = open_trust(put(store), "groups")
    assert "no longer here, so nothing can group them" in page.info[0].value
    assert not page.file_uploader
