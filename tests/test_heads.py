import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tl_core import heads


def blobs(images: int, features: int, classes: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    centres = rng.normal(size=(classes, features))
    return (centres[labels] + 1.5 * rng.normal(size=(images, features))).astype(np.float32), labels


def solve(x, y, train, validation, classes):
    """One probe on rows of one feature matrix."""
    return heads.convex_probes(x, y, [heads.ProbeTask(train, validation)], classes)[0]


@pytest.mark.parametrize(("features", "classes"), [(5, 2), (5, 4), (200, 3)])
def test_probe_is_the_regression_scikit_learn_finds(monkeypatch, features, classes):
    """Also with fewer images than features, where we solve in the span of the images."""
    monkeypatch.setattr(heads, "PENALTIES", np.array([3.0]))
    x, y = blobs(60, features, classes)
    probe = solve(x, y, range(60), range(60), classes)
    z = (x - x.mean(0)) / x.std(0)
    reference = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=10_000).fit(z, y)
    expected = reference.predict_proba(z)
    if classes == 2:  # scikit-learn's binary model has half the parameters, and half the penalty
        reference = LogisticRegression(C=2 / 3.0, tol=1e-10, max_iter=10_000).fit(z, y)
        expected = reference.predict_proba(z)
    assert probe.probabilities(x) == pytest.approx(expected, abs=2e-3)
    assert probe.gradient < heads.GRADIENT_TOLERANCE


def test_probe_prefers_a_strong_penalty_when_features_say_nothing():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 50)).astype(np.float32), np.arange(80) % 2
    probe = solve(x, y, range(40), range(40, 80), 2)
    assert probe.penalty >= 1e3
    assert np.abs(probe.probabilities(x) - 0.5).max() < 0.2


def test_a_balanced_probe_is_the_regression_scikit_learn_finds_with_class_weights(monkeypatch):
    monkeypatch.setattr(heads, "PENALTIES", np.array([3.0]))
    x, y = blobs(90, 6, 3)
    y = np.where((y == 2) & (np.arange(90) % 5 > 0), 1, y)
    probe = heads.convex_probes(x, y, [heads.ProbeTask(range(90), range(90))], 3, balanced=True)[0]
    z = (x - x.mean(0)) / x.std(0)
    reference = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=10_000, class_weight="balanced")
    assert probe.probabilities(x) == pytest.approx(reference.fit(z, y).predict_proba(z), abs=2e-3)
    plain = solve(x, y, range(90), range(90), 3)
    rare = y == 2
    assert probe.probabilities(x)[rare, 2].mean() > plain.probabilities(x)[rare, 2].mean() + 0.1


def test_class_weights_give_every_class_the_same_say():
    labels = np.array([0] * 6 + [2] * 2)
    weights = heads.class_weights(labels, 3)
    assert weights == pytest.approx([8 / 12, 0.0, 8 / 4])
    assert weights[labels].mean() == pytest.approx(1.0)


def test_probe_learns_and_constant_features_do_not_hurt():
    x, y = blobs(120, 8, 3)
    x = np.hstack([x, np.ones((120, 2), dtype=np.float32)])
    probe = solve(x, y, range(80), range(80, 120), 3)
    assert (probe.probabilities(x).argmax(1) == y).mean() > 0.7


def test_unconverged_probe_is_an_error(monkeypatch):
    monkeypatch.setattr(heads, "GRADIENT_TOLERANCE", 1e-16)
    x, y = blobs(30, 4, 2)
    with pytest.raises(RuntimeError, match="did not converge"):
        solve(x, y, range(30), range(30), 2)


@pytest.mark.parametrize("penalty", [100.0, 1.0])
def test_probes_solved_together_are_those_solved_alone(penalty, monkeypatch):
    """Seeds and amounts of data: other rows, other numbers of rows, fewer rows than features."""
    monkeypatch.setattr(heads, "PENALTIES", np.array([penalty]))
    x, y = blobs(150, 60, 3)
    rows = np.random.default_rng(1).permutation(150)
    tasks = [
        heads.ProbeTask(rows[:100], rows[100:]),
        heads.ProbeTask(rows[50:], rows[:50]),
        heads.ProbeTask(rows[:20], rows[100:]),
    ]
    together = heads.convex_probes(x, y, tasks, 3)
    for task, found in zip(tasks, together, strict=True):
        alone = solve(x, y, task.train, task.validation, 3)
        assert found.gradient < heads.GRADIENT_TOLERANCE
        assert found.probabilities(x) == pytest.approx(alone.probabilities(x), abs=2e-3)


def test_large_probes_are_solved_in_groups_with_the_same_result(monkeypatch):
    x, y = blobs(90, 10, 3)
    tasks = [heads.ProbeTask(range(k, k + 40), range(60, 90)) for k in (0, 5, 10)]
    together = heads.convex_probes(x, y, tasks, 3)
    monkeypatch.setattr(heads, "LARGEST_BATCH", 1)
    for first, second in zip(together, heads.convex_probes(x, y, tasks, 3), strict=True):
        assert first.penalty == second.penalty
        assert first.probabilities(x) == pytest.approx(second.probabilities(x), abs=2e-3)


def test_the_path_stops_only_where_the_choice_is_made(monkeypatch):
    for seed in range(3):
        x, y = blobs(80, 30, 4, seed)
        early = solve(x, y, range(50), range(50, 80), 4)
        with monkeypatch.context() as patch:
            patch.setattr(heads, "BEYOND", len(heads.PENALTIES))
            whole = solve(x, y, range(50), range(50, 80), 4)
        assert early.penalty == whole.penalty


def test_zero_shot_sums_mapped_source_probabilities():
    p = np.array([[0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]])
    scores = heads.zero_shot_probabilities(np.log(p), {"a": (0,), "b": (1, 2)}, ["a", "b", "c"])
    assert scores[0] == pytest.approx([0.5 / 0.9, 0.4 / 0.9, 0.0])
    assert scores.argmax(1).tolist() == [0, 1]


def test_head_stays_in_float32_under_autocast():
    head = heads.Head(4, 2).eval()
    features = torch.randn(3, 4)
    with torch.autocast("cpu", torch.bfloat16):
        logits = head(features)
    assert logits.dtype == torch.float32
    assert torch.equal(logits, head(features))
