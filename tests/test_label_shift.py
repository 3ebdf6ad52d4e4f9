"""Class shares: how far apart, estimated from predictions, and accuracy under others."""

import numpy as np
import pytest

from tl_core import metrics, stats
from tl_core.label_shift import (
    accuracy_under_shares,
    bbse,
    class_shares,
    shift_weights,
    total_variation,
    under_shares,
)

RECOGNISED = np.array([[0.8, 0.1, 0.05], [0.15, 0.8, 0.15], [0.05, 0.1, 0.8]])
SHARES = np.array([0.2, 0.5, 0.3])


def predicted(labels, rng):
    """Predictions of a model with the recalls of RECOGNISED."""
    return np.array([rng.choice(3, p=RECOGNISED[:, label]) for label in labels])


def drawn(seed=0, held_out=150, unlabelled=300):
    """Held-out predictions and labels in equal shares, predictions on others in SHARES."""
    rng = np.random.default_rng(seed)
    labels = np.arange(held_out) % 3
    others = rng.choice(3, unlabelled, p=SHARES)
    return predicted(labels, rng), labels, predicted(others, rng)


def test_golden_black_box_shift_estimation(golden, golden_inputs):
    joint, seen = golden_inputs["ls_joint_pred_true"], golden_inputs["ls_target_pred"]
    weights, shares, condition = shift_weights(joint, seen)
    assert weights == pytest.approx(golden["labelshift/bbse_weights"]["value"], rel=1e-6)
    assert shares == pytest.approx(golden["labelshift/bbse_target_prior"]["value"], rel=1e-6)
    assert 1 < condition < 3
    found = total_variation(joint.sum(axis=0), shares)
    assert found == pytest.approx(golden["labelshift/tv"]["value"], rel=1e-6)


def test_total_variation_is_a_distance_between_0_and_1():
    assert total_variation([0.5, 0.5], [0.5, 0.5]) == 0
    assert total_variation([1, 0], [0, 1]) == 1
    assert total_variation([0.7, 0.2, 0.1], [0.2, 0.2, 0.6]) == pytest.approx(0.5)


def test_class_shares_count_absent_classes():
    assert class_shares([0, 0, 2, 0], 4).tolist() == [0.75, 0, 0.25, 0]


def test_estimated_shares_lie_where_they_are():
    found = bbse(*drawn(held_out=3000, unlabelled=6000), classes=3)
    values = np.array([share.value for share in found.shares])
    # Three standard errors with so many images.
    assert values == pytest.approx(SHARES, abs=0.05)
    assert values.sum() == pytest.approx(1)
    assert found.weights == pytest.approx(values * 3)
    assert found.condition == pytest.approx(np.linalg.cond(RECOGNISED), rel=0.1)


def test_intervals_of_shares_cover_the_truth_and_narrow():
    covered = 0
    for seed in range(60):
        found = bbse(*drawn(seed), classes=3, resamples=300)
        pairs = zip(found.shares, SHARES, strict=True)
        covered += sum(share.low <= truth <= share.high for share, truth in pairs)
    assert 160 <= covered <= 179
    few = bbse(*drawn(held_out=30, unlabelled=40), classes=3)
    many = bbse(*drawn(held_out=3000, unlabelled=4000), classes=3)
    for wide, narrow in zip(few.shares, many.shares, strict=True):
        assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_a_model_without_mistakes_is_not_taken_for_sure():
    labels = np.arange(30) % 3
    found = bbse(labels, labels, [0] * 20, classes=3)
    assert [share.value for share in found.shares] == [1, 0, 0]
    assert found.condition == pytest.approx(1)
    assert found.shares[0].low < 0.97
    assert found.shares[1].high > 0.01


def test_negative_solutions_are_clipped_and_the_rest_sums_to_one():
    _, shares, _ = shift_weights(RECOGNISED / 3, [0.96, 0.03, 0.01])
    assert shares.tolist() == [1, 0, 0]


def test_what_cannot_be_estimated_is_refused():
    labels = np.arange(90) % 3
    guesses = np.random.default_rng(0).permutation(labels)
    guesses[labels == 2] = 0
    with pytest.raises(ValueError, match="class 2 is recognised in 0% of its images"):
        bbse(np.where(labels == 1, 1, 0), labels, guesses, classes=3)
    with pytest.raises(ValueError, match="Class 3 has no held-out image"):
        bbse(labels, labels, guesses, classes=4)
    with pytest.raises(ValueError, match="one prediction and one label"):
        bbse(labels[:5], labels, guesses, classes=3)
    with pytest.raises(ValueError, match="from 0 to 1"):
        bbse(labels, labels, guesses, classes=2)
    with pytest.raises(ValueError, match="no labels"):
        bbse(labels, labels, [], classes=3)


def test_rare_held_out_classes_do_not_look_ill_conditioned():
    held_out = np.array([0.98, 0.01, 0.01])
    assert np.linalg.cond(RECOGNISED * held_out) > 50
    _, shares, condition = shift_weights(RECOGNISED * held_out, RECOGNISED @ SHARES)
    assert condition < 5
    assert shares == pytest.approx(SHARES)


def test_accuracy_under_other_shares():
    recalls = [0.9, 0.5, 0.7]
    assert under_shares(recalls, [1, 0, 0]) == 0.9
    assert under_shares(recalls, [0.5, 0.5, 0]) == pytest.approx(0.7)
    assert under_shares([0.9, np.nan, 0.7], [0.5, 0, 0.5]) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="Class 1 has a share but no test image"):
        under_shares([0.9, np.nan, 0.7], SHARES)
    with pytest.raises(ValueError, match="2 recalls and 3 shares"):
        under_shares([0.9, 0.5], SHARES)


def test_accuracy_under_its_own_shares_is_the_accuracy():
    predictions, labels, _ = drawn()
    correct = predictions == labels
    found = accuracy_under_shares(correct, labels, class_shares(labels, 3))
    assert found.value == pytest.approx(metrics.accuracy(predictions, labels))
    low, high = stats.wilson(found.value, len(labels))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)
    balanced = accuracy_under_shares(correct[30:], labels[30:], np.full(3, 1 / 3))
    expected = metrics.balanced_accuracy(predictions[30:], labels[30:], 3)
    assert balanced.value == pytest.approx(expected)


def test_interval_under_shares_is_wide_where_the_frequent_class_has_few_images():
    labels = np.repeat([0, 1], [100, 5])
    correct = np.ones(105)
    common, rare = (accuracy_under_shares(correct, labels, share) for share in ([1, 0], [0, 1]))
    assert common.value == rare.value == common.high == rare.high == 1
    assert 0.5 < rare.low < 0.8 < 0.95 < common.low < 1
    with pytest.raises(ValueError, match="one outcome and one label"):
        accuracy_under_shares(correct[1:], labels, [0.5, 0.5])


@pytest.mark.parametrize("shares", [[0.5, 0.4], [1.5, -0.5], [np.nan, 1], [[1.0]]])
def test_what_is_no_share_is_refused(shares):
    with pytest.raises(ValueError, match="sum to 1"):
        total_variation(shares, [0.5, 0.5])


def test_other_classes_do_not_compare():
    with pytest.raises(ValueError, match="2 and of 3 classes"):
        total_variation([0.5, 0.5], SHARES)
