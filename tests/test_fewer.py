"""Fewer labels: nested, stratified, and the test part as it was."""

from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from tests.test_datasets import made_up, per_class, plain
from tl_core.datasets import Split, split, split_with, training_counts


def test_as_many_of_each_class_and_the_same_test_part():
    data = made_up(plain({"a": 40, "b": 90, "c": 4}))
    for seed in range(3):
        whole, part = split(data, seed), split_with(data, seed, 5)
        few = per_class(data, whole.train)["c"]
        assert per_class(data, part.train) == {"a": 5, "b": 5, "c": few}
        assert part.test == whole.test and part.left_out == whole.left_out
        assert set(part.train) <= set(whole.train)
        assert set(part.validation) <= set(whole.validation)
        kept, known = per_class(data, part.validation), per_class(data, whole.validation)
        trained = per_class(data, whole.train)
        for name in ("a", "b"):
            assert kept[name] == max(1, round(known[name] * 5 / trained[name]))
        assert kept["c"] == known["c"], "a class that keeps all is validated as before"


def test_images_at_a_size_are_among_those_at_larger_ones():
    data = made_up(plain({"a": 40, "b": 60}))
    for seed in range(3):
        parts = [split_with(data, seed, size) for size in (2, 3, 4, 8, 16, 200)]
        for small, large in pairwise(parts):
            assert set(small.train) < set(large.train)
            assert set(small.validation) <= set(large.validation)
        assert parts[-1] == split_with(data, seed, None) == split(data, seed)


def test_seeds_draw_other_images_and_names_of_files_decide_nothing():
    rows = [(name, "train", pixels) for name, _, pixels in plain({"a": 30, "b": 30})]
    rows += plain({"a": 5, "b": 5}, "test")
    data, again = made_up(rows), made_up(rows, order_seed=1)
    first, second = split_with(data, 0, 4), split_with(data, 1, 4)
    assert first.train != second.train and first.test == second.test
    assert pixels(data, first) == pixels(again, split_with(again, 0, 4))


def pixels(data, part: Split) -> set[str]:
    return {data.images[i].pixels for i in part.train}


def test_what_belongs_together_is_taken_one_after_the_other():
    data = made_up(plain({"a": 40, "b": 40}))
    bursts = tuple(
        tuple(f"{name}{number}" for number in range(start, start + 4))
        for name in "ab"
        for start in range(0, 40, 4)
    )
    data = msgspec.structs.replace(data, together=bursts)
    chosen = pixels(data, split_with(data, 0, 8))
    counts = Counter(len(chosen & set(burst)) for burst in bursts)
    assert counts == {4: 4, 0: 16}


def test_fewer_than_two_images_of_a_class_are_refused():
    with pytest.raises(ValueError, match="2 images of each class"):
        split_with(made_up(plain({"a": 9, "b": 9})), 0, 1)


def test_training_counts_follow_the_classes():
    data = made_up(plain({"a": 20, "b": 40}))
    counts = per_class(data, split(data, 0).train)
    assert training_counts(data) == (counts["a"], counts["b"])
