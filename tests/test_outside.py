"""None of these: thresholds from validation, images of mapped classes are no outsiders."""

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.stats import mannwhitneyu

from tests.scripted import Scenario, events, packed
from tl_core import outside as room
from tl_core.outside import auroc_interval, outside, outside_images
from tl_core.predictions import unpacked, validated
from tl_core.record import Record, record

FOUND = record(events())
PROBE = "feature_extraction"


def mapped(*indices: int) -> Record:
    started = FOUND.started
    config = replace(started.config, class_map={"digit 0": indices})
    return record([replace(started, config=config), *events()[1:]])


def test_source_images_of_mapped_classes_are_no_outsiders():
    assert outside_images(FOUND).all()
    labels = np.array(FOUND.started.source.labels)
    found = mapped(1, 2)
    assert (outside_images(found) == ~np.isin(labels, [1, 2])).all()
    assert {row.images for row in outside(found)} == {int((~np.isin(labels, [1, 2])).sum())}


def test_too_few_outsiders_give_no_rate():
    assert outside(mapped(0, 1, 2)) == []
    assert outside(record(events(Scenario(probe=0)))) == []
    assert outside(record(events(Scenario(kept=False)))) == []


def test_the_threshold_keeps_most_validation_images_of_each_seed():
    row = next(row for row in outside(FOUND) if row.strategy == PROBE)
    accepted = []
    for run in FOUND.final(PROBE).values():
        sure = validated(run).probabilities.max(axis=1)
        threshold = np.quantile(sure, 0.05, method="lower")
        assert (sure >= threshold).mean() >= 0.95
        accepted.append(unpacked(run.result.outside_confidences) >= threshold)
    assert row.accepted.value == pytest.approx(np.mean(accepted))
    assert row.accepted.low < row.accepted.value < row.accepted.high
    assert 0 <= row.kept.low <= row.kept.value <= row.kept.high <= 1


def test_accepting_fewer_validation_images_lets_fewer_outsiders_in():
    strict, usual = (
        next(row for row in outside(FOUND, kept) if row.strategy == PROBE) for kept in (0.5, 0.95)
    )
    assert strict.threshold > usual.threshold
    assert strict.accepted.value < usual.accepted.value
    assert strict.auroc == usual.auroc


def test_zero_shot_without_a_word_for_every_class_is_left_out():
    assert "zero_shot" not in {row.strategy for row in outside(FOUND)}


def test_auroc_is_mann_whitney_over_each_seed():
    rng = np.random.default_rng(1)
    inside, others = rng.normal(1, 1, (2, 50)).round(1), rng.normal(0, 1, (2, 80)).round(1)
    found = auroc_interval(inside, others)
    wanted = [mannwhitneyu(a, b).statistic / (50 * 80) for a, b in zip(inside, others, strict=True)]
    assert found.value == pytest.approx(np.mean(wanted))
    assert found.low < found.value < found.high


def test_perfectly_separated_images_are_not_certain():
    found = auroc_interval(np.ones((1, 60)), np.zeros((1, 20)))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low < 0.9


def test_auroc_intervals_find_the_truth():
    rng, covered = np.random.default_rng(5), 0
    truth = 0.7602499389065233  # P(x > y) of normal scores one deviation apart
    for _ in range(60):
        found = auroc_interval(rng.normal(1, 1, (2, 60)), rng.normal(0, 1, (2, 40)))
        covered += found.low <= truth <= found.high
    assert covered >= 54


def test_a_result_with_other_source_images_is_left_out():
    found = record(events())
    for key, ended in found.ended.items():
        result = replace(ended.result, outside_confidences=packed(np.ones(3)))
        found.ended[key] = replace(ended, result=result)
    assert room.confidences(found, PROBE) is None
    assert outside(found) == []
