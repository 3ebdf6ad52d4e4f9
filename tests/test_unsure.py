"""The threshold under which an answer is unsure: from validation, held to account on test."""

import numpy as np
import pytest

from tests.factories import run_ended
from tl_core import metrics, unsure
from tl_core.run_result import packed


def run(confidences, correct, tested=None, tested_correct=None):
    """A finished run of two classes that is so sure of its validation (and test) images."""
    return _with(
        run_ended("one"), confidences, correct, tested or confidences, tested_correct or correct
    )


def _with(ended, known, known_right, tested, tested_right):
    import msgspec

    def logs(confidences, right):
        first = np.array([c if r else 1 - c for c, r in zip(confidences, right, strict=True)])
        return packed(metrics.log_of(np.stack([first, 1 - first], axis=1)))

    result = msgspec.structs.replace(
        ended.result,
        validation_labels=(0,) * len(known),
        validation_log_probabilities=logs(known, known_right),
        test_images=tuple(range(len(tested))),
        test_labels=(0,) * len(tested),
        test_log_probabilities=logs(tested, tested_right),
    )
    return msgspec.structs.replace(ended, result=result)


def test_the_lowest_confidence_from_which_enough_is_right():
    """Twenty right answers at 0.9, then wrong ones: 0.8 would let the share fall below 95%."""
    known = [0.9] * 20 + [0.8] * 2
    found = unsure.threshold(run(known, [True] * 20 + [False] * 2))
    assert found.value == pytest.approx(0.9, abs=1e-5)
    assert found.reached
    assert found.sure.value == pytest.approx(20 / 22)
    assert found.right.value == 1.0
    assert found.right.low < 1.0


def test_equal_confidences_stand_or_fall_together():
    known = [0.9] * 18 + [0.7] * 2
    right = [True] * 18 + [True, False]
    assert unsure.threshold(run(known, right)).value == pytest.approx(0.7, abs=1e-5)
    right = [True] * 18 + [False, False]
    assert unsure.threshold(run(known, right)).value == pytest.approx(0.9, abs=1e-5)


def test_some_validation_images_are_always_unsure():
    known = list(np.linspace(0.6, 0.99, 40))
    found = unsure.threshold(run(known, [True] * 40))
    assert found.value > known[0]


def test_where_nothing_is_right_often_enough_everything_is_unsure():
    known = [0.9, 0.8, 0.7, 0.6]
    found = unsure.threshold(run(known, [False, True, False, True]))
    assert not found.reached
    assert found.value == 1.0
    assert found.right is None


def test_what_it_gives_is_counted_on_the_test_images():
    known, right = [0.9] * 20, [True] * 20
    found = unsure.threshold(run(known, right, [0.95] * 5 + [0.6] * 5, [True] * 4 + [False] * 6))
    assert found.sure.value == pytest.approx(0.5)
    assert found.right.value == pytest.approx(0.8)


def test_older_results_have_none():
    import msgspec

    ended = run([0.9], [True])
    result = msgspec.structs.replace(ended.result, validation_log_probabilities=b"")
    assert unsure.threshold(msgspec.structs.replace(ended, result=result)) is None
