"""What one person may keep, what stays free of the disk, and what is said when it is too much."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from tl_core import catalog, datasets, ingest, owners, room_on_disk, weights
from tl_core.limits import BadInput
from tl_core.room_on_disk import GB, MIN_FREE_BYTES

ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture
def free(monkeypatch):
    """Say how many bytes the disk has free."""

    def set_free(number: int) -> None:
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100 * GB, 0, number))

    set_free(50 * GB)
    return set_free


def keep(owner: str, name: str, number: int) -> Path:
    with owners.acting(owner):
        path = owners.folder("uploads") / name
    with path.open("wb") as file:
        file.truncate(number)
    return path


def test_a_person_of_a_room_has_a_limit_and_one_alone_has_none(home, free, monkeypatch):
    monkeypatch.setattr(room_on_disk, "MAX_OWNER_BYTES", 1000)
    keep(ADA, "x", 900)
    keep(owners.LOCAL, "x", 5000)
    with owners.acting(ADA):
        assert (room_on_disk.used(), room_on_disk.quota()) == (900, 1000)
        assert room_on_disk.refusal(100) == ""
        assert "Kept earlier" in room_on_disk.refusal(101)
    with owners.acting(BOB):
        assert room_on_disk.refusal(1000) == ""
    assert room_on_disk.quota() is None and room_on_disk.refusal(10**9) == ""


def test_what_lies_there_already_counts_once(home, free, monkeypatch):
    monkeypatch.setattr(room_on_disk, "MAX_OWNER_BYTES", 1000)
    keep(ADA, "earlier", 400)
    keep(ADA, "just written", 600)
    with owners.acting(ADA):
        assert room_on_disk.refusal(600, written=True) == ""
        assert room_on_disk.refusal(600) != ""
        keep(ADA, "one more", 1)
        assert room_on_disk.refusal(600, written=True) != ""


def test_the_disk_keeps_a_floor_for_everybody(home, free):
    free(MIN_FREE_BYTES + 100)
    assert room_on_disk.refusal(100) == ""
    assert "clean --cache" in room_on_disk.refusal(101)
    free(MIN_FREE_BYTES)
    assert room_on_disk.refusal(100, written=True) == ""
    free(MIN_FREE_BYTES - 1)
    assert "have to stay so" in room_on_disk.refusal()


def test_an_upload_over_the_limit_keeps_nothing(home, free, picture_folder, monkeypatch):
    monkeypatch.setattr(room_on_disk, "MAX_OWNER_BYTES", 30_000)
    with owners.acting(ADA):
        with pytest.raises(BadInput, match="may keep"):
            ingest.ingest_path(picture_folder)
        assert datasets.all_datasets() == []
        assert list(owners.folder("datasets").iterdir()) == []
        monkeypatch.setattr(room_on_disk, "MAX_OWNER_BYTES", 3_000_000)
        kept = ingest.ingest_path(picture_folder)
        size = room_on_disk.used()
        assert room_on_disk.size(kept.folder) == size
        # The same images again take no more room.
        monkeypatch.setattr(room_on_disk, "MAX_OWNER_BYTES", size + 1)
        shutil.rmtree(kept.folder / "images")
        assert ingest.ingest_path(picture_folder).fingerprint == kept.fingerprint
        datasets.delete(kept.fingerprint)
        assert room_on_disk.used() == 0


def test_a_full_disk_refuses_uploads_but_not_the_samples(home, free, picture_folder):
    free(MIN_FREE_BYTES // 2)
    with pytest.raises(BadInput, match="almost full"):
        ingest.ingest_path(picture_folder)
    assert len(ingest.sample("digits").images) > 0


def test_weights_count_too(home, free, random_weights, monkeypatch):
    row = catalog.catalog()["squeezenet1_1"]
    with owners.acting(ADA):
        monkeypatch.setattr(room_on_disk, "MAX_OWNER_BYTES", 100_000)
        with pytest.raises(weights.BadWeights, match="may keep"):
            weights.add(row, random_weights(row.name), name="own")
        assert weights.available(row.name) == []
        monkeypatch.setattr(room_on_disk, "MAX_OWNER_BYTES", GB)
        added = weights.add(row, random_weights(row.name), name="own")
        assert weights.available(row.name) == [added]
