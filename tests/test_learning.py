"""Curves in words, starts that came to nothing, the spread of trials."""

import pytest

from tests.scripted import EPOCHS, VALIDATION, Scenario, events
from tl_core.learning import Curve, curve, curve_words, curves, starts, trials
from tl_core.record import record

FOUND = record(events())


def made(*accuracies: float, seeds: int = 1, images: int = 60) -> Curve:
    steps = tuple(range(len(accuracies)))
    return Curve("x", "X", seeds, images, steps, tuple(map(float, steps)), accuracies)


def test_a_curve_is_the_mean_over_seeds():
    found = {one.strategy: one for one in curves(FOUND)}
    assert set(found) == {"partial_fine_tuning", "full_fine_tuning", "from_scratch"}
    full = found["full_fine_tuning"]
    runs = FOUND.final("full_fine_tuning").values()
    last = [run.curve[-1].validation_accuracy for run in runs]
    assert full.accuracies[-1] == pytest.approx(sum(last) / 3)
    assert (full.seeds, full.images, len(full.steps)) == (3, VALIDATION, EPOCHS + 1)
    probe = next(s for s in FOUND.strategies if s.solver == "convex")
    assert curve(FOUND, probe) is None


def test_words_only_after_a_fall_of_more_than_one_standard_error():
    # One standard error of 93% on 60 images is 3.3 points.
    assert curve_words(made(0.1, 0.93, 0.90)) is None
    assert curve_words(made(0.1, 0.93, 0.88)) == (
        "validation has fallen since epoch 1 (from 93.0% to 88.0%)"
    )
    assert "mean over 3 seeds" in curve_words(made(0.1, 0.93, 0.88, seeds=3))
    assert curve_words(made(0.1, 0.93, 0.90, images=400)) is not None


def test_before_training_is_no_best_epoch():
    worse = made(0.95, 0.6, 0.7)
    assert worse.best == 2 and not worse.fell
    assert made(0.5).best == 0 and curve_words(made(0.5)) is None


def test_starts_count_what_came_to_nothing():
    found = {one.strategy: one for one in starts(record(events(Scenario(fails="from_scratch"))))}
    assert found["from_scratch"].failed == 2  # at equal steps and at its own
    assert found["from_scratch"].runs == 6
    assert found["full_fine_tuning"].bad == 0
    assert "feature_extraction" not in found


def test_trials_are_compared_on_the_same_images():
    assert trials(FOUND) == []
    found = {one.strategy: one for one in trials(record(events(Scenario(trials=True))))}
    assert set(found) == {"partial_fine_tuning", "full_fine_tuning", "from_scratch"}
    one = found["full_fine_tuning"]
    assert len(one.runs) == 3 and one.unstable == 0
    spread = max(one.accuracies) - min(one.accuracies)
    assert one.spread.value == pytest.approx(spread, abs=1e-6)
    older = trials(record(events(Scenario(trials=True, kept=False))))
    assert {one.spread for one in older} == {None}
