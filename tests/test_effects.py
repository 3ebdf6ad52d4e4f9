"""What a changed setting did to every strategy."""

import msgspec
import pytest

from tests.factories import comparison_config, comparison_started, run_ended, run_started
from tl_core.config import RunConfig
from tl_core.effects import effects
from tl_core.record import Record, record
from tl_core.strategies import STRATEGIES

LABELS = (0,) * 80 + (1,) * 20
BEFORE = (0,) * 95 + (1,) * 5
AFTER = (1,) * 10 + (0,) * 75 + (1,) * 15


def found(predictions: tuple[int, ...], seeds: int = 1, images: int = 100) -> Record:
    config = comparison_config(strategies=(STRATEGIES["full_fine_tuning"],), seeds=seeds)
    events = [comparison_started(config)]
    for seed in range(seeds):
        ended = run_ended(f"r{seed}")
        run: RunConfig = msgspec.structs.replace(ended.run, seed=seed)
        result = msgspec.structs.replace(
            ended.result,
            test_images=tuple(range(images)),
            test_labels=LABELS[:images],
            test_predictions=predictions[:images],
        )
        events += [
            run_started(f"r{seed}"),
            msgspec.structs.replace(ended, run=run, result=result),
        ]
    return record(events)


@pytest.mark.parametrize("seeds", [1, 3])
def test_differences_are_paired_and_classes_count_the_same(seeds):
    (effect,) = effects(found(BEFORE, seeds), found(AFTER, seeds))
    assert effect.accuracy.value == pytest.approx((70 + 15 - 80 - 5) / 100)
    assert effect.accuracy.contains_zero
    expected = (70 / 80 + 15 / 20) / 2 - (80 / 80 + 5 / 20) / 2
    assert effect.balanced_accuracy.value == pytest.approx(expected)
    assert effect.balanced_accuracy.low > 0
    assert effect.weakest_class == "bee"
    assert effect.lowest_recall.value == pytest.approx(0.5)
    assert effect.lowest_recall.low > 0.2


def test_no_change_is_exactly_none():
    (effect,) = effects(found(BEFORE), found(BEFORE))
    assert (effect.accuracy.low, effect.accuracy.high) == (0.0, 0.0)


def test_of_images_and_seeds_only_those_count_that_both_tested():
    (effect,) = effects(found(BEFORE, 3), found(AFTER[:90], 1, images=90))
    assert effect.accuracy.value == pytest.approx((70 + 5 - 80) / 90)
    assert effect == effects(found(BEFORE[:90], 1, images=90), found(AFTER, 3))[0]


def test_other_data_are_not_compared():
    other = found(AFTER)
    facts = msgspec.structs.replace(other.started.dataset, fingerprint="e" * 64)
    other.started = msgspec.structs.replace(other.started, dataset=facts)
    assert effects(found(BEFORE), other) == []


def test_without_an_image_in_common_nothing_is_said():
    elsewhere = found(AFTER)
    for run_id, run in elsewhere.ended.items():
        moved = tuple(image + 100 for image in run.result.test_images)
        result = msgspec.structs.replace(run.result, test_images=moved)
        elsewhere.ended[run_id] = msgspec.structs.replace(run, result=result)
    assert effects(found(BEFORE), elsewhere) == []
