"""Data sets changed by a user: new ones that leave the original alone."""

import os
import shutil

import numpy as np
import pytest

from tests.pictures import png, uploads
from tl_core import datasets, ingest
from tl_core.datasets import Dataset
from tl_core.ingest import BadInput, edits


def bring(parts: bool = False, each: int = 6) -> Dataset:
    files = {}
    for name in ("ant", "bee"):
        for number in range(each):
            folder = f"{'test' if number < 2 else 'train'}/{name}" if parts else name
            files[f"pets/{folder}/{number}.png"] = png(len(files))
    return ingest.ingest_files(uploads(files), name="pets")


def place(data: Dataset, pixels: str) -> int:
    return next(i for i, image in enumerate(data.images) if image.pixels == pixels)


def test_dropping_makes_another_set_and_leaves_the_original(home):
    data = bring()
    fewer = edits.drop(data, [0, 7])
    gone = {data.images[0].pixels, data.images[7].pixels}
    assert {image.pixels for image in data.images} - {i.pixels for i in fewer.images} == gone
    assert fewer.edited_from == data.fingerprint
    assert fewer.edits == ("Dropped: 2 images.",)
    assert datasets.load(data.fingerprint) == data
    assert datasets.successor(data.fingerprint) == fewer
    assert datasets.successor(fewer.fingerprint) is None
    assert (datasets.pixels(fewer, 0) == datasets.pixels(data, 1)).all()
    datasets.thumbnail(fewer, 0)


def test_order_of_edits_does_not_matter(home):
    data = bring()
    moved, gone = data.images[0].pixels, data.images[3].pixels
    relabelled = edits.relabel(data, {0: 1})
    one = edits.drop(relabelled, [place(relabelled, gone)])
    fewer = edits.drop(data, [3])
    other = edits.relabel(fewer, {place(fewer, moved): 1})
    assert other.fingerprint == one.fingerprint
    assert other.images == one.images
    assert gone not in [image.pixels for image in one.images]
    assert sum(image.label for image in one.images) == 7


def test_undone_by_hand_is_the_original_again(home):
    data = bring()
    changed = edits.relabel(data, {0: 1})
    back = edits.relabel(changed, {place(changed, data.images[0].pixels): 0})
    assert back.fingerprint == data.fingerprint


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_never_divided(home, seed):
    data = bring(each=20)
    groups = [(0, 5, 9), (9, 12), (21, 30)]
    tied = edits.keep_together(data, groups)
    assert tied.fingerprint != data.fingerprint
    split = datasets.split(tied, seed)
    for group in ({0, 5, 9, 12}, {21, 30}):
        wanted = {data.images[index].pixels for index in group}
        for part in (split.train, split.validation, split.test):
            inside = {tied.images[index].pixels for index in part} & wanted
            assert inside in (set(), wanted)


def test_a_given_split_keeps_the_test_copy_and_leaves_the_others_out(home):
    data = bring(parts=True, each=8)
    test = next(i for i, image in enumerate(data.images) if image.part == "test")
    train = next(i for i, image in enumerate(data.images) if image.part == "train")
    split = datasets.split(edits.keep_together(data, [(test, train)]), 0)
    assert test in split.test
    assert split.left_out == (train,)


def test_dropping_one_of_a_group_frees_the_other(home):
    tied = edits.keep_together(bring(), [(0, 1)])
    assert edits.drop(tied, [place(tied, tied.together[0][0])]).together == ()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda data: edits.drop(data, range(6)), "fewer than 4 different images: 'ant' \\(0\\)"),
        (lambda data: edits.relabel(data, {0: 1, 1: 1, 2: 1}), "'ant' \\(3\\)"),
        (lambda data: edits.drop(data, []), "Nothing was changed"),
        (lambda data: edits.relabel(data, {0: 0}), "Nothing was changed"),
        (lambda data: edits.keep_together(data, [(0,)]), "Nothing was changed"),
    ],
)
def test_what_would_break_the_data_is_refused_and_nothing_is_kept(home, edit, words):
    data = bring()
    with pytest.raises(BadInput, match=words):
        edit(data)
    assert datasets.all_datasets() == [data]


def test_the_original_can_go_and_files_are_found_again(home):
    data = bring()
    fewer = edits.drop(data, [0])
    datasets.delete(data.fingerprint)
    datasets.pixels(fewer, 0)
    again = bring()
    assert again.fingerprint == data.fingerprint
    assert again.edited_from == ""


def test_without_links_files_are_copied(home, monkeypatch):
    def refuse(source: object, target: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    data = bring()
    second = datasets.pixels(data, 1)
    fewer = edits.drop(data, [0])
    shutil.rmtree(data.folder)
    assert np.array_equal(datasets.pixels(fewer, 0), second)


def test_a_missing_file_is_said(home):
    data = bring()
    (data.folder / data.images[3].file).unlink()
    with pytest.raises(BadInput, match="missing"):
        edits.drop(data, [0])
