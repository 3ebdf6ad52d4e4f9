"""Predictions of unlabelled images as a table."""

import numpy as np

from tl_core.answers import Prediction, RunPrediction
from tl_core.predicted import predicted_frame
from tl_core.run_result import packed


def said(shares, classes=("file", "dog")) -> Prediction:
    run = RunPrediction(
        run_id="a", strategy="zero_shot", title="Zero-shot", probabilities=packed(np.array(shares))
    )
    names = tuple(f"{i}.png" for i in range(len(shares)))
    return Prediction(images=names, classes=classes, runs=(run,))


def test_one_line_an_image_and_a_column_a_class_whatever_its_name():
    table = predicted_frame(said([[0.9, 0.1], [0.4, 0.6]]), limit=0.7)
    assert list(table.columns) == ["file", "class", "confidence", "unsure", "p(file)", "p(dog)"]
    assert list(table["file"]) == ["0.png", "1.png"]
    assert list(table["class"]) == ["file", "dog"]
    np.testing.assert_allclose(table["confidence"], [0.9, 0.6], atol=1e-6)
    assert list(table["unsure"]) == [False, True]


def test_without_a_threshold_nothing_is_called_unsure():
    assert not predicted_frame(said([[0.5, 0.5]]), limit=None)["unsure"].any()
