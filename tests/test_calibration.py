"""Temperature, reliability and intervals of calibration errors."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from tl_core import metrics, stats
from tl_core.calibration import (
    TEMPERATURES,
    calibration_summary,
    fit_temperature,
    reliability,
    with_temperature,
)


def drawn(images=150, sharpness=1.0, seed=0):
    """Probabilities and labels drawn from them before they are sharpened: above 1 too sure."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(images, 5))
    below = rng.random((images, 1)) > softmax(logits, axis=1).cumsum(axis=1)
    return softmax(sharpness * logits, axis=1), np.minimum(below.sum(axis=1), 4)


def test_golden_temperature(golden, golden_inputs):
    logits, labels = golden_inputs["ece_logits"], golden_inputs["ece_labels"]
    found = fit_temperature(log_softmax(logits, axis=1), labels)
    assert found == pytest.approx(golden["ece/logits/temperature_opt"]["value"], rel=1e-4)
    scaled = np.exp(with_temperature(log_softmax(logits, axis=1), found))
    expected = golden["ece/logits/nll_at_T"]["value"]
    assert metrics.log_loss(scaled, labels) == pytest.approx(expected, rel=1e-6)
    error = metrics.expected_calibration_error(scaled.max(1), scaled.argmax(1) == labels)
    assert error == pytest.approx(golden["ece/logits/ece15_at_T"]["value"], rel=1e-4)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_undoes_sharpening(sharpness):
    probabilities, labels = drawn(4000, sharpness)
    found = fit_temperature(np.log(probabilities), labels)
    assert found == pytest.approx(sharpness, rel=0.06)
    scaled = with_temperature(np.log(probabilities), found)
    assert np.exp(scaled).sum(axis=1) == pytest.approx(1)
    assert (scaled.argmax(axis=1) == probabilities.argmax(axis=1)).all()


def test_temperature_is_capped_where_there_is_nothing_to_weigh():
    logs = np.log([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature(logs, [0, 1]) == TEMPERATURES[0]
    assert fit_temperature(logs, [1, 0]) == TEMPERATURES[1]


def test_temperature_bears_probabilities_rounded_to_zero():
    with np.errstate(divide="ignore"):
        logs = np.log(np.array([[1.0, 0.0], [0.0, 1.0], [0.7, 0.3]]))
    assert np.isfinite(fit_temperature(logs, [0, 0, 0]))
    assert np.isfinite(with_temperature(logs, 2.0)).all()


def test_reliability_bins_hold_every_image_once():
    probabilities, labels = drawn()
    confidences, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = reliability(confidences, correct)
    assert sum(found.images for found in bins) == 150
    error = sum(found.images * abs(found.confidence - found.accuracy.value) for found in bins) / 150
    assert error == pytest.approx(metrics.expected_calibration_error(confidences, correct))
    for found in bins:
        assert found.low < found.confidence <= found.high
        ends = stats.wilson(found.accuracy.value, found.images)
        assert (found.accuracy.low, found.accuracy.high) == ends
    assert [found.low for found in bins] == sorted(found.low for found in bins)


def test_summary_gives_the_metrics_within_their_intervals():
    probabilities, labels = drawn(sharpness=3)
    found = calibration_summary(probabilities, labels)
    confidences, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = {
        "expected_calibration_error": metrics.expected_calibration_error(confidences, correct),
        "signed_gap": metrics.signed_calibration_gap(confidences, correct),
        "log_loss": metrics.log_loss(probabilities, labels),
        "brier": metrics.brier_score(probabilities, labels),
    }
    for name, value in expected.items():
        interval = getattr(found, name)
        assert interval.value == pytest.approx(value)
        assert interval.low <= interval.value <= interval.high
        assert interval.low < interval.high
    assert found.images == 150
    assert found == calibration_summary(probabilities, labels)
    assert found != calibration_summary(probabilities, labels, seed=1)


def test_summary_tells_over_confidence_from_too_few_images():
    calibrated = calibration_summary(*drawn(60))
    # Far from 0, and yet no more than a perfectly calibrated model would show.
    assert calibrated.expected_calibration_error.value > 0.05
    assert calibrated.expected_calibration_error.value < calibrated.if_calibrated.high
    assert calibrated.expected_calibration_error.low == 0
    assert calibrated.signed_gap.contains_zero
    sure = calibration_summary(*drawn(200, sharpness=4))
    assert sure.expected_calibration_error.low > 0
    assert sure.expected_calibration_error.value > sure.if_calibrated.high
    assert sure.signed_gap.low > 0
    assert calibration_summary(*drawn(300, sharpness=0.3)).signed_gap.high < 0


def test_summary_of_a_few_images_shrinks_with_more():
    nulls = [calibration_summary(*drawn(images)).if_calibrated.value for images in (40, 400, 4000)]
    assert nulls[0] > 2 * nulls[1] > 4 * nulls[2] > 0


@pytest.mark.parametrize("sharpness", [1.0, 1.5])
def test_interval_of_the_calibration_error_covers_the_truth(sharpness):
    """The truth of a calibrated model is 0; of a sharpened one it is measured on many images."""
    truth = 0.0
    if sharpness != 1:
        probabilities, labels = drawn(200_000, sharpness, seed=99)
        truth = metrics.expected_calibration_error(
            probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        )
    covered = 0
    for seed in range(100):
        found = calibration_summary(*drawn(150, sharpness, seed), resamples=200)
        interval = found.expected_calibration_error
        covered += interval.low <= truth <= interval.high
    assert covered >= 85


@pytest.mark.parametrize("function", [fit_temperature, calibration_summary])
@pytest.mark.parametrize(
    ("scores", "labels", "says"),
    [
        ([[0.5, 0.5]], [0, 1], "one label an image"),
        ([0.5, 0.5], [0, 1], "one label an image"),
        (np.empty((0, 2)), [], "one label an image"),
        ([[0.5, 0.5]], [2], "classes from 0 to 1"),
        ([[0.5, np.nan]], [0], "not numbers"),
    ],
)
def test_what_does_not_belong_together_is_refused(function, scores, labels, says):
    with pytest.raises(ValueError, match=says):
        function(scores, labels)


def test_logits_are_no_probabilities():
    with pytest.raises(ValueError, match="softmax"):
        calibration_summary([[3.0, -1.0]], [0])
    with pytest.raises(ValueError, match="softmax"):
        reliability([1.5], [True])
