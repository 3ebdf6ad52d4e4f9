import io
import os
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import class_files, encoded, picture, png, uploads, write_files, zipped
from tl_core import datasets, ingest
from tl_core.cores import cores
from tl_core.datasets import decoding
from tl_core.ingest import BadInput, assembly

CLASSES = {"cat": 4, "dog": 5}


@pytest.fixture(autouse=True)
def data_directory(home: Path) -> Path:
    return home


def stored(home: Path) -> list[str]:
    """Return what lies in the folder of data sets, unfinished ones included."""
    root = home / "datasets"
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def names(dataset: datasets.Dataset) -> set[str]:
    return {image.name for image in dataset.images}


# --- The ways in --------------------------------------------------------------------------------


def test_folder_zip_files_and_table_give_the_same_data_set(tmp_path, home):
    files = class_files(CLASSES)
    folder = write_files(tmp_path / "pets", files)
    rows = "\n".join(f"pets/{name},{name.split('/')[0]}" for name in files)
    (tmp_path / "labels.csv").write_text(f"path,label\n{rows}\n")
    (tmp_path / "pets.zip").write_bytes(zipped(files).read())
    made = [
        ingest.ingest_path(folder),
        ingest.ingest_path(str(tmp_path / "pets.zip")),
        ingest.ingest_path(tmp_path / "labels.csv"),
        ingest.ingest_zip(zipped(files), name="pets"),
        ingest.ingest_files(uploads(files), name="pets"),
        ingest.ingest_zip(zipped({f"outer/inner/{n}": c for n, c in files.items()}), name="p"),
        ingest.ingest_files(uploads({n.replace("/", "\\"): c for n, c in files.items()}), name="p"),
    ]
    assert len({dataset.fingerprint for dataset in made}) == 1
    assert len(stored(home)) == 1
    first = made[0]
    assert first.name == "pets"
    assert first.classes == ("cat", "dog")
    assert [image.label for image in first.images] == [0] * 4 + [1] * 5
    assert {image.part for image in first.images} == {""}
    assert names(first) == set(files)
    assert (first.kind, first.mirror, first.refused) == ("target", True, ())


def test_stored_pixels_and_thumbnails(tmp_path):
    files = class_files(CLASSES)
    files["cat/big.png"] = encoded(picture(99, (900, 600)))
    dataset = ingest.ingest_path(write_files(tmp_path / "pets", files))
    for index, image in enumerate(dataset.images):
        pixels = datasets.pixels(dataset, index)
        thumbnail = datasets.thumbnail(dataset, index)
        assert thumbnail[:4] == b"RIFF"
        if image.name == "cat/big.png":
            assert pixels.shape == (512, 768, 3)
            assert (image.width, image.height) == (900, 600)
        else:
            original = np.asarray(Image.open(tmp_path / "pets" / image.name))
            assert np.array_equal(pixels, original)
    thumbs = [Image.open(path) for path in (dataset.folder / "thumbs").iterdir()]
    assert max(max(image.size) for image in thumbs) == 160


def test_extension_is_not_trusted(tmp_path):
    files = class_files(CLASSES)
    files["cat/no_extension"] = encoded(picture(50), "JPEG")
    files["cat/wrong.gif"] = encoded(picture(51), "WEBP")
    dataset = ingest.ingest_path(write_files(tmp_path / "pets", files))
    assert {"cat/no_extension", "cat/wrong.gif"} <= names(dataset)


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (("train", "val"), {"train", "validation"}),
        (("Train", "VALID"), {"train", "validation"}),
        (("training", "testing"), {"train", "test"}),
        (("train", "validation", "test"), {"train", "validation", "test"}),
        (("data/train", "data/test"), {"train", "test"}),
        (("train",), {""}),
    ],
)
def test_given_split(folders, parts):
    files = class_files({f"{folder}/{name}": 4 for folder in folders for name in ("cat", "dog")})
    dataset = ingest.ingest_zip(zipped(files), name="pets")
    assert dataset.classes == ("cat", "dog")
    assert {image.part for image in dataset.images} == parts
    assert len(dataset.images) == len(files)


def test_a_class_called_train_is_a_class():
    files = class_files({"train": 4, "plane": 4, "car": 4})
    dataset = ingest.ingest_zip(zipped(files), name="vehicles")
    assert dataset.classes == ("car", "plane", "train")


def test_an_unlabelled_test_folder_is_refused_and_the_rest_is_kept():
    files = class_files({"train/cat": 4, "train/dog": 4, "test": 2})
    dataset = ingest.ingest_zip(zipped(files), name="pets")
    assert dataset.classes == ("cat", "dog")
    assert {image.part for image in dataset.images} == {""}
    assert {file.name for file in dataset.refused} == {"test/0.png", "test/1.png"}


def test_folders_below_a_class_belong_to_it():
    files = class_files({"cat/indoor": 3, "cat/outdoor": 2, "dog": 4})
    assert ingest.ingest_zip(zipped(files), name="pets").classes == ("cat", "dog")


def test_stray_text_and_loose_files():
    files = class_files(CLASSES)
    loose = {"cover.png": png(70), "readme.txt": b"hello", "cat/notes.json": b"{}"}
    stray = ["cat/.DS_Store", "Thumbs.db", "__MACOSX/cat/._0.png", "cat/desktop.ini", ".git/config"]
    archive = {"more.zip": zipped({"a.png": png(71)}).read()}
    brought = files | loose | archive | dict.fromkeys(stray, b"x")
    dataset = ingest.ingest_zip(zipped(brought), name="pets")
    assert names(dataset) == set(files)
    reasons = {file.name: file.reason for file in dataset.refused}
    assert reasons == {
        "cover.png": "not inside a class folder",
        "more.zip": "an archive inside the upload is not opened",
    }
    assert "Ignored: 5 hidden or system files." in dataset.notes
    assert "Ignored: 2 text files." in dataset.notes


# --- Tables of labels ---------------------------------------------------------------------------


def test_table_with_a_split_and_other_column_names(tmp_path):
    files = {f"{i}.png": png(i) for i in range(10)}
    write_files(tmp_path, files)
    rows = [
        f"./{i}.png;{'Bär' if i % 2 else 'Reh'};{'test' if i > 7 else 'Train'}" for i in range(10)
    ]
    text = "\n".join(["Filename;Class;Split", *rows, ""])
    (tmp_path / "t.csv").write_bytes(text.encode("latin-1"))
    dataset = ingest.ingest_path(tmp_path / "t.csv")
    assert dataset.classes == ("Bär", "Reh")
    assert datasets.balance(dataset)["Bär"] == {"test": 1, "train": 4}


def grouped(rows: list[tuple[str, str, str]], columns: str) -> datasets.Dataset:
    """A table of (class, group, part) rows with an image each."""
    files = {f"{number}.png": png(number) for number in range(len(rows))}
    lines = [
        ",".join([f"{number}.png", label, group, part])
        for number, (label, group, part) in enumerate(rows)
    ]
    table = "\n".join([columns, *lines]).encode()
    return ingest.ingest_files(uploads({**files, "table.csv": table}), name="scans")


def test_a_table_may_say_what_belongs_together():
    rows = [(label, f"patient {n // 3}", "") for label in ("ill", "well") for n in range(12)]
    rows += [("ill", "", ""), ("well", "only one", "")]
    data = grouped(rows, "file,label,Group,split")
    numbers = {image.pixels: int(image.name.split(".")[0]) for image in data.images}
    # A patient may have images of both classes; an empty cell is no group.
    assert len(data.together) == 4
    assert {len(group) for group in data.together} == {6}
    assert any("26 images in 6 groups" in note for note in data.notes)
    for seed in range(40):
        part = datasets.split(data, seed)
        where = {}
        for name in ("train", "validation", "test"):
            for index in getattr(part, name):
                row = numbers[data.images[index].pixels]
                where.setdefault(rows[row][1] or row, set()).add(name)
        assert all(len(names) == 1 for names in where.values())


def test_a_group_across_a_given_split_stays_where_it_tests():
    rows = [(label, f"{label}{n % 4}", "train") for label in ("ill", "well") for n in range(12)]
    rows += [("ill", "ill0", "test"), ("well", "new", "test")]
    data = grouped(rows, "file,label,group,split")
    part = datasets.split(data, 0)
    assert len(part.test) == 2
    assert len(part.left_out) == 3
    assert any("Copies or groups across the parts" in note for note in data.notes)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("ill", "a", ""), ("well", "b", "")] * 6, "2 classes have fewer than 3 groups"),
        (
            [("ill", "a", "train"), ("well", "b", "train")] * 6
            + [("ill", "c", "test"), ("well", "d", "test")],
            "Nothing is left to choose settings with",
        ),
    ],
)
def test_groups_that_cannot_fill_every_part_are_refused(home, rows, words):
    with pytest.raises(BadInput, match=words):
        grouped(rows, "file,label,group,split")
    assert datasets.all_datasets() == []


def test_all_faulty_rows_are_named(tmp_path):
    write_files(tmp_path, {"a.png": png(0)})
    (tmp_path.parent / "secret.png").write_bytes(png(1))
    table = (
        "image,label,split\n"
        "a.png,cat,train\n"
        "gone.png,cat,train\n"
        "b/gone.png,dog,train\n"
        "a.png,,train\n"
        ",cat,train\n"
        "a.png,cat,later\n"
        "../secret.png,cat,train\n"
        f"{tmp_path.parent}/secret.png,cat,train\n"
    )
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(BadInput, match=r"7 rows of t\.csv") as caught:
        ingest.ingest_path(tmp_path / "t.csv")
    details = "\n".join(caught.value.details)
    assert [line.split(":")[0] for line in caught.value.details] == [
        f"row {i}" for i in range(3, 10)
    ]
    for part in ("gone.png is missing", "b/gone.png is missing", "no class", "no file", "later"):
        assert part in details
    assert details.count("is missing") == 2


def test_a_zip_with_one_table_and_loose_images():
    files = {f"images/{i}.png": png(i) for i in range(9)}
    rows = "".join(f"images\\{i}.png,{'cat' if i < 4 else 'dog'}\n" for i in range(8))
    table = {"set/train.csv": f"image_path,category\n{rows}".encode()}
    brought = {f"set/{name}": content for name, content in files.items()} | table
    dataset = ingest.ingest_zip(zipped(brought), name="pets")
    assert dataset.classes == ("cat", "dog")
    assert len(dataset.images) == 8
    assert any("does not name them: 1 file" in note for note in dataset.notes)


def test_a_table_beside_class_folders_is_not_needed():
    files = class_files(CLASSES) | {"meta.csv": b"file,class\nelsewhere.png,cow\n"}
    assert ingest.ingest_zip(zipped(files), name="pets").classes == ("cat", "dog")


def test_two_tables_are_one_too_many():
    table = b"file,label\n0.png,cat\n"
    files = {"0.png": png(0), "train.csv": table, "test.csv": table}
    with pytest.raises(BadInput, match="2 tables of labels"):
        ingest.ingest_zip(zipped(files), name="pets")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\0\0\0", b"file\n0.png\n"])
def test_a_table_without_the_columns(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadInput, match="its first line must name"):
        ingest.ingest_path(tmp_path / "t.csv")


# --- Probes -------------------------------------------------------------------------------------


def test_a_probe_may_have_one_class_and_one_image(home):
    files = {"bee/0.png": png(0)}
    probe = ingest.ingest_files(uploads(files), name="probe", kind="probe")
    assert (probe.kind, probe.classes, len(probe.images)) == ("probe", ("bee",), 1)
    assert [dataset.name for dataset in datasets.all_datasets("probe")] == ["probe"]
    assert datasets.all_datasets("target") == []


def test_a_probe_prefers_index_then_synset_then_name(tmp_path):
    write_files(tmp_path, {f"{i}.png": png(i) for i in range(12)})
    index_rows = "".join(f"{i}.png,{i},n0000000{i % 10},bee\n" for i in range(12))
    (tmp_path / "labels.csv").write_text(f"file,class_index,synset,class_name\n{index_rows}")
    probe = ingest.ingest_path(tmp_path, kind="probe")
    assert probe.classes == tuple(str(i) for i in range(12))
    (tmp_path / "labels.csv").write_text("file,class_name,synset\n0.png,bee,n02206856\n")
    assert ingest.ingest_path(tmp_path, kind="probe").classes == ("n02206856",)


def test_target_and_probe_of_the_same_images_are_two_data_sets(home):
    files = class_files(CLASSES)
    target = ingest.ingest_zip(zipped(files), name="a")
    probe = ingest.ingest_zip(zipped(files), name="a", kind="probe")
    assert target.fingerprint != probe.fingerprint
    assert len(stored(home)) == 2


# --- What is refused ----------------------------------------------------------------------------

REFUSED_UPLOADS = {
    "nothing": ({}, "no usable image"),
    "text only": ({"a/readme.txt": b"x"}, "no usable image"),
    "no folders": ({"a.png": png(0), "b.png": png(1)}, "not inside a class folder"),
    "one class": (class_files({"cat": 5}), "only one class, 'cat'"),
    "a small class": (class_files({"cat": 4, "dog": 3}), r"'dog' \(3\)"),
    "copies only": (
        class_files({"cat": 4}) | {f"dog/{i}.png": png(9) for i in range(6)},
        r"'dog' \(1\)",
    ),
    "an unreadable class": (
        class_files(CLASSES) | {f"cow/{i}.png": b"" for i in range(9)},
        r"'cow' \(0\)",
    ),
    "nothing to train on": (
        class_files({"train/cat": 4, "train/dog": 1, "val/cat": 4, "val/dog": 4}),
        r"'dog' \(.\)",
    ),
    "all damaged": (
        {f"{c}/{i}.jpg": b"\xff\xd8\xff\xe0" for c in "ab" for i in range(4)},
        "no usable",
    ),
}


@pytest.mark.parametrize("case", REFUSED_UPLOADS)
def test_unusable_data_sets_are_refused_and_leave_nothing(case, home):
    files, sentence = REFUSED_UPLOADS[case]
    earlier = ingest.ingest_zip(zipped(class_files(CLASSES, start=500)), name="earlier")
    before = stored(home)
    with pytest.raises(BadInput, match=sentence) as caught:
        ingest.ingest_files(uploads(files), name="mine")
    assert str(home) not in str(caught.value)
    assert stored(home) == before
    assert datasets.load(earlier.fingerprint) == earlier


def test_a_refused_file_is_named_and_the_rest_kept(tmp_path):
    files = class_files(CLASSES)
    whole = encoded(picture(80, (200, 200)), "JPEG")
    bad = {"cat/cut.jpg": whole[: len(whole) // 2], "dog/page.jpg": b"<html>", "dog/nil.png": b""}
    dataset = ingest.ingest_path(write_files(tmp_path / "pets", files | bad))
    assert names(dataset) == set(files)
    assert {file.name for file in dataset.refused} == set(bad)


@pytest.mark.parametrize("path", ["nowhere", "picture.png", "sample:nothing"])
def test_paths_that_are_no_data(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(png(0))
    with pytest.raises(BadInput, match=r"nowhere|picture.png|'nothing'"):
        ingest.ingest_path(path)


def test_too_many_files(monkeypatch, tmp_path):
    monkeypatch.setattr("tl_core.ingest.sources.MAX_ENTRIES", 5)
    folder = write_files(tmp_path / "pets", class_files(CLASSES))
    with pytest.raises(BadInput, match="more than 5"):
        ingest.ingest_path(folder)


def test_too_large_a_file_is_refused_unread(monkeypatch, tmp_path):
    monkeypatch.setattr("tl_core.ingest.image_writer.MAX_IMAGE_BYTES", 5000)
    files = class_files(CLASSES) | {"cat/large.png": encoded(picture(0, (90, 90)))}
    dataset = ingest.ingest_path(write_files(tmp_path / "pets", files))
    assert [file.name for file in dataset.refused] == ["cat/large.png"]


# --- Names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("![](http:x)", "![](http:x)"),
        ("=1+1", "=1+1"),
        ("a\0b\x1bc\nd", "abcd"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("Ａöö", unicodedata.normalize("NFC", "Ａöö")),
        ("e\u0301", "é"),
        ("x" * 300, "x" * 255),
        ("\ud800", "?"),
    ],
)
def test_class_names_are_data(name, cleaned, home):
    files = class_files({name: 4, "dog": 4})
    dataset = ingest.ingest_files(uploads(files), name="pets")
    assert cleaned in dataset.classes
    assert datasets.load(dataset.fingerprint).classes == dataset.classes


def test_classes_that_differ_in_case_are_two():
    files = class_files({"Cat": 4, "cat": 4})
    assert ingest.ingest_zip(zipped(files), name="pets").classes == ("Cat", "cat")


def test_numbers_sort_by_value():
    files = class_files({"10": 4, "9": 4, "bee": 4})
    assert ingest.ingest_zip(zipped(files), name="n").classes == ("9", "10", "bee")


# --- Doing it again -----------------------------------------------------------------------------


def test_an_unchanged_folder_is_not_read_again(tmp_path, monkeypatch):
    folder = write_files(tmp_path / "pets", class_files(CLASSES))
    first = ingest.ingest_path(folder)
    reads = []
    original = assembly.ImageWriter.write
    monkeypatch.setattr(assembly.ImageWriter, "write", lambda *a: reads.append(1) or original(*a))
    assert ingest.ingest_path(folder) == first
    assert reads == []
    (folder / "cat" / "new.png").write_bytes(png(90))
    assert len(ingest.ingest_path(folder).images) == len(first.images) + 1
    assert reads == [1]


def test_a_changed_file_is_read_again(tmp_path):
    folder = write_files(tmp_path / "pets", class_files(CLASSES))
    first = ingest.ingest_path(folder)
    path = folder / "cat" / "0.png"
    path.write_bytes(png(91))
    os.utime(path, ns=(1, 1))
    assert ingest.ingest_path(folder).fingerprint != first.fingerprint


def test_bringing_it_again_repairs_lost_images(tmp_path):
    folder = write_files(tmp_path / "pets", class_files(CLASSES))
    first = ingest.ingest_path(folder)
    (first.folder / first.images[0].file).unlink()
    with pytest.raises(BadInput, match="Bring the images again"):
        datasets.pixels(first, 0)
    again = ingest.ingest_path(folder)
    assert again.fingerprint == first.fingerprint
    assert datasets.pixels(again, 0).shape == (16, 24, 3)


def test_the_same_content_again_renews_the_report(home):
    files = class_files(CLASSES)
    first = ingest.ingest_zip(zipped(files | {"cat/bad.png": b"no"}), name="first")
    second = ingest.ingest_zip(zipped(files), name="second")
    assert first.fingerprint == second.fingerprint
    assert (len(first.refused), len(second.refused)) == (1, 0)
    assert datasets.load(first.fingerprint).name == "second"
    assert len(stored(home)) == 1


def test_progress_ends_at_one(tmp_path):
    seen = []
    ingest.ingest_path(
        write_files(tmp_path / "pets", class_files(CLASSES)),
        progress=lambda message, fraction: seen.append((message, fraction)),
    )
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], seen[-1]) == (0.0, ("Reading images", 1.0))


def test_a_full_disk_is_said_and_nothing_kept(monkeypatch, home):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tl_core.datasets.decoding.write_image", full)
    with pytest.raises(BadInput, match="disk"):
        ingest.ingest_zip(zipped(class_files(CLASSES)), name="pets")
    assert stored(home) == []


def test_what_a_crash_left_is_removed_after_a_day(home):
    root = home / "datasets"
    for name, age in ((".unfinished-old", 100_000), (".unfinished-new", 0), ("others", 100_000)):
        (root / name / "images").mkdir(parents=True)
        os.utime(root / name, (time.time() - age,) * 2)
    dataset = ingest.ingest_zip(zipped(class_files(CLASSES)), name="pets")
    assert stored(home) == sorted([".unfinished-new", "others", dataset.folder.name])


def test_the_same_upload_by_four_people_at_once(home):
    content = zipped(class_files(CLASSES)).getvalue()
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda i: ingest.ingest_zip(io.BytesIO(content), name=f"{i}"), range(4))
        )
    assert stored(home) == [made[0].folder.name]
    dataset = datasets.load(made[0].fingerprint)
    assert all(datasets.pixels(dataset, i).shape == (16, 24, 3) for i in range(9))


def test_few_files_are_held_at_a_time(monkeypatch):
    held, most = [], []

    class Upload(io.BytesIO):
        def read(self, *limit):
            held.append(1)
            most.append(len(held))
            return super().read(*limit)

    def decode(content):
        result = original(content)
        held.pop()
        return result

    original = decoding.decode
    monkeypatch.setattr(decoding, "decode", decode)
    files = class_files({"cat": 60, "dog": 60})
    ingest.ingest_files([(name, Upload(content)) for name, content in files.items()], name="many")
    assert held == []
    assert max(most) <= 2 * min(8, cores()) + 2


# --- Real photographs ---------------------------------------------------------------------------


@pytest.mark.reference
def test_hymenoptera(reference):
    dataset = ingest.ingest_path(reference / "data" / "hymenoptera")
    assert dataset.classes == ("ants", "bees")
    assert datasets.balance(dataset) == {
        "ants": {"train": 124, "validation": 70},
        "bees": {"train": 121, "validation": 83},
    }
    part = datasets.split(dataset, 0)
    assert (len(part.train), len(part.validation), len(part.test)) == (184, 61, 153)
