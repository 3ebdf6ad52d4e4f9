"""What strategies answered to each image: put together over seeds, counted, ordered."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests import factories, scripted
from tl_core.disagreements import disagreements, wrong
from tl_core.events import Event
from tl_core.image_answers import (
    Answer,
    ImageAnswers,
    confusion,
    image_answers,
    images_behind,
    most_confused,
)
from tl_core.record import Record, narrowed, record
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES


def comparison(*runs: tuple[str, int, list[tuple[int, int, int, float]]]) -> Record:
    """Return runs of (strategy, seed, tests); a test is image, label, prediction, confidence."""
    names = dict.fromkeys(name for name, _, _ in runs)
    config = factories.comparison_config(
        strategies=tuple(STRATEGIES[name] for name in names), seeds=3
    )
    events: list[Event] = [factories.comparison_started(config)]
    for name, seed, tests in runs:
        images, labels, predictions, confidences = zip(*tests, strict=True)
        ended = factories.run_ended(f"{name}-{seed}")
        result = replace(
            ended.result,
            test_images=images,
            test_labels=labels,
            test_predictions=predictions,
            test_confidences=confidences,
        )
        run = replace(ended.run, strategy=STRATEGIES[name], seed=seed)
        events.append(replace(ended, run=run, result=result))
    return record(events)


PROBE, FULL = "feature_extraction", "full_fine_tuning"
FOUND = comparison(
    (PROBE, 0, [(3, 0, 0, 0.9), (5, 1, 0, 0.8)]),
    (PROBE, 1, [(3, 0, 1, 0.6), (4, 1, 1, 0.7)]),
    (PROBE, 2, [(3, 0, 1, 0.8), (5, 1, 0, 0.6)]),
    (FULL, 0, [(3, 0, 0, 0.99), (5, 1, 1, 0.95)]),
)


def test_an_answer_is_the_commonest_class_with_its_own_confidence():
    found = {one.image: one for one in image_answers(FOUND, [PROBE, FULL])}
    assert list(found) == [3, 4, 5]
    assert found[3].label == 0
    assert found[3].answers[PROBE] == Answer(1, pytest.approx(0.7), 2, 3)
    assert found[5].answers[PROBE] == Answer(0, pytest.approx(0.7), 2, 2)
    assert list(found[4].answers) == [PROBE]
    assert not found[3].right(PROBE) and found[3].right(FULL)


def test_of_equally_common_answers_the_surer_counts():
    found = comparison((PROBE, 0, [(0, 0, 0, 0.6)]), (PROBE, 1, [(0, 0, 1, 0.9)]))
    assert image_answers(found, [PROBE])[0].answers[PROBE] == Answer(1, 0.9, 1, 2)


def test_confusion_counts_every_seeds_tests():
    assert confusion(FOUND, PROBE).tolist() == [[1, 2], [2, 1]]
    assert confusion(FOUND, FULL).tolist() == [[1, 0], [0, 1]]
    assert images_behind(FOUND, PROBE, 0, 1) == [3]
    assert images_behind(FOUND, PROBE, 1, 0) == [5]
    assert images_behind(FOUND, FULL, 1, 0) == []


def test_confusion_holds_every_test_and_its_diagonal_is_the_accuracy():
    found = record(scripted.events())
    for name in TEXTBOOK_STRATEGIES:
        counts = confusion(found, name)
        runs = found.final(name).values()
        assert counts.sum() == sum(len(run.result.test_images) for run in runs)
        hits = sum(
            np.equal(run.result.test_predictions, run.result.test_labels).sum() for run in runs
        )
        assert np.trace(counts) == hits
        mistakes = most_confused(counts)
        assert sum(one.count for one in mistakes) == counts.sum() - hits
        assert [one.count for one in mistakes] == sorted((m.count for m in mistakes), reverse=True)
        assert all(images_behind(found, name, one.label, one.predicted) for one in mistakes)


def test_the_commonest_mistake_of_equal_ones_is_that_of_the_rarer_class():
    counts = np.array([[8, 2, 0], [2, 1, 0], [0, 1, 9]])
    found = most_confused(counts)
    assert [(one.label, one.predicted) for one in found] == [(1, 0), (0, 1), (2, 1)]
    assert found[0].share == pytest.approx(2 / 3)


def told(image: int, label: int, **predicted: int) -> ImageAnswers:
    answers = {name: Answer(label, 0.5 + image / 100, 1, 1) for name, label in predicted.items()}
    return ImageAnswers(image, label, answers)


def test_disagreements_begin_where_the_recommended_one_stands_alone():
    everyone_right = told(0, 0, a=0, b=0, c=0)
    all_wrong_alike = told(1, 0, a=1, b=1, c=1)
    all_wrong = told(2, 0, a=1, b=2, c=1)
    one_other_wrong = told(3, 0, a=0, b=1, c=0)
    only_a_wrong = told(4, 0, a=1, b=0, c=0)
    a_and_b_wrong = told(5, 0, a=1, b=1, c=0)
    surer_a_wrong = told(6, 0, a=1, b=0, c=0)
    given = [
        everyone_right,
        all_wrong_alike,
        all_wrong,
        one_other_wrong,
        only_a_wrong,
        a_and_b_wrong,
        surer_a_wrong,
    ]
    assert disagreements(given, "a") == [
        surer_a_wrong,
        only_a_wrong,
        a_and_b_wrong,
        one_other_wrong,
        all_wrong,
    ]
    assert disagreements(given)[-1] == all_wrong
    assert wrong(given, "b") == [all_wrong_alike, all_wrong, one_other_wrong, a_and_b_wrong]


def test_disagreements_are_a_part_of_the_images_and_lose_none():
    answered = image_answers(record(scripted.events()), list(TEXTBOOK_STRATEGIES))
    found = disagreements(answered, "feature_extraction")
    expected = [g for g in answered if len({a.predicted for a in g.answers.values()}) > 1]
    assert sorted(one.image for one in found) == [one.image for one in expected]
    leads = [
        not one.right("feature_extraction") and any(one.right(name) for name in one.answers)
        for one in found
    ]
    assert leads == sorted(leads, reverse=True)


def test_a_narrowed_record_is_as_if_no_other_strategy_had_been_in_it():
    found = record(scripted.events(scripted.Scenario(fails="full_fine_tuning", seeds=1)))
    part = narrowed(found, ["feature_extraction", "full_fine_tuning"])
    assert [s.name for s in part.strategies] == ["feature_extraction", "full_fine_tuning"]
    assert {run.run.strategy.name for run in part.ended.values()} == {"feature_extraction"}
    assert {run.run.strategy.name for run in part.failed.values()} == {"full_fine_tuning"}
    assert set(part.curves) <= set(part.runs)
    assert len(found.strategies) == 5 and len(found.ended) > len(part.ended)
