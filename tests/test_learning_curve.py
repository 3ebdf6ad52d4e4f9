"""Learning curves: known laws are found again, intervals cover, and nothing is said too far."""

import numpy as np
import pytest

from tests import simulated, sweeps
from tl_core import power_law
from tl_core.learning_curve import gain_sentence, learning_curves, next_step
from tl_core.sweep_frame import COLUMNS, sweep_frame

SIZES = (2.0, 5.0, 10.0, 20.0, 40.0)
PROBE, TUNED = "feature_extraction", "full_fine_tuning"


@pytest.mark.parametrize(
    ("a", "b", "c"), [(0.05, 0.4, 0.5), (0.0, 0.6, 0.3), (0.2, 0.3, 1.5), (0.3, 0.0, 1.0)]
)
def test_a_law_without_noise_is_found_again(a, b, c):
    sizes = np.array(SIZES)
    errors = a + b * (sizes / sizes[0]) ** -c
    (found,), (squares,) = power_law.fitted(sizes, errors[None], np.ones(len(sizes)))
    assert squares < 1e-5
    further = np.array([80.0])
    expected = a + b * (further / sizes[0]) ** -c
    assert power_law.errors_at(found[None], further, sizes[0])[0] == pytest.approx(
        expected, abs=0.01
    )


def test_coefficients_stay_in_their_bounds():
    sizes, rng = np.array(SIZES), np.random.default_rng(0)
    errors = rng.uniform(0, 1, (200, len(sizes)))
    found, squares = power_law.fitted(sizes, errors, rng.uniform(0.5, 2.0, len(sizes)))
    assert (found[:, :2] >= 0).all() and np.isfinite(squares).all()
    assert set(found[:, 2]) <= set(power_law.EXPONENTS)


def test_the_best_of_the_bounded_fits_is_taken():
    """Held against a search by another method."""
    from scipy.optimize import nnls

    sizes, rng = np.array(SIZES), np.random.default_rng(1)
    weights = rng.uniform(0.5, 2.0, len(sizes))
    for errors in rng.uniform(0, 1, (20, len(sizes))):
        _, (squares,) = power_law.fitted(sizes, errors[None], weights)
        root = np.sqrt(weights)
        others = [
            nnls(
                root[:, None] * np.column_stack([np.ones_like(sizes), (sizes / 2) ** -c]),
                root * errors,
            )[1]
            ** 2
            for c in power_law.EXPONENTS
        ]
        assert squares == pytest.approx(min(others), rel=1e-6)


def rising(reached=(0.5, 0.66, 0.74, 0.81, 0.86)):
    return {
        size: {TUNED: sweeps.exact(accuracy), PROBE: sweeps.exact(0.8)}
        for size, accuracy in zip(SIZES, reached, strict=True)
    }


def test_more_labels_buy_what_the_law_says():
    found = sweeps.over(rising())
    probe, tuned = sorted(learning_curves(found), key=lambda one: one.strategy)
    assert tuned.sizes == SIZES and tuned.measured[0].value == 0.5
    gain = tuned.fit.gain(40, 20)
    assert 0.5 < gain.low < gain.value < gain.high < 8
    assert next_step(tuned) == 20
    assert gain_sentence(tuned).startswith(
        f"Full fine-tuning: 20 more images per class buy about {gain.value:.1f} points ("
    )
    assert "between nothing and" in gain_sentence(probe)
    assert "the interval holds 0." in gain_sentence(probe)


def test_a_curve_that_is_level_already_promises_nothing():
    level = {size: {TUNED: sweeps.exact(0.7 if size == 2 else 0.9)} for size in SIZES}
    (curve,) = learning_curves(sweeps.over(level))
    assert "between nothing and" in gain_sentence(curve)


def test_the_band_holds_the_curve_and_ends_where_nothing_is_known():
    curve = next(c for c in learning_curves(sweeps.over(rising())) if c.strategy == TUNED)
    sizes = [size for size, _ in curve.fit.band]
    assert (sizes[0], sizes[-1]) == (2.0, pytest.approx(80.0))
    assert all(one.low <= one.value <= one.high for _, one in curve.fit.band)
    assert all(one.value == curve.fit.accuracy(size).value for size, one in curve.fit.band)
    with pytest.raises(ValueError, match="nothing beyond 80 images per class"):
        gain_sentence(curve, 41)


def test_the_interval_covers_the_truth():
    """Hits drawn from a known law: about 95% of intervals of the gain hold it."""

    def accuracy(size):
        return 0.95 - 0.5 * (size / 2) ** -0.6

    truth = 100 * (accuracy(60.0) - accuracy(40.0))
    held, rounds = 0, 40
    for number in range(rounds):
        points = {
            size: {TUNED: simulated.hits(accuracy(size), 100 * number + place, seeds=1, images=150)}
            for place, size in enumerate(SIZES)
        }
        (curve,) = learning_curves(sweeps.over(points))
        gain = curve.fit.gain(40, 20)
        held += gain.low <= truth <= gain.high
    assert held >= 0.85 * rounds


def test_under_three_sizes_nothing_is_fitted():
    points = {size: {TUNED: sweeps.exact(0.5)} for size in (2.0, 9.0)}
    (curve,) = learning_curves(sweeps.over(points))
    assert curve.fit is None
    assert gain_sentence(curve) == curve.refused
    assert "a curve needs 3 sizes at least, 2 sizes are measured" in curve.refused


def test_one_seed_says_what_its_interval_lacks():
    points = {
        size: {TUNED: sweeps.exact(a, seeds=1)}
        for size, a in zip(SIZES, (0.5, 0.66, 0.74, 0.81, 0.86), strict=True)
    }
    (curve,) = learning_curves(sweeps.over(points))
    assert gain_sentence(curve).endswith("the luck of which images were labelled is not in it.")


def test_what_uses_no_label_has_no_curve():
    points = {size: {"zero_shot": sweeps.exact(0.4), TUNED: sweeps.exact(0.5)} for size in SIZES}
    assert [one.strategy for one in learning_curves(sweeps.over(points))] == [TUNED]


def test_the_table_has_a_row_for_each_strategy_at_each_point():
    frame = sweep_frame(sweeps.over(rising()))
    assert list(frame.columns) == COLUMNS and len(frame) == 10
    tuned = frame[frame["strategy"] == TUNED]
    assert tuned["test_accuracy"].tolist() == pytest.approx([50.0, 66.0, 74.0, 81.0, 86.0])
    assert tuned["value"].tolist() == list(SIZES)
    assert (tuned["ci_low"] < tuned["test_accuracy"]).all()
    assert tuned["forgetting"].isna().all() and not tuned["reused"].any()


def test_a_sweep_that_has_not_come_far_is_an_empty_table():
    found = sweeps.over(rising())
    found.records.clear()
    assert sweep_frame(found).empty and learning_curves(found) == []


def test_a_law_that_misses_the_last_point_is_called_a_rough_guide():
    """Flat, then a jump: no falling power law bends that way."""
    flat = {2.0: 0.3, 5.0: 0.3, 10.0: 0.3, 20.0: 0.3, 40.0: 0.75}
    jump = sweeps.over({size: {TUNED: sweeps.exact(value)} for size, value in flat.items()})
    (curve,) = learning_curves(jump)
    assert curve.misses_last and "rough guide" in gain_sentence(curve)
    level = sweeps.over({size: {TUNED: sweeps.exact(0.5)} for size in flat})
    (curve,) = learning_curves(level)
    assert not curve.misses_last and "rough guide" not in gain_sentence(curve)
