import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, log_loss

from tl_core import metrics


def test_balanced_accuracy_and_log_loss_match_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 200, p=[0.7, 0.1, 0.1, 0.1])
    probabilities = rng.dirichlet(np.ones(4), 200)
    predictions = probabilities.argmax(axis=1)
    assert metrics.balanced_accuracy(predictions, labels, 4) == pytest.approx(
        balanced_accuracy_score(labels, predictions)
    )
    assert metrics.log_loss(probabilities, labels) == pytest.approx(log_loss(labels, probabilities))


def test_balanced_accuracy_leaves_out_absent_classes():
    assert metrics.balanced_accuracy([0, 0, 1], [0, 0, 0], 3) == pytest.approx(2 / 3)


def test_majority_is_taken_from_training_and_never_flattered():
    assert metrics.majority_accuracy([0, 0, 1], [1, 1, 0, 0]) == 0.5
    assert metrics.majority_accuracy([0, 0, 1], [1, 1, 1, 0]) == 0.25
    assert metrics.majority_accuracy([0, 1], [0, 0, 0, 1]) == 0.25


def test_class_recall_is_nan_without_images():
    recall = metrics.class_recall([0, 1, 1], [0, 0, 1], 3)
    assert recall[:2] == pytest.approx([0.5, 1.0])
    assert np.isnan(recall[2])


@pytest.fixture
def outcomes(golden_inputs):
    """Probabilities, confidences and outcomes of the golden logits."""
    probabilities = softmax(golden_inputs["ece_logits"], axis=1)
    correct = probabilities.argmax(axis=1) == golden_inputs["ece_labels"]
    return probabilities, probabilities.max(axis=1), correct


@pytest.mark.parametrize(
    ("key", "metric", "bins"),
    [
        ("ece15", metrics.expected_calibration_error, 15),
        ("ece10", metrics.expected_calibration_error, 10),
        ("ece20", metrics.expected_calibration_error, 20),
        ("mce15", metrics.maximum_calibration_error, 15),
        ("adaptive15", metrics.adaptive_calibration_error, 15),
    ],
)
def test_golden_calibration_errors(golden, outcomes, key, metric, bins):
    _, confidences, correct = outcomes
    expected = golden[f"ece/logits/{key}"]
    assert metric(confidences, correct, bins) == pytest.approx(
        expected["value"], rel=expected["rtol"]
    )


def test_golden_signed_gap_brier_and_log_loss(golden, golden_inputs, outcomes):
    probabilities, confidences, correct = outcomes
    labels = golden_inputs["ece_labels"]
    expected = {key: golden[f"ece/logits/{key}"]["value"] for key in ("brier", "nll")}
    assert metrics.brier_score(probabilities, labels) == pytest.approx(expected["brier"])
    assert metrics.log_loss(probabilities, labels) == pytest.approx(expected["nll"])
    for key, part in (
        ("mean_conf_minus_acc", slice(None)),
        ("signed_gap_rows_0_299", slice(300)),
        ("signed_gap_rows_300_499", slice(300, None)),
    ):
        found = metrics.signed_calibration_gap(confidences[part], correct[part])
        assert found == pytest.approx(golden[f"ece/logits/{key}"]["value"])
    found = metrics.expected_calibration_error(confidences[:300], correct[:300])
    assert found == pytest.approx(golden["ece/logits/ece15_overconf_rows_0_299"]["value"])


@pytest.mark.parametrize("case", ["edge", "edge2"])
def test_golden_confidences_on_an_edge_stay_in_the_bin_below(golden, golden_inputs, case):
    keys = {"edge": "ece/edge/float64_edges", "edge2": "ece/edge2/float64_conf_float64_edges"}
    found = metrics.expected_calibration_error(
        golden_inputs[f"{case}_conf"], golden_inputs[f"{case}_correct"]
    )
    assert found == pytest.approx(golden[keys[case]]["value"], rel=1e-9)


def test_edges_belong_to_the_bin_below():
    edges = [0.0, 1 / 15, 0.2, 0.6, 0.6000001, 1.0]
    assert metrics.confidence_bin(edges).tolist() == [0, 0, 2, 8, 9, 14]


def test_calibration_errors_of_known_outcomes():
    sure, half = np.ones(10), np.full(10, 0.5)
    right = np.arange(10) < 5
    assert metrics.expected_calibration_error(sure, right) == 0.5
    assert metrics.expected_calibration_error(half, right) == 0.0
    both, outcomes = np.r_[sure, half], np.r_[right, right]
    assert metrics.expected_calibration_error(both, outcomes) == 0.25
    assert metrics.maximum_calibration_error(both, outcomes) == 0.5
    assert metrics.signed_calibration_gap(both, outcomes) == 0.25
    assert metrics.adaptive_calibration_error(both, outcomes, bins=2) == 0.25
    assert metrics.adaptive_calibration_error([0.7], [True]) == pytest.approx(0.3)
    assert metrics.brier_score([[1, 0], [0, 1]], [0, 0]) == 1.0


@pytest.mark.parametrize(
    "metric",
    [
        metrics.signed_calibration_gap,
        metrics.expected_calibration_error,
        metrics.maximum_calibration_error,
        metrics.adaptive_calibration_error,
    ],
)
def test_what_is_no_confidence_is_refused(metric):
    for confidences in ([2.0], [-0.1], [float("nan")]):
        with pytest.raises(ValueError, match="softmax"):
            metric(confidences, [True])
    for confidences, correct in (([0.5], [True, False]), ([], []), ([[0.5]], [[True]])):
        with pytest.raises(ValueError, match="for each image"):
            metric(confidences, correct)
