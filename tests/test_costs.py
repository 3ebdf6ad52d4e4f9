"""What mistakes cost: thresholds from validation alone, ties as everywhere, nothing for certain."""

import numpy as np
import pytest

from tests.scripted import Scenario, events
from tl_core import pairing, predictions
from tl_core.costs import best_threshold, costs
from tl_core.record import record

FOUND = record(events())
NAMES = {s.name for s in FOUND.strategies}


def brute(scores: np.ndarray, positive: np.ndarray, factor: float, threshold: float) -> float:
    alarms = scores >= threshold
    return factor * (positive & ~alarms).sum() + (~positive & alarms).sum()


@pytest.mark.parametrize("factor", [0.2, 1.0, 5.0, 50.0])
def test_no_threshold_is_cheaper_on_validation(factor: float):
    rng = np.random.default_rng(1)
    for _ in range(20):
        positive = rng.random(40) < 0.3
        scores = np.clip(rng.normal(np.where(positive, 0.6, 0.4), 0.2), 0, 1).round(2)
        found = best_threshold(scores, positive, factor)
        every = [brute(scores, positive, factor, t) for t in (*np.unique(scores), 0.0, 1.1)]
        assert brute(scores, positive, factor, found) == min(every)


def test_among_equals_the_threshold_of_calibrated_probabilities_is_taken():
    scores, positive = np.array([0.01, 0.02, 0.98, 0.99]), np.array([False, False, True, True])
    assert best_threshold(scores, positive, 1.0) == 0.5
    assert best_threshold(scores, positive, 9.0) == pytest.approx(0.1)
    # 1 / 101 would raise a false alarm: the next above it.
    assert 0.02 < best_threshold(scores, positive, 100.0) <= 0.98


def test_misses_and_false_alarms_are_counted_on_the_test_images():
    found = {one.strategy: one for one in costs(FOUND, 3, 5.0)}
    assert set(found) == NAMES | {"always", "never"}
    for name in NAMES:
        one, missed, false, total = found[name], 0, 0, 0
        for run in FOUND.final(name).values():
            part = predictions.tested(run)
            alarms = part.probabilities[:, 3] >= one.threshold
            missed += int((~alarms & (part.labels == 3)).sum())
            false += int((alarms & (part.labels != 3)).sum())
            total += len(part.labels)
        assert one.misses.value == pytest.approx(1000 * missed / total)
        assert one.false_alarms.value == pytest.approx(1000 * false / total)
        assert one.expected.value == pytest.approx(1000 * (5 * missed + false) / total)
        assert one.expected.low <= one.expected.value < one.expected.high


def test_the_threshold_is_of_the_validation_images_of_all_seeds():
    name = "full_fine_tuning"
    parts = [predictions.validated(run) for run in FOUND.final(name).values()]
    scores = np.concatenate([part.probabilities[:, 3] for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    one = next(one for one in costs(FOUND, 3, 5.0) if one.strategy == name)
    assert one.threshold == best_threshold(scores, labels == 3, 5.0)


def test_the_cheapest_comes_first_and_differences_are_paired_to_it():
    found = [one for one in costs(FOUND, 3, 5.0) if one.strategy in NAMES]
    assert found[0].difference.value == 0 and found[0].tied
    values = [one.expected.value for one in found]
    assert values == sorted(values)
    for one in found[1:]:
        gap = one.expected.value - found[0].expected.value
        assert one.difference.value == pytest.approx(gap)
        assert one.tied == one.difference.contains_zero


def test_always_and_never_raising_an_alarm_cost_what_the_class_shares_say():
    found = {one.strategy: one for one in costs(FOUND, 3, 5.0)}
    share = (pairing.test_labels(FOUND) == 3).mean()
    assert found["never"].expected.value == pytest.approx(5000 * share)
    assert found["always"].expected.value == pytest.approx(1000 * (1 - share))
    assert found["never"].threshold is found["always"].threshold is None
    assert found["never"].tied is None
    best = costs(FOUND, 3, 5.0)[0].expected.value
    assert found["never"].difference.value == pytest.approx(5000 * share - best)
    assert found["never"].difference.low > 0


def test_a_dearer_miss_never_means_more_misses_on_validation():
    for name in NAMES - {"zero_shot"}:
        thresholds = [
            next(one for one in costs(FOUND, 3, k) if one.strategy == name).threshold
            for k in (1.0, 10.0, 100.0)
        ]
        assert thresholds == sorted(thresholds, reverse=True)


def test_what_was_not_kept_or_not_tested_has_no_cost():
    assert costs(record(events(Scenario(kept=False))), 3, 5.0) == []
    assert costs(FOUND, 10, 5.0) == []
