"""Closer looks at a finished comparison, and the one filter that the whole page follows."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests import scripted
from tests.test_lab_page import APP, charts, put, store, text
from tests.test_source_skill import probe_folder
from tl_core import datasets, ingest
from tl_core.catalog import catalog
from tl_core.datasets import Dataset
from tl_core.events import ComparisonStarted
from tl_core.ingest import edits
from tl_core.record import record
from tl_core.source_images import halves, selected
from tl_core.source_skill import lost
from tl_core.store import Store
from tl_ui import gallery
from tl_ui.closer_looks import LOOKS

__all__ = ["store"]  # a fixture

HOSTILE = "![x](http://evil.example/x.png) <b> :smile: $x$"
TITLES = ["Zero-shot transfer", "Feature extraction", "Full fine-tuning", "Training from scratch"]


@pytest.fixture
def data() -> Dataset:
    return ingest.sample(next(iter(ingest.SAMPLES)))


@pytest.fixture
def here(store: Store, data: Dataset) -> str:
    """A finished comparison whose data set is on this machine."""
    return put(store, scripted.Scenario(fingerprint=data.fingerprint, name=data.name))


def look(job: str, name: str | None = None) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["job"] = job
    if name is not None:
        page.session_state["closer_look"] = name
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    found = [one for one in page.button if one.label == label]
    assert len(found) == 1, [one.label for one in page.button]
    found[0].click().run()
    assert not page.exception
    return page


def pills(page: AppTest, beginning: str):
    return next(one for one in page.button_group if (one.key or "").startswith(beginning))


def table(page: AppTest) -> list[str]:
    return [str(name) for name in page.dataframe[0].value["Strategy"]]


# One filter.


def test_a_card_shows_its_strategy_alone_and_another_adds_itself(store: Store) -> None:
    page = look(put(store))
    assert "Show all" not in [one.label for one in page.button]
    page.button(key="show_full_fine_tuning").click().run()
    assert table(page) == ["Full fine-tuning"]
    assert "Shown: full fine-tuning, 1 of 5 strategies" in text(page)
    page.button(key="show_feature_extraction").click().run()
    assert table(page) == ["Feature extraction", "Full fine-tuning"]
    page.button(key="show_full_fine_tuning").click().run()
    assert table(page) == ["Feature extraction"]
    press(page, "Show all")
    assert len(table(page)) == 5


def test_chart_and_dots_follow_and_keep_the_best_step(store: Store) -> None:
    page = look(put(store))
    page.button(key="show_full_fine_tuning").click().run()
    curve, dots = (chart.proto.spec for chart in charts(page, "plotly_chart")[:2])
    assert "Full fine-tuning: best step" in curve
    for spec in (curve, dots):
        assert "Full fine-tuning" in spec and "Partial fine-tuning" not in spec


def test_cards_stay_with_their_numbers_and_say_what_is_not_shown(store: Store) -> None:
    page = look(put(store))
    before = [one.proto.body for one in page.get("html") if "%</b>" in one.proto.body]
    page.button(key="show_full_fine_tuning").click().run()
    after = [one.proto.body for one in page.get("html") if "%</b>" in one.proto.body]
    assert len(before) == 5 and before == after
    assert sum("not shown" in one.value for one in page.caption) == 4


def test_the_pills_choose_too_and_a_difference_stays_that_to_the_best_of_all(store: Store) -> None:
    page = look(put(store))
    whole = page.dataframe[0].value.set_index("Strategy")
    job = page.query_params["job"]
    job = job[0] if isinstance(job, list) else job
    page.pills(key=f"shown_{job[:8]}").set_value(["zero_shot", "from_scratch"]).run()
    part = page.dataframe[0].value.set_index("Strategy")
    assert set(part.index) == {"Zero-shot transfer", "Training from scratch"}
    column = "Difference to best"
    assert (part[column] == whole.loc[part.index, column]).all()
    assert "Places and differences are still those among all" in text(page)


def test_every_comparison_has_its_own_choice(store: Store) -> None:
    first, second = put(store), put(store, scripted.Scenario(seeds=1))
    page = look(first)
    page.button(key="show_full_fine_tuning").click().run()
    page.query_params["job"] = second
    assert len(table(page.run())) == 5
    page.query_params["job"] = first
    assert table(page.run()) == ["Full fine-tuning"]


# The looks.


def test_nothing_is_open_until_it_is_chosen(store: Store, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(
        "tl_ui.closer_looks.LOOKS",
        {
            name: (title, lambda of, name=name: opened.append(name))
            for name, (title, _) in LOOKS.items()
        },
    )
    page = look(put(store))
    assert opened == []
    page.segmented_control(key="closer_look").set_value("tradeoff").run()
    assert opened == ["tradeoff"]


@pytest.mark.parametrize("name", list(LOOKS))
@pytest.mark.parametrize(
    "scenario",
    [
        scripted.Scenario(),
        scripted.Scenario(seeds=1, probe=0),
        scripted.Scenario(probe=10, given_split=True),
        scripted.Scenario(fails="full_fine_tuning", seeds=1, zero_shot=False),
    ],
    ids=["whole", "drift", "few source images", "failed"],
)
def test_every_look_can_be_opened_whatever_was_measured(store: Store, scenario, name) -> None:
    job = put(store, scenario)
    page = look(job, name)
    page.button(key="show_feature_extraction").click().run()
    assert not page.exception


@pytest.mark.parametrize("name", list(LOOKS))
def test_class_names_stay_text(store: Store, data: Dataset, name: str) -> None:
    scenario = scripted.Scenario(fingerprint=data.fingerprint, seeds=1)
    job = store.create(scripted.config(scenario), "x")
    store.claim()
    script = scripted.events(scenario)
    classes = tuple(f"{HOSTILE} {number}" for number in range(10))
    first = replace(script[0], dataset=replace(script[0].dataset, classes=classes))
    assert isinstance(first, ComparisonStarted)
    store.append(job, [first, *script[1:]])
    store.finish(job, "done")
    page = look(job, name)
    for element in (*page.markdown, *page.caption):
        assert "![x](http" not in element.value
        assert "<b>" not in element.value


# Mistakes.


def boxes(page: AppTest, job: str) -> list:
    return [page.selectbox(key=f"mistakes_{end}_{job[:8]}") for end in ("label", "predicted")]


def test_mistakes_open_at_the_commonest_one_with_every_strategys_answer(here: str) -> None:
    page = look(here, "mistakes")
    said = text(page)
    assert "Feature extraction was wrong in 15 of 180 tests" in said
    label, predicted = boxes(page, here)
    assert predicted.value == (label.value + 1) % 10
    assert f"digit {label.value} taken for digit {predicted.value}: " in said
    assert len(charts(page, "image")) >= 1
    cards = [one.value for one in page.markdown if "% sure" in one.value]
    assert cards and all(card.count("foreground") == 5 for card in cards)
    assert all(f"wrong: digit {predicted.value}" in card for card in cards)


def test_the_boxes_choose_a_cell_by_name(here: str) -> None:
    page = look(here, "mistakes")
    boxes(page, here)[0].set_value(4).run()
    boxes(page, here)[1].set_value(4).run()
    assert "digit 4, recognised as such: " in text(page)
    chart = charts(page, "vega_lite_chart")[0].proto
    assert '"value": [{"label": 4, "predicted": 4}]' in chart.spec


def test_many_classes_are_listed_instead_of_drawn(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("tl_ui.look_mistakes.MOST_CLASSES", 9)
    page = look(put(store), "mistakes")
    assert not charts(page, "vega_lite_chart")
    listed = next(one.value for one in page.dataframe if "Taken for" in one.value)
    assert list(listed["Tests"]) == sorted(listed["Tests"], reverse=True)
    assert "10 classes: the" in text(page)


def test_a_mended_label_marks_the_comparison_and_is_compared_anew(
    store: Store, here: str, data: Dataset
) -> None:
    page = look(here, "mistakes")
    page.checkbox[0].check().run()
    press(page, "Relabel")
    changed = datasets.load(page.session_state["choice"].dataset)
    assert changed.edited_from == data.fingerprint
    said = text(page)
    assert "data changed since" in said
    assert "The data have changed since this comparison" in said
    assert "Relabelled: 1 image." in said and "relabelled since: " in said
    assert text(page).count("Undo") == 0 and [one for one in page.button if one.label == "Undo"]
    press(page, "Compare the changed data")
    newest = store.list()[0]
    assert newest.id != here and newest.status == "queued"
    before, after = store.get(here).config, newest.config
    assert after.data.fingerprint == changed.fingerprint
    assert replace(after, data=before.data) == before
    assert page.header[0].value.startswith("Waiting to compare")


def test_a_second_edit_goes_on_from_the_first(here: str, data: Dataset) -> None:
    page = look(here, "mistakes")
    page.checkbox[0].check().run()
    press(page, "Drop the 1 ticked")
    assert "dropped since" in text(page)
    page.checkbox[0].check().run()
    press(page, "Drop the 1 ticked")
    changed = datasets.load(page.session_state["choice"].dataset)
    assert len(changed.images) == len(data.images) - 2
    assert changed.edits == ("Dropped: 1 image.", "Dropped: 1 image.")


def test_what_is_undone_marks_nothing(here: str, data: Dataset) -> None:
    page = look(here, "mistakes")
    page.checkbox[0].check().run()
    press(page, "Drop the 1 ticked")
    press(page, "Undo")
    assert page.session_state["choice"].dataset == data.fingerprint
    assert "data changed since" not in text(page)
    assert datasets.successor(data.fingerprint) is None


def test_one_can_go_back_to_the_data_as_they_were(here: str, data: Dataset) -> None:
    edits.drop(data, [0])
    page = look(here, "mistakes")
    assert "The data have changed since this comparison" in text(page)
    press(page, "Back to the data as they were")
    assert "The data have changed since this comparison" not in text(page)


def test_deleted_data_are_said_and_the_numbers_stay(store: Store) -> None:
    page = look(put(store), "mistakes")
    assert "no longer on this machine" in page.warning[0].value
    assert "was wrong in" in text(page)
    assert not page.checkbox


# Per class, disagreements, trade-off.


def test_the_worst_class_comes_first(store: Store) -> None:
    page = look(put(store), "recall")
    frame = next(one.value for one in page.dataframe if "Class" in one.value)
    means = [np.mean([float(cell.split(" ")[0]) for cell in line[1:]]) for line in frame.to_numpy()]
    # Cells are rounded.
    assert np.diff(means).min() > -0.1 and means[-1] - means[0] > 5
    assert f"Hardest of 10 classes: {frame['Class'][0]}." in text(page)


def test_disagreements_can_be_narrowed_to_who_is_wrong(here: str) -> None:
    page = look(here, "disagreements")
    assert "disagree on" in text(page)
    first = next(one.value for one in page.markdown if "% sure" in one.value)
    lines = first.split("  \n")
    assert "wrong" in next(line for line in lines if "Feature extraction" in line)
    assert any("right" in line for line in lines)
    who = next(one for one in page.selectbox if one.label == "Who is wrong?")
    who.set_value("full_fine_tuning").run()
    cards = [one.value for one in page.markdown if "% sure" in one.value]
    for card in cards:
        line = next(line for line in card.split("  \n") if "Full fine" in line)
        assert "wrong" in line
    page.button(key="show_full_fine_tuning").click().run()
    assert "One strategy alone agrees with itself" in text(page)


def test_the_trade_off_says_who_is_dominated_and_who_stands_apart(store: Store) -> None:
    said = text(look(put(store), "tradeoff")).replace("*", "")
    assert "Full fine-tuning is dominated by feature extraction" in said
    assert "Never had the source skill, so it stands apart: training from scratch" in said
    assert "No trade is measurable" in said
    page = look(put(store, scripted.Scenario(probe=0)), "tradeoff")
    assert "this is drift" in text(page)
    assert "orgetting" not in charts(page, "plotly_chart")[-1].proto.spec


# What was forgotten.


@pytest.fixture
def probe(store: Store, tmp_path: Path) -> Dataset:
    """Forty source images of the four classes that the scripted probe has, ten each."""
    rng = np.random.default_rng(0)
    for name in ("tench", "goldfish", "great white shark", "tiger shark"):
        (tmp_path / "probe" / name).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(0, 255, (20, 20, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "probe" / name / f"{number}.png")
    return ingest.ingest_path(tmp_path / "probe", kind="probe")


def with_probe(store: Store, probe: Dataset) -> str:
    """Put a comparison whose source images are on this machine, in their own order."""
    labels = selected(probe, catalog()["resnet18"]).labels
    script = scripted.events(scripted.Scenario())
    source = replace(
        script[0].source, fingerprint=probe.fingerprint, labels=labels, predictions=labels,
        correct=(True,) * 40,
    )  # fmt: skip
    job = store.create(scripted.config(scripted.Scenario()), "with source images")
    store.claim()
    store.append(job, [replace(script[0], source=source), *script[1:]])
    store.finish(job, "done")
    return job


def test_lost_images_are_shown_with_what_they_were_and_are_taken_for(store, probe) -> None:
    page = look(with_probe(store, probe), "forgotten")
    said = text(page)
    assert "recognises" in said and "of what it could before" in said
    assert "Never had the skill: Training from scratch" in said
    turns = [one.value for one in page.caption if "before: " in one.value]
    assert turns and all("after: " in turn for turn in turns)
    assert any("tench" in turn or "goldfish" in turn for turn in turns)


def test_where_half_is_set_aside_the_lost_images_are_those_of_the_half_that_measures(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = ingest.ingest_path(
        probe_folder(tmp_path / "80", dict.fromkeys(("tench", "goldfish"), 40)), kind="probe"
    )
    half = halves(brought, catalog()["resnet18"]).measured
    script = scripted.events(scripted.Scenario())
    facts = replace(
        script[0].source, fingerprint=brought.fingerprint, labels=half.labels, set_aside=40,
        predictions=half.labels, correct=(True,) * 40,
    )  # fmt: skip
    started = replace(script[0], source=facts)
    job = store.create(scripted.config(scripted.Scenario()), "half of them")
    store.claim()
    store.append(job, [started, *script[1:]])
    store.finish(job, "done")
    seen: list[int] = []
    monkeypatch.setattr(gallery, "picture", lambda data, image: seen.append(image))
    page = look(job, "forgotten")
    gone = lost(record([started, *script[1:]]), "full_fine_tuning")
    assert seen and seen == [half.places[one.place] for one in gone][: len(seen)]
    assert "40 of 80 images" in text(page)


def test_source_images_that_are_gone_are_said(store: Store, probe: Dataset) -> None:
    job = with_probe(store, probe)
    datasets.delete(probe.fingerprint)
    page = look(job, "forgotten")
    assert "These source images are no longer on this machine" in page.warning[0].value
    assert "recognises" in text(page)


def test_without_source_images_nothing_is_called_forgotten(store: Store) -> None:
    page = look(put(store, scripted.Scenario(probe=0)), "forgotten")
    assert "nobody can say what was forgotten" in page.info[0].value


def test_a_frozen_backbone_lost_nothing(store: Store) -> None:
    page = look(put(store), "forgotten")
    page.button(key="show_feature_extraction").click().run()
    assert "No image was lost by feature extraction" in text(page)


# Only differences.


def test_equal_columns_go(store: Store) -> None:
    page = look(put(store), "differences")
    whole, part = page.dataframe[0].value, page.dataframe[1].value
    assert set(part) < set(whole)
    assert "Seeds" not in part and "Seconds" in part
    assert "There is no other finished comparison on these data" in text(page)


def test_another_comparison_is_held_against_this_one_in_pairs(store: Store) -> None:
    put(store, scripted.Scenario(seeds=1))
    put(store, scripted.Scenario(fingerprint="d" * 64))
    page = look(put(store), "differences")
    others = next(one for one in page.selectbox if one.label == "Compared with")
    assert len(others.options) == 1
    found = next(one.value for one in page.dataframe if "Setting" in one.value)
    assert found.loc[found["Setting"] == "Seeds"].to_numpy().tolist() == [
        ["Seeds", "3 seeds", "1 seed"]
    ]
    effect = next(one.value for one in page.dataframe if "In words" in one.value)
    assert set(effect["In words"]) == {"no difference found"}
    assert set(effect["Accuracy"]) == {"0.0 (0.0 to 0.0)"}
