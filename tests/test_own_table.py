"""A user's own attributes from a CSV: matched by file, every fault in words."""

import pytest

from tl_core.datasets import Dataset, ImageRecord
from tl_core.ingest import tabular
from tl_core.limits import BadInput
from tl_core.slices import MAX_ATTRIBUTES, MAX_VALUES, own_table


def dataset(*names: str) -> Dataset:
    images = tuple(
        ImageRecord(
            name=name,
            file=f"{number}.webp",
            label=0,
            part="",
            pixels=str(number),
            width=8,
            height=8,
            mode="RGB",
            frames=1,
        )
        for number, name in enumerate(names)
    )
    return Dataset(name="pets", fingerprint="f", kind="target", classes=("ant",), images=images)


PETS = dataset("pets/ant/1.png", "pets/ant/2.png", "pets/bee/1.png", "pets/bee/3.png")


def read(text: str, data: Dataset = PETS):
    return own_table(tabular.read(text.encode()), data)


def test_files_are_found_by_their_path_or_its_only_ending():
    found = read(
        "file,camera,light\n"
        "pets/ant/1.png,old,day\n"
        "2.png,new,night\n"
        "bee\\1.png,old,\n"
        "./bee/3.png,new,day\n"
    )
    camera, light = found.attributes
    assert (camera.title, light.title) == ("Camera", "Light")
    assert camera.values == ("old", "new", "old", "new")
    assert light.values == ("day", "night", "", "day")
    assert (found.unmatched, found.without) == ((), 0)


def test_unknown_and_ambiguous_files_are_reported_and_the_rest_is_used():
    found = read("image;camera\n1.png;old\nother.png;old\n2.png;new\n;new\n")
    assert found.unmatched == ("1.png", "other.png", "row 5: no file is named")
    assert found.without == 3
    assert found.attributes[0].values == ("", "new", "", "")


def test_labels_and_parts_are_no_attributes():
    (camera,) = read("file,label,split,camera\n2.png,ant,test,old\n").attributes
    assert camera.title == "Camera"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column of files"),
        ("camera,light\nold,day\n", "no column of files"),
        ("file\n2.png\n", "no attributes"),
        ("file,label\n2.png,ant\n", "no attributes"),
        ("file,camera,camera\n2.png,a,b\n", "Two columns are called camera"),
        ("file,camera\nother.png,old\n", "such as pets/ant/1.png"),
        ("file,camera\n2.png,old\nant/2.png,new\n", "row 3: ant/2.png was described otherwise"),
        (
            f"file,{','.join(f'a{n}' for n in range(MAX_ATTRIBUTES + 1))}\n2.png\n",
            f"{MAX_ATTRIBUTES + 1} attributes",
        ),
    ],
)
def test_what_cannot_be_used_says_what_to_change(text: str, words: str):
    with pytest.raises(BadInput, match=words):
        read(text)


def test_numbers_have_to_be_grouped_first():
    many = dataset(*(f"{n}.png" for n in range(MAX_VALUES + 1)))
    lines = "".join(f"{n}.png,{n}\n" for n in range(MAX_VALUES + 1))
    with pytest.raises(BadInput, match=r"age has 13 values; 12 are possible\. Give ranges"):
        read(f"file,age\n{lines}", many)
    assert read(f"file,age\n{lines}"[: -len("12.png,12\n")], many).attributes


def test_the_same_row_twice_is_no_contradiction():
    assert read("file,camera\n2.png,old\n2.png,old\n").without == 3
