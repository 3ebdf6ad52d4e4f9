"""Values per seed and test image: the same places for all strategies, whatever has ended."""

import numpy as np
import pytest

from tests.scripted import TEST, Scenario, events
from tl_core import pairing
from tl_core.events import RunEnded
from tl_core.record import record
from tl_core.tables import rows

FOUND = record(events())


def test_matrices_have_the_same_places_and_hold_the_runs_hits():
    matrices = pairing.correctness(FOUND)
    assert {m.shape for m in matrices.values()} == {(3, 3 * TEST)}
    for row in rows(FOUND):
        values = matrices[row.strategy]
        assert np.nanmean(values) == pytest.approx(row.test_accuracy)
        # Without a given split every seed tests images of its own.
        assert (~np.isnan(values)).sum(axis=0).tolist() == [1] * 3 * TEST


def test_seeds_share_the_columns_of_a_given_split():
    found = record(events(Scenario(given_split=True)))
    values = pairing.correctness(found)["full_fine_tuning"]
    assert values.shape == (3, TEST) and not np.isnan(values).any()


def test_labels_run_in_parallel_to_the_images():
    images, labels = pairing.test_images(FOUND), pairing.test_labels(FOUND)
    assert (np.array(images) % 10 == labels).all()


def test_a_difference_is_over_the_seeds_that_both_have():
    cut = [
        event
        for event in events()
        if not (isinstance(event, RunEnded) and event.run_id == "from_scratch-2-final")
    ]
    found = record(cut)
    a, b = (pairing.matrix(found, name) for name in ("feature_extraction", "from_scratch"))
    assert np.isnan(b[2]).all() and not np.isnan(a[2]).all()
    both = pairing.difference(a, b)
    assert both.value == pytest.approx(np.nanmean(a[:2]) - np.nanmean(b[:2]))
    assert both.low <= both.value <= both.high


def test_nothing_in_common_is_no_difference():
    first, second = np.full((2, 2), np.nan), np.full((2, 2), np.nan)
    first[0], second[1] = 1.0, 1.0
    assert pairing.difference(first, second) is None


def test_what_was_not_kept_is_none():
    assert pairing.matrix(FOUND, "custom") is None
    assert pairing.matrix(FOUND, "full_fine_tuning", lambda ended: None) is None
