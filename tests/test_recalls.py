"""Accuracy under other class shares: the sum of shares times recalls, with honest intervals."""

import numpy as np
import pytest

from tests.scripted import CLASSES, Scenario, events
from tests.simulated import IMAGES, comparison, hits
from tl_core import metrics
from tl_core.recalls import recalls
from tl_core.record import record
from tl_core.tables import rows

FOUND = record(events())
FULL = "full_fine_tuning"
LABELS = (np.arange(IMAGES) % 4 == 0).astype(int)


def of(found, strategy: str = FULL):
    return next(one for one in recalls(found) if one.strategy == strategy)


def test_recalls_are_those_of_the_pooled_test_images():
    runs = FOUND.final(FULL).values()
    predicted = np.concatenate([run.result.test_predictions for run in runs])
    labels = np.concatenate([run.result.test_labels for run in runs])
    wanted = metrics.class_recall(predicted, labels, len(CLASSES))
    found = of(FOUND)
    assert [one.value for one in found.classes] == pytest.approx(wanted)
    assert all(one.low <= one.value <= one.high for one in found.classes)
    assert found.balanced.value == pytest.approx(wanted.mean())


def test_the_test_parts_own_shares_give_the_accuracy_back():
    for found in (FOUND, record(events(Scenario(seeds=1)))):
        shares = np.full(len(CLASSES), 1 / len(CLASSES))
        for row in rows(found):
            accuracy = of(found, row.strategy).under(shares)
            assert accuracy.value == pytest.approx(row.test_accuracy)
            assert accuracy.low < accuracy.value < accuracy.high


def test_only_the_named_class_counts():
    right = hits(0.9, 1)
    right[:, LABELS == 1] = 0.0
    found = of(comparison({FULL: right}, LABELS))
    assert found.under([0.0, 1.0]).value == 0.0
    assert found.under([1.0, 0.0]).value == pytest.approx(right[:, LABELS == 0].mean())
    half = found.under([0.5, 0.5])
    assert half.value == pytest.approx(found.balanced.value)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_class_without_a_mistake_is_not_certain(seeds: int):
    found = of(comparison({FULL: np.ones((seeds, IMAGES))}, LABELS))
    rare = found.under([0.0, 1.0])
    assert rare.value == rare.high == 1.0 and 0.8 < rare.low < 1.0
    assert found.under([0.5, 0.5]).low > rare.low


def test_intervals_find_the_truth():
    covered = 0
    for number in range(60):
        right = hits(0.85, 100 * number, seeds=2)
        found = of(comparison({FULL: right}, LABELS)).under([0.3, 0.7])
        covered += found.low <= 0.85 <= found.high
    assert covered >= 54


def test_a_class_without_test_images_can_have_no_share():
    found = of(comparison({FULL: hits(0.9, 1)}, np.zeros(IMAGES, int)))
    assert found.classes[1] is None
    assert found.under([1.0, 0.0]).value == found.balanced.value
    with pytest.raises(ValueError, match="no test image"):
        found.under([0.5, 0.5])
