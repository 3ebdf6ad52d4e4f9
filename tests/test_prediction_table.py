"""Predictions as a table: every seed and test image once, each strategy's word beside the truth."""

import io

import numpy as np
import pandas as pd
import pytest

from tests import scripted
from tl_core.csv_export import csv_text
from tl_core.prediction_table import prediction_frame
from tl_core.record import record

FULL = record(scripted.events())


def test_every_seed_and_image_has_one_line_with_all_strategies():
    frame = prediction_frame(FULL)
    assert len(frame) == 3 * scripted.TEST
    assert not frame.duplicated(["image", "seed"]).any()
    assert list(frame["seed"].unique()) == [1, 2, 3]
    for strategy in FULL.strategies:
        right = frame[f"{strategy.name}_class"] == frame["true_class"]
        for seed, ended in FULL.final(strategy.name).items():
            result = ended.result
            hits = np.equal(result.test_predictions, result.test_labels).tolist()
            assert right[frame["seed"] == seed + 1].tolist() == hits
            kept = frame.loc[frame["seed"] == seed + 1, f"{strategy.name}_confidence"]
            assert kept.tolist() == pytest.approx(list(result.test_confidences))


def test_images_are_named_and_a_formula_stays_text():
    names = [f"=cmd {number}" for number in range(5 * scripted.TEST)]
    read = pd.read_csv(io.StringIO(csv_text(prediction_frame(FULL, names))))
    assert read["image"][0] == "'=cmd 0"
    assert read["image"].nunique() == 3 * scripted.TEST


def test_a_strategy_that_failed_on_a_seed_leaves_its_cells_empty():
    found = record(scripted.events(scripted.Scenario(fails="full_fine_tuning")))
    frame = prediction_frame(found)
    empty = frame["full_fine_tuning_class"].isna()
    assert empty.tolist() == (frame["seed"] == 1).tolist()


def test_before_anything_was_measured_there_is_nothing():
    assert prediction_frame(record([])).empty
    assert prediction_frame(record(scripted.events()[:1])).empty
