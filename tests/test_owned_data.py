"""Whose data sets and weights are whose: one's own, and what comes with the app for all."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests import brought
from tl_core import datasets, ingest, lineage, owners, weights
from tl_core.catalog import catalog
from tl_core.datasets import Dataset, records
from tl_core.ingest import edits
from tl_core.layouts import BadWeights
from tl_core.limits import BadInput
from tl_core.owners import EVERYBODY, LOCAL, NoOwner

ANNA, BEN = "a" * 32, "b" * 32
MODEL = "mobilenet_v3_small"


def names(kind: records.Kind | None = None) -> set[str]:
    return {data.name for data in datasets.all_datasets(kind)}


@pytest.fixture
def annas(sampled_home: Path, tmp_path: Path) -> Dataset:
    with owners.acting(ANNA):
        return brought.dataset(tmp_path / "annas", "anna")


def test_what_one_person_brought_nobody_else_finds(annas: Dataset, sampled_home: Path) -> None:
    with owners.acting(ANNA):
        assert datasets.load(annas.fingerprint[:10]) == annas
        assert annas.folder.is_relative_to(sampled_home / "people" / ANNA)
        assert records.is_complete(annas)
    for other in (BEN, LOCAL, EVERYBODY, f"{owners.SHARED}{'0' * 64}"):
        with owners.acting(other):
            assert "anna set" not in names()
            assert records.find_signature(annas.signature) is None
            for given in (annas.fingerprint, annas.fingerprint[:10]):
                with pytest.raises(BadInput, match="There is no data set"):
                    datasets.load(given)


def test_what_came_with_the_app_is_there_for_all_and_stays(annas: Dataset, home: Path) -> None:
    (title,) = names() - {"anna set"}
    for person in (ANNA, BEN):
        with owners.acting(person):
            sample = next(data for data in datasets.all_datasets() if data.name == title)
            assert records.is_complete(sample)
            assert sample.folder.parent == home / "datasets"
            datasets.delete(sample.fingerprint)
            assert datasets.load(sample.fingerprint) == sample
            with pytest.raises(BadInput, match="everyone's"):
                datasets.save(msgspec.structs.replace(sample, mirror=not sample.mirror))


def test_a_sample_set_is_made_once_for_all(sampled_home: Path) -> None:
    name = next(iter(ingest.SAMPLES))
    with owners.acting(ANNA):
        datasets.delete(datasets.load(ingest.sample(name).fingerprint).fingerprint)
        made = ingest.sample(name)
    with owners.acting(BEN):
        assert ingest.known_sample(name) == made
    assert not (sampled_home / "people" / ANNA / "datasets" / made.fingerprint[:24]).exists()


def test_data_of_the_machines_user_are_not_the_rooms(home: Path, tmp_path: Path) -> None:
    own = brought.dataset(tmp_path, "teacher")
    with owners.acting(ANNA):
        assert names() == set()
        with pytest.raises(BadInput):
            datasets.load(own.fingerprint)


def test_the_same_images_under_two_names_are_two_data_sets(home: Path, tmp_path: Path) -> None:
    root, found = brought.pictures(tmp_path, "same"), {}
    for person, name in ((ANNA, "Anna calls it"), (BEN, "Ben calls it")):
        with owners.acting(person):
            found[person] = ingest.ingest_path(root, name=name)
    assert found[ANNA].fingerprint == found[BEN].fingerprint
    with owners.acting(ANNA):
        assert names() == {"Anna calls it"}
        datasets.delete(found[ANNA].fingerprint)
        assert names() == set()
    with owners.acting(BEN):
        assert datasets.load(found[BEN].fingerprint).name == "Ben calls it"
        assert records.is_complete(found[BEN])


def test_an_edit_of_a_sample_is_ones_own(sampled_home: Path) -> None:
    sample = ingest.sample(next(iter(ingest.SAMPLES)))
    with owners.acting(ANNA):
        changed = edits.drop(sample, [0])
        assert lineage.newest(sample) == changed
        assert lineage.descends(changed, sample)
        assert records.is_complete(changed)
    with owners.acting(BEN):
        assert lineage.newest(sample) == sample
        assert datasets.load(sample.fingerprint) == sample
        with pytest.raises(BadInput):
            datasets.load(changed.fingerprint)


def test_own_weights_are_ones_own_and_downloads_for_all(
    home: Path, random_weights: Callable[[str], Path]
) -> None:
    row, file = catalog()[MODEL], random_weights(MODEL)
    with owners.acting(ANNA):
        mine = weights.add(row, file, name="Anna's file")
        assert weights.available(MODEL) == [mine]
    for other in (BEN, LOCAL, EVERYBODY):
        with owners.acting(other):
            assert weights.available(MODEL) == []
            assert weights.find(mine.sha256) is None
    with owners.acting(BEN):
        loaded = weights.add(row, file, name="torchvision's", origin="torchvision")
    with owners.acting("c" * 32):
        assert weights.available(MODEL) == [loaded]
        with pytest.raises(BadWeights, match="stay"):
            weights.remove(loaded)
    with owners.acting(ANNA):
        assert [one.name for one in weights.available(MODEL)] == ["Anna's file"]


def test_weights_of_the_machines_user_are_not_the_rooms(home: Path) -> None:
    own = brought.weights_file(MODEL, "teacher's")
    assert weights.available(MODEL) == [own]
    with owners.acting(ANNA):
        assert weights.available(MODEL) == []


def test_a_thread_works_for_nobody_unless_it_is_told(annas: Dataset) -> None:
    def nobody() -> str:
        raise NoOwner("not known")

    def seen(work: Callable[[], object]) -> object:
        found: list[object] = []

        def run() -> None:
            try:
                found.append(work())
            except NoOwner as error:
                found.append(type(error))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return found[0]

    owners.ask(nobody)
    try:
        with owners.acting(ANNA):
            told = owners.bound(lambda: datasets.load(annas.fingerprint))
            assert seen(lambda: datasets.load(annas.fingerprint)) is NoOwner
            assert seen(told) == annas
    finally:
        owners.ask(None)


@pytest.mark.parametrize("owner", ["", "..", "a" * 31, "a" * 65, "A" * 32, "../" + "a" * 32])
def test_no_folder_is_named_after_what_is_no_owner(home: Path, owner: str) -> None:
    with pytest.raises(NoOwner), owners.acting(owner):
        pass
