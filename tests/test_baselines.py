"""Baselines: what needs no training."""

import numpy as np
import pytest

from tl_core import baselines
from tl_core.datasets import Split

FEATURES = np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 0.5], [0.1, 3.0], [0.2, 0.1], [0.0, 0.0]])
LABELS = np.array([0, 1, 0, 1, 1, 1])


def test_nearest_neighbour_looks_at_direction_not_length():
    found = baselines.nearest_neighbour(FEATURES, LABELS, train=(0, 1), test=(2, 3, 4))
    assert found.tolist() == [0, 1, 0]


def test_majority_gives_ties_to_the_class_that_is_rarest_in_the_test_part():
    assert baselines.majority(LABELS, train=(0, 1), test=(2, 3, 4)).tolist() == [0, 0, 0]


def test_measured_over_seeds_with_an_interval():
    parts = [
        Split(train=(0, 1), validation=(), test=(2, 3, 4)),
        Split(train=(0, 1, 4), validation=(), test=(2, 3)),
    ]
    majority, neighbour = baselines.measure(LABELS, FEATURES, parts)
    assert (majority.name, neighbour.name) == ("majority_class", "nearest_neighbour")
    assert majority.test_accuracy == pytest.approx((1 + 1) / 5)
    assert neighbour.test_accuracy == pytest.approx(4 / 5)
    assert neighbour.balanced_accuracy == pytest.approx((0.75 + 1.0) / 2)
    assert neighbour.ci_low < neighbour.test_accuracy < neighbour.ci_high


def test_an_image_without_features_is_no_error():
    found = baselines.nearest_neighbour(FEATURES, LABELS, train=(0, 5), test=(5,))
    assert found.tolist() == [1]
