"""Source images cut in two: what measures, and what is learned from."""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from tests.test_source_skill import probe_folder
from tl_core import ingest, source_images
from tl_core.catalog import find
from tl_core.config import RATED_FROM
from tl_core.datasets import Dataset
from tl_core.events import Event, SourceFacts
from tl_core.materials import Materials, open_materials
from tl_core.source_images import SourceImages, halves
from tl_core.strategies import STRATEGIES

ROW = find("resnet18")
NOTHING = SourceImages((), ())


def pixels(data: Dataset, part: SourceImages) -> Counter[str]:
    return Counter(data.images[place].pixels for place in part.places)


@pytest.fixture
def brought(home: Path, tmp_path: Path) -> Dataset:
    """Three source classes of 25, 16 and 1 images, and one label that is none."""
    names = {"tench": 25, "goldfish": 16, "ostrich": 1, "my cat Tom": 7}
    return ingest.ingest_path(probe_folder(tmp_path / "brought", names), kind="probe")


def test_halves_are_disjoint_and_complete_and_hold_as_many_of_each_class(brought):
    found, every = halves(brought, ROW), source_images.selected(brought, ROW)
    one, other = found.measured, found.learning
    assert sorted((*one.places, *other.places)) == list(every.places)
    for part in (one, other):
        assert list(part.places) == sorted(part.places)
        labels = dict(zip(every.places, every.labels, strict=True))
        assert [labels[place] for place in part.places] == list(part.labels)
    first, second = Counter(one.labels), Counter(other.labels)
    assert all(abs(first[label] - second[label]) <= 1 for label in set(every.labels))
    assert abs(len(one.places) - len(other.places)) <= 1


def test_the_same_content_is_cut_alike_whatever_the_order_of_files(brought):
    before = halves(brought, ROW)
    order = np.random.default_rng(3).permutation(len(brought.images))
    turned = msgspec.structs.replace(brought, images=tuple(brought.images[i] for i in order))
    after = halves(turned, ROW)
    assert pixels(turned, after.measured) == pixels(brought, before.measured)
    assert pixels(turned, after.learning) == pixels(brought, before.learning)


def test_copies_stay_in_one_half(home, tmp_path):
    folder = probe_folder(tmp_path / "copies", {"tench": 24, "goldfish": 24})
    for name in ("tench", "goldfish"):
        for place in range(6):
            for copy in ("a", "b"):
                Image.open(folder / name / f"{place}.png").save(
                    folder / name / f"{place}{copy}.png"
                )
    data = ingest.ingest_path(folder, kind="probe")
    found = halves(data, ROW)
    one, other = pixels(data, found.measured), pixels(data, found.learning)
    assert not set(one) & set(other)
    assert one.total() + other.total() == len(data.images) == 72
    assert max(*one.values(), *other.values()) == 3
    assert abs(one.total() - other.total()) <= 3


def test_few_images_all_measure(home, tmp_path):
    few = ingest.ingest_path(probe_folder(tmp_path / "few", {"tench": 39}), kind="probe")
    assert halves(few, ROW) == source_images.Halves(source_images.selected(few, ROW), NOTHING)
    enough = ingest.ingest_path(probe_folder(tmp_path / "enough", {"tench": 40}), kind="probe")
    assert {len(part.places) for part in vars(halves(enough, ROW)).values()} == {RATED_FROM}
    assert "All 39 source images" in source_images.why_none_to_learn(39)
    assert "no labelled source images" in source_images.why_none_to_learn(0)


def opened(config, **options) -> Materials:
    steps = open_materials(config, **options)
    while True:
        try:
            event: Event = next(steps)
            assert event.message
        except StopIteration as end:
            return end.value


def with_probe(config, data: Dataset, *strategies: str):
    data_config = msgspec.structs.replace(config.data, probe=data.fingerprint, probe_name=data.name)
    chosen = tuple(STRATEGIES[name] for name in strategies)
    return msgspec.structs.replace(config, data=data_config, strategies=chosen)


def test_what_learns_sees_other_images_than_what_measures(small_comparison, brought):
    config = with_probe(small_comparison, brought, "feature_extraction")
    usual = opened(config)
    assert usual.learning is None
    assert usual.lacks_learning == ""
    asked = opened(config, learning=True)
    by_strategy = opened(with_probe(small_comparison, brought, "ewc"))
    found = halves(brought, ROW)
    for materials in (usual, asked, by_strategy):
        assert materials.probe.labels.tolist() == list(found.measured.labels)
        assert materials.probe.inputs.pixels.key == usual.probe.inputs.pixels.key
        facts = materials.source_facts()
        assert (facts.images, facts.set_aside) == (21, 21)
        assert source_images.measured_on(facts) == "21 of 42 images"
        assert source_images.measured_in(facts, brought, ROW) == found.measured
    for materials in (asked, by_strategy):
        assert materials.learning.labels.tolist() == list(found.learning.labels)
        assert len(materials.learning.inputs.pixels) == 21
        assert materials.lacks_learning == ""
    assert asked.learning.inputs.pixels.key != asked.probe.inputs.pixels.key


def test_few_source_images_leave_nothing_to_learn_from(small_comparison, tmp_path):
    few = ingest.ingest_path(probe_folder(tmp_path / "few", {"tench": 30}), kind="probe")
    materials = opened(with_probe(small_comparison, few), learning=True)
    assert materials.learning is None
    assert "All 30 source images measure" in materials.lacks_learning
    assert len(materials.probe.labels) == 30
    without = opened(small_comparison, learning=True)
    assert (without.probe, without.learning) == (None, None)
    assert "no labelled source images" in without.lacks_learning


def test_comparisons_made_before_the_cut_measured_on_all(brought):
    every = source_images.selected(brought, ROW)
    facts = SourceFacts(
        name=brought.name,
        fingerprint=brought.fingerprint,
        images=len(every.labels),
        classes=3,
        source_classes=1000,
        labels=every.labels,
        predictions=every.labels,
        correct=(True,) * len(every.labels),
        rated=True,
    )
    assert source_images.measured_in(facts, brought, ROW) == every
    assert source_images.measured_on(facts) == "42 images"
