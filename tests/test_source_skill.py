"""What is left of the source skill, which images were lost, and which images measure it."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from tests import scripted
from tl_core import catalog, figures, ingest, source_images
from tl_core.class_map import match_source
from tl_core.record import record
from tl_core.source_skill import Lost, lost, skills
from tl_core.tables import rows


def probe_folder(root: Path, names: dict[str, int]) -> Path:
    """Return a folder of class folders with so many different pictures each."""
    rng = np.random.default_rng(1)
    for name, number in names.items():
        (root / name).mkdir(parents=True)
        for place in range(number):
            pixels = rng.integers(0, 255, (24, 24, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{place}.png")
    return root


def test_only_images_of_source_classes_are_selected_in_their_order(home, tmp_path):
    folder = probe_folder(tmp_path / "p", {"tench": 2, "my cat Tom": 3, "goldfish": 2})
    data = ingest.ingest_path(folder, kind="probe")
    row = catalog.catalog()["resnet18"]
    found = source_images.selected(data, row)
    matched = match_source(data.classes, catalog.source_classes(row.weights.source_classes))
    assert matched == {"goldfish": 1, "my cat Tom": None, "tench": 0}
    kept = [data.images[place] for place in found.places]
    assert [matched[data.classes[image.label]] for image in kept] == list(found.labels)
    assert sorted(found.labels) == [0, 0, 1, 1]
    assert list(found.places) == sorted(found.places)


def test_what_is_left_is_what_was_there_minus_what_was_forgotten():
    found = record(scripted.events())
    table = rows(found)
    got = {skill.strategy: skill for skill in skills(found, table)}
    assert "from_scratch" not in got
    before = 100 * np.mean(found.started.source.correct)
    for row in table:
        if row.strategy in got:
            skill = got[row.strategy]
            assert skill.before == pytest.approx(before)
            assert skill.left.value == pytest.approx(before - row.forgetting_points)
            assert 0 <= skill.left.low <= skill.left.value <= skill.left.high <= 100
    assert got["feature_extraction"].share == 1.0
    assert got["feature_extraction"].left.low == pytest.approx(before)
    assert got["full_fine_tuning"].share < 0.7
    bars = figures.skill_gauges(list(got.values())).data
    assert {bar.name for bar in bars[1:]} == {skill.title for skill in got.values()}


def test_lost_images_were_recognised_before_and_are_counted_by_seed():
    found = record(scripted.events())
    source = found.started.source
    gone = lost(found, "full_fine_tuning")
    assert len(gone) == round(0.31 * source.images)
    for one in gone:
        assert source.correct[one.place]
        assert one == Lost(one.place, source.labels[one.place], 950, 3, 3)
    assert lost(found, "feature_extraction") == []
    assert lost(found, "from_scratch") == []
    assert lost(record(scripted.events(scripted.Scenario(probe=0))), "full_fine_tuning") == []


def test_the_commonest_wrong_class_is_told_and_what_most_seeds_lost_comes_first():
    found = record(scripted.events())
    right = [place for place, hit in enumerate(found.started.source.correct) if hit]
    first, second = right[0], right[1]
    for seed, run in found.final("partial_fine_tuning").items():
        answers = list(found.started.source.predictions)
        answers[second] = (700, 700, 600)[seed]
        if seed == 2:
            answers[first] = 500
        result = replace(run.result, source_predictions=tuple(answers))
        found.ended[run.run_id] = replace(run, result=result)
    labels = found.started.source.labels
    assert lost(found, "partial_fine_tuning") == [
        Lost(second, labels[second], 700, 3, 3),
        Lost(first, labels[first], 500, 1, 3),
    ]
