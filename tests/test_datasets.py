import json
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.pictures import class_files, zipped
from tl_core import datasets, ingest
from tl_core.datasets import Dataset, ImageRecord, Part, Split, records, split
from tl_core.ingest import BadInput


@pytest.fixture(autouse=True)
def data_directory(home: Path) -> Path:
    return home


def made_up(rows: list[tuple[str, Part, str]], order_seed: int = 0) -> Dataset:
    """Return a data set of (class, part, pixels) rows that exists in memory only."""
    names = sorted({name for name, _, _ in rows})
    order = np.random.default_rng(order_seed).permutation(len(rows))
    images = tuple(
        ImageRecord(
            name=f"{order_seed}-{i}.png",
            file=f"images/{rows[i][2]}.png",
            label=names.index(rows[i][0]),
            part=rows[i][1],
            pixels=rows[i][2],
            width=8,
            height=8,
            mode="RGB",
            frames=1,
        )
        for i in order
    )
    return Dataset(
        name="made up", fingerprint="0" * 64, kind="target", classes=tuple(names), images=images
    )


def plain(counts: dict[str, int], part: Part = "") -> list[tuple[str, Part, str]]:
    return [(name, part, f"{name}{i}{part}") for name, n in counts.items() for i in range(n)]


def per_class(dataset: Dataset, indices: tuple[int, ...]) -> dict[str, int]:
    return dict(Counter(dataset.classes[dataset.images[i].label] for i in indices))


def contents(dataset: Dataset, part: Split) -> list[set[str]]:
    return [
        {dataset.images[i].pixels for i in indices}
        for indices in (part.train, part.validation, part.test, part.left_out)
    ]


# --- Splits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8, 9, 11, 13, 17, 30, 101])
def test_shares_of_each_class(n):
    dataset = made_up(plain({"a": n, "b": 30}))
    for seed in range(3):
        part = split(dataset, seed)
        everything = sorted(part.train + part.validation + part.test)
        assert everything == list(range(n + 30))
        test = per_class(dataset, part.test)["a"]
        assert test == max(1, round(0.2 * n))
        assert per_class(dataset, part.validation)["a"] == max(1, round(0.25 * (n - test)))
        assert per_class(dataset, part.train)["a"] >= 2
    for seed in (3, 4):
        assert per_class(dataset, split(dataset, seed).test)["a"] in (n // 5, n // 5 + 1)


def test_five_seeds_test_every_image_once():
    dataset = made_up(plain({"a": 23, "b": 31, "c": 10}))
    tested = [i for seed in range(5) for i in split(dataset, seed).test]
    assert sorted(tested) == list(range(64))
    second = [i for seed in range(5, 10) for i in split(dataset, seed).test]
    assert sorted(second) == list(range(64))
    assert split(dataset, 0).test != split(dataset, 5).test


def test_four_images_of_a_class_are_enough_for_every_seed():
    dataset = made_up(plain({"a": 4, "b": 40}))
    for seed in range(7):
        part = split(dataset, seed)
        sizes = [per_class(dataset, p)["a"] for p in (part.train, part.validation, part.test)]
        assert sizes == [2, 1, 1]


def test_a_split_depends_on_content_and_seed_only():
    rows = plain({"a": 20, "b": 25})
    first, other_order = made_up(rows, 0), made_up(rows, 1)
    for seed in (0, 1, 7):
        assert contents(first, split(first, seed)) == contents(
            other_order, split(other_order, seed)
        )
        assert split(first, seed) == split(first, seed)
    assert contents(first, split(first, 0)) != contents(first, split(first, 1))


def test_copies_stay_together_also_across_classes():
    rows = plain({"a": 20, "b": 20})
    rows += [("a", "", "twin") for _ in range(3)] + [("b", "", "a3"), ("b", "", "b4")]
    dataset = made_up(rows)
    for seed in range(10):
        train, validation, test, left_out = contents(dataset, split(dataset, seed))
        assert not (train & validation or train & test or validation & test or left_out)
        total = sum(map(len, (train, validation, test)))
        assert total == len({pixels for _, _, pixels in rows})


def test_many_copies_leave_every_part_filled():
    rows = [("a", "", pixels) for pixels in ("w", "w", "w", "w", "w", "x", "y", "z")]
    dataset = made_up(rows + plain({"b": 12}))
    for seed in range(5):
        part = split(dataset, seed)
        for indices in (part.train, part.validation, part.test):
            assert per_class(dataset, indices).get("a", 0) >= 1
        assert per_class(dataset, part.train)["a"] >= 2


def test_a_given_validation_part_tests_when_there_is_no_test_part():
    dataset = made_up(plain({"a": 12, "b": 16}, "train") + plain({"a": 5, "b": 5}, "validation"))
    for seed in range(3):
        part = split(dataset, seed)
        assert {dataset.images[i].part for i in part.test} == {"validation"}
        assert len(part.test) == 10
        assert per_class(dataset, part.validation) == {"a": 3, "b": 4}
        assert {dataset.images[i].part for i in part.train + part.validation} == {"train"}
    assert split(dataset, 0).validation != split(dataset, 1).validation
    assert split(dataset, 0).test == split(dataset, 1).test


def test_a_given_test_part_without_validation():
    dataset = made_up(plain({"a": 8, "b": 8}, "train") + plain({"a": 3, "b": 3}, "test"))
    part = split(dataset, 0)
    assert {dataset.images[i].part for i in part.test} == {"test"}
    assert per_class(dataset, part.validation) == {"a": 2, "b": 2}


def test_all_three_given_parts_are_kept():
    parts: tuple[Part, ...] = ("train", "validation", "test")
    dataset = made_up([row for part in parts for row in plain({"a": 6, "b": 6}, part)])
    part = split(dataset, 0)
    for indices, name in zip((part.train, part.validation, part.test), parts, strict=True):
        assert {dataset.images[i].part for i in indices} == {name}
        assert len(indices) == 12
    assert split(dataset, 4) == part


def test_copies_across_given_parts_stay_where_they_test():
    rows = plain({"a": 8, "b": 8}, "train") + plain({"a": 4, "b": 4}, "test")
    rows += [("a", "train", "same"), ("b", "train", "same"), ("a", "test", "same")]
    dataset = made_up(rows)
    part = split(dataset, 0)
    assert [dataset.images[i].part for i in part.left_out] == ["train", "train"]
    assert {dataset.images[i].pixels for i in part.left_out} == {"same"}
    assert sum(dataset.images[i].pixels == "same" for i in part.test) == 1
    assert len(part.train + part.validation + part.test + part.left_out) == len(rows)


def test_ten_thousand_images_are_divided():
    dataset = made_up(plain({f"class {i}": 10 for i in range(1000)}))
    part = split(dataset, 0)
    assert (len(part.test), len(part.validation), len(part.train)) == (2000, 2000, 6000)


# --- Records ------------------------------------------------------------------------------------


def ingested(start: int = 0, name: str = "pets") -> Dataset:
    return ingest.ingest_zip(zipped(class_files({"cat": 4, "dog": 4}, start)), name=name)


def test_load_by_fingerprint_or_prefix():
    first, second = ingested(0), ingested(100)
    assert datasets.load(first.fingerprint) == first
    assert datasets.load(second.fingerprint[:8].upper()) == second
    for wrong in ("ffffffffffff", first.fingerprint[:40] + "0" * 24, "../etc", "", "*"):
        with pytest.raises(BadInput):
            datasets.load(wrong)


def test_a_prefix_of_two_data_sets_is_refused(home):
    dataset = ingested()
    first = dataset.fingerprint[0]
    twin = next(one for one in map(named(dataset), range(1000)) if one.fingerprint[0] == first)
    twin.folder.mkdir()
    datasets.save(twin)
    with pytest.raises(BadInput, match="Several"):
        datasets.load(first)
    assert datasets.load(dataset.fingerprint) == dataset


def named(dataset: Dataset):
    """Give the data set with numbered classes, and the fingerprint that it has then."""

    def renamed(number: int) -> Dataset:
        classes = tuple(f"{name} {number}" for name in dataset.classes)
        content = [(classes[one.label], one.part, one.pixels) for one in dataset.images]
        mark = records.fingerprint(dataset.kind, content, dataset.together)
        return msgspec.structs.replace(dataset, classes=classes, fingerprint=mark)

    return renamed


def test_newest_first_and_foreign_folders_passed_over(home):
    first, second = ingested(0, "first"), ingested(100, "second")
    root = home / "datasets"
    (root / "notes").mkdir()
    (root / "stray.txt").write_text("x")
    for number, content in enumerate(("{}", "no json", json.dumps({"name": "x", "other": 1}))):
        (root / (f"{number}" * 24)).mkdir()
        (root / (f"{number}" * 24) / "dataset.json").write_text(content)
    (root / "renamed").mkdir()
    (root / "renamed" / "dataset.json").write_bytes((first.folder / "dataset.json").read_bytes())
    assert [dataset.name for dataset in datasets.all_datasets()] == ["second", "first"]
    assert datasets.all_datasets("target")[0] == second


def test_deleting():
    first, second = ingested(0), ingested(100)
    datasets.delete(first.fingerprint)
    datasets.delete(first.fingerprint)
    assert not first.folder.exists()
    assert datasets.all_datasets() == [second]
    with pytest.raises(BadInput):
        datasets.delete("../..")


def test_a_damaged_stored_image_is_noticed():
    dataset = ingested()
    path = dataset.folder / dataset.images[2].file
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(BadInput, match="Bring the images again"):
        datasets.pixels(dataset, 2)
    (dataset.folder / "thumbs" / f"{dataset.images[2].pixels}.webp").unlink()
    with pytest.raises(BadInput, match="Bring the images again"):
        datasets.thumbnail(dataset, 2)


def test_fingerprint_is_of_the_content():
    content: list[tuple[str, Part, str]] = [("a", "", "1"), ("b", "", "2"), ("b", "", "2")]
    print_of = records.fingerprint
    reference = print_of("target", content)
    assert print_of("target", content[::-1]) == reference
    changed = [
        print_of("probe", content),
        print_of("target", content[:2]),
        print_of("target", [("a", "train", "1"), *content[1:]]),
        print_of("target", [("c", "", "1"), *content[1:]]),
        print_of("target", [("a", "", "3"), *content[1:]]),
    ]
    assert len({reference, *changed}) == 6


def test_balance_and_duplicates():
    files = class_files({"train/cat": 4, "train/dog": 5, "test/cat": 2, "test/dog": 1})
    files["train/cat/copy.png"] = files["train/cat/0.png"]
    files["train/dog/wrong.png"] = files["train/cat/0.png"]
    files["test/dog/leak.png"] = files["train/dog/1.png"]
    dataset = ingest.ingest_zip(zipped(files), name="pets")
    assert datasets.balance(dataset) == {
        "cat": {"test": 2, "train": 5},
        "dog": {"test": 2, "train": 6},
    }
    groups = [{dataset.images[i].name for i in group} for group in datasets.duplicates(dataset)]
    assert len(groups) == 2
    assert {"train/cat/0.png", "train/cat/copy.png", "train/dog/wrong.png"} in groups
    assert {"train/dog/1.png", "test/dog/leak.png"} in groups
    report = " ".join(dataset.notes)
    assert "Exact copies of another image: 3 images" in report
    assert "in different classes: 1 picture" in report
    assert "1 image left out" in report
    assert [dataset.images[i].name for i in split(dataset, 0).left_out] == ["train/dog/1.png"]


# --- Samples ------------------------------------------------------------------------------------


def test_digits():
    seen = []
    dataset = ingest.sample("digits", lambda message, fraction: seen.append(fraction))
    assert dataset.classes == tuple("0123456789")
    assert datasets.balance(dataset) == {digit: {"": 30} for digit in "0123456789"}
    assert (dataset.mirror, dataset.kind, dataset.refused) == (False, "target", ())
    pixels = datasets.pixels(dataset, 0)
    assert pixels.shape == (64, 64, 3)
    assert np.array_equal(pixels[..., 0], pixels[..., 2])
    assert pixels.max() > 200
    assert seen[-1] == 1.0
    assert ingest.ingest_path("sample:digits") == dataset
    assert len(split(dataset, 0).test) == 60
