"""Calibration over all seeds: values as metrics give them, intervals that find the truth."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests.scripted import Scenario, events, packed
from tests.simulated import comparison
from tl_core import calibration, confidence, metrics, predictions
from tl_core.confidence import confidence_rows, confident, diagram
from tl_core.record import Record, record

FULL = "full_fine_tuning"
FOUND = record(events())


def pooled(strategy: str) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and labels of all seeds' test images."""
    parts = [predictions.tested(run) for run in FOUND.final(strategy).values()]
    return (
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def simulated(rng: np.random.Generator, too_sure: float, seeds: int, images: int) -> Record:
    """Return a comparison of two classes whose confidence is too high by so much."""
    chance = rng.uniform(0.55 + too_sure, 0.99, images) - too_sure
    # Hard images are hard for every seed.
    own = rng.random(images)
    right = np.tile(own < chance, (seeds, 1)).astype(float)
    found = comparison({FULL: right})
    for key, ended in found.ended.items():
        result = ended.result
        sure = np.clip(chance + too_sure, 0, 1 - 1e-6)
        given = np.where(
            np.arange(2) == np.array(result.test_predictions)[:, None],
            sure[:, None],
            1 - sure[:, None],
        )
        kept = replace(
            result,
            test_log_probabilities=packed(np.log(given)),
            validation_log_probabilities=packed(np.log(given)),
            validation_labels=result.test_labels,
        )
        found.ended[key] = replace(ended, result=kept)
    return found


def test_values_are_those_of_the_pooled_test_images():
    row = next(row for row in confidence_rows(FOUND) if row.strategy == FULL)
    given, labels = pooled(FULL)
    sure, right = given.max(axis=1), given.argmax(axis=1) == labels
    wanted = metrics.expected_calibration_error(sure, right)
    assert row.before.expected_calibration_error.value == pytest.approx(wanted)
    assert row.before.signed_gap.value == pytest.approx(sure.mean() - right.mean())
    assert row.before.log_loss.value == pytest.approx(metrics.log_loss(given, labels), rel=1e-5)
    assert row.before.brier.value == pytest.approx(metrics.brier_score(given, labels))
    for one in (row.before.signed_gap, row.before.log_loss, row.before.brier):
        assert one.low < one.value < one.high


def test_each_seed_is_scaled_by_its_own_validation_images():
    row = next(row for row in confidence_rows(FOUND) if row.strategy == FULL)
    logs, labels, temperatures = [], [], []
    for run in FOUND.final(FULL).values():
        known, tested = predictions.validated(run), predictions.tested(run)
        temperatures.append(calibration.fit_temperature(known.log_probabilities, known.labels))
        logs.append(calibration.with_temperature(tested.log_probabilities, temperatures[-1]))
        labels.append(tested.labels)
    assert row.temperature == pytest.approx(np.exp(np.mean(np.log(temperatures))))
    wanted = metrics.log_loss(np.exp(np.concatenate(logs)), np.concatenate(labels))
    assert row.after.log_loss.value == pytest.approx(wanted)
    assert row.after.log_loss.value < row.before.log_loss.value


def test_the_diagram_holds_every_image_and_counts_it_once():
    given, _ = pooled(FULL)
    bins = diagram(FOUND, FULL)
    assert sum(one.images for one in bins) == len(given)
    total = sum(one.images * one.confidence for one in bins)
    assert total / len(given) == pytest.approx(given.max(axis=1).mean())
    shared = record(events(Scenario(given_split=True)))
    assert sum(one.images for one in diagram(shared, FULL)) <= 3 * 60
    assert max(one.images for one in diagram(shared, FULL)) <= 60
    scaled = diagram(FOUND, FULL, scaled=True)
    assert {one.high for one in scaled} != {one.high for one in bins}


def test_one_class_mapped_of_many_gives_zero_shot_no_confidence():
    assert next(s.name for s in confident(FOUND)) == "feature_extraction"
    mapped = replace(FOUND.started, unmapped_classes=())
    assert confident(record([mapped]))[0].name == "zero_shot"


def test_older_comparisons_have_no_rows():
    older = record(events(Scenario(kept=False)))
    assert confidence_rows(older) == [] == diagram(older, FULL)
    assert confidence.confidence_gaps(older) == {}


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_calibrated_model_stays_under_what_chance_gives(seeds: int):
    rng, beyond, missed = np.random.default_rng(2), 0, 0
    for _ in range(40):
        (row,) = confidence_rows(simulated(rng, 0.0, seeds, 150))
        error = row.before.expected_calibration_error
        beyond += error.value > row.before.if_calibrated
        missed += row.before.signed_gap.low > 0 or row.before.signed_gap.high < 0
        assert (error.low == 0) == (error.value <= row.before.if_calibrated)
    assert beyond <= 6
    assert missed <= 6


def test_a_model_that_is_too_sure_is_found_and_mended():
    found = simulated(np.random.default_rng(3), 0.12, 2, 400)
    (row,) = confidence_rows(found)
    assert row.before.expected_calibration_error.value > row.before.if_calibrated
    assert row.before.signed_gap.low > 0
    assert row.temperature > 1
    assert row.after.signed_gap.value < row.before.signed_gap.value
