import numpy as np
import pytest
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
