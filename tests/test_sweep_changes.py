"""What each point of a sweep changes against one of them, and the sentences that say it."""

import msgspec

from tests import factories, sweeps
from tests.factories import comparison_config
from tests.sweeps import exact
from tl_core import sweep_sentences
from tl_core.sweep_changes import change_sentences, changes, reference
from tl_core.swept import Swept

FULL, PROBE = "full_fine_tuning", "feature_extraction"
BASE = comparison_config(steps=60)


def over(points, name="steps") -> Swept:
    found = sweeps.over(points, name)
    assert found.sweep is not None
    made = tuple(
        msgspec.structs.replace(
            point, config=msgspec.structs.replace(point.config, steps=int(point.value))
        )
        for point in found.sweep.points
    )
    found.sweep = msgspec.structs.replace(found.sweep, points=made)
    return found


def test_all_are_held_against_what_the_comparison_asks_for():
    found = over({v: {FULL: exact(0.5)} for v in (15.0, 60.0, 240.0)})
    assert reference(found.sweep, BASE) == 1
    labels = msgspec.structs.replace(found.sweep, name="labels")
    assert reference(labels, BASE) == 2
    depth = msgspec.structs.replace(found.sweep, name="depth")
    assert reference(depth, BASE) == 0
    rate = msgspec.structs.replace(found.sweep, name="rate")
    assert reference(rate, BASE) == 1


def test_a_gain_that_is_measurable_is_told_in_points():
    found = over({15.0: {FULL: exact(0.5)}, 60.0: {FULL: exact(0.7)}, 240.0: {FULL: exact(0.8)}})
    few, many = changes(found, BASE)
    assert (few.label, few.against) == ("15", "60")
    assert round(few.gain.value) == -20 and few.gain.high < 0
    assert round(many.gain.value) == 10 and many.gain.low > 0
    (said,) = change_sentences([few, many])
    assert said.startswith("Full fine-tuning: 240 gains 10.0 points (")
    assert said.endswith("over 60; measurably worse: 15 (−20.0).")


def test_without_a_measurable_difference_nothing_is_recommended():
    points = {v: {FULL: exact(0.8), PROBE: exact(0.8)} for v in (15.0, 60.0)}
    found = over(points)
    lines = sweep_sentences.said(found, BASE)
    # Both strategies say the same, so they say it together.
    assert lines == [
        "Full fine-tuning and feature extraction: nothing differs measurably from 60, so nothing "
        "is recommended."
    ]


def test_a_point_that_is_not_measured_yet_is_left_out():
    found = over({15.0: {FULL: exact(0.5)}, 60.0: {FULL: exact(0.7)}, 240.0: {FULL: exact(0.8)}})
    del found.records[2]
    assert [one.label for one in changes(found, BASE)] == ["15"]
    del found.records[1]
    assert changes(found, BASE) == []


def test_the_rate_from_which_a_loss_no_longer_falls_is_said():
    run = msgspec.structs.replace(
        factories.RUN, kind="range_test", steps=61, learning_rate=1e-5, highest_rate=10.0
    )
    losses = [0.7, 0.7, 0.6, 0.5, 0.4, 0.9, 2.0]
    ended = msgspec.structs.replace(
        factories.run_ended("range"),
        run=run,
        curve=tuple(
            msgspec.structs.replace(factories.epoch_ended("range", 10 * at), train_loss=loss)
            for at, loss in enumerate(losses)
            if at
        ),
    )
    found = over({15.0: {FULL: exact(0.5)}, 60.0: {FULL: exact(0.5)}}, "rate")
    assert sweep_sentences.unstable_from(found) is None
    found.records[0].ended["range"] = ended
    rate = sweep_sentences.unstable_from(found)
    assert rate is not None and 1e-5 < rate < 10
    assert f"From a learning rate of {rate:.2g} on" in sweep_sentences.said(found, BASE)[-1]


def test_what_could_not_be_measured_is_said():
    found = over({15.0: {FULL: exact(0.5)}, 60.0: {FULL: exact(0.7)}})
    found.failed[0] = "There was no room."
    assert sweep_sentences.said(found, BASE)[-1] == "15 could not be measured: There was no room."


def test_points_that_lacked_memory_say_so():
    found = over({15.0: {FULL: exact(0.5)}, 60.0: {FULL: exact(0.7)}})
    found.records[1].micro_batch = 8
    (line,) = [line for line in sweep_sentences.said(found, BASE) if "Memory ran out" in line]
    assert line.startswith("60: Memory ran out with 32 images at a time")
