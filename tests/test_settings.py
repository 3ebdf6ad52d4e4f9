"""Settings that differ between comparisons, and table columns that differ between strategies."""

import msgspec
import pandas as pd
import pytest

from tests import scripted
from tests.factories import comparison_config
from tl_core import columns, settings
from tl_core.config import ComparisonConfig, Setting
from tl_core.record import record
from tl_core.strategies import STRATEGIES, custom_strategy
from tl_core.tables import rows

ONE = comparison_config()


def test_the_same_settings_do_not_differ():
    assert settings.differing(ONE, ONE) == []


@pytest.mark.parametrize(
    ("change", "title", "second"),
    [
        ({"seeds": 3}, "Seeds", "3 seeds"),
        ({"budget": "thorough"}, "Budget", "thorough"),
        ({"backbone": "resnet18"}, "Model", "ResNet-18"),
        ({"weights_sha256": "b" * 64}, "Weights", "bbbbbbbbbbbb"),
        ({"steps": 1}, "Steps", "1 step"),
        ({"learning_rate": 0.0005}, "Learning rate", "0.0005"),
        ({"class_balance": "sampling"}, "Rare classes", "sampling"),
        (
            {
                "settings": {
                    "l2_sp": Setting(learning_rate=0.003, weight_decay=0.0, penalty_strength=10.0)
                }
            },
            "Settings of strategies",
            "l2_sp: rate 0.003, decay 0, penalty 10",
        ),
        ({"labels_per_class": 20}, "Labels per class", "20"),
        ({"input_size": 96}, "Input size", "96 pixels"),
        ({"augmentation": "none"}, "Augmentation", "none, the centre of each image"),
        ({"regularisation": "mixup"}, "Regularisation", "mixup alone"),
        ({"rate_range": (1e-5, 1.0)}, "Range test of learning rates", "1e-05 to 1"),
        ({"class_map": {"ant": (1, 2)}}, "Class map", "ant: 1, 2"),
        ({"device": "cuda"}, "Device", "cuda"),
        ({"precision": "bf16"}, "Precision", "bf16"),
        ({"threads": 4}, "Threads", "4"),
        ({"strategies": (STRATEGIES["zero_shot"],)}, "Strategies", "Zero-shot transfer"),
    ],
)
def test_each_setting_is_told_alone(change, title, second):
    (found,) = settings.differing(ONE, msgspec.structs.replace(ONE, **change))
    assert (found.title, found.second) == (title, second)
    assert found.first != second


def test_every_field_of_a_configuration_is_among_the_settings():
    """A new field that nobody tells would make two different comparisons look the same."""
    told = {
        "data", "backbone", "weights_sha256", "strategies", "class_map", "seeds", "budget",
        "steps", "learning_rate", "class_balance", "settings", "labels_per_class", "input_size",
        "augmentation", "regularisation", "rate_range", "device", "precision", "threads",
    }  # fmt: skip
    assert {field.name for field in msgspec.structs.fields(ComparisonConfig)} == told


def test_other_source_images_and_other_frozen_layers_are_told():
    probe = msgspec.structs.replace(ONE.data, probe="c" * 64, probe_name="mine")
    (found,) = settings.differing(ONE, msgspec.structs.replace(ONE, data=probe))
    assert (found.first, found.second) == ("none", "mine (cccccccccccccc)")
    first, second = (
        msgspec.structs.replace(ONE, strategies=(custom_strategy(frozen),))
        for frozen in ((True, True, False), (True, False, True))
    )
    (found,) = settings.differing(first, second)
    assert (found.first, found.second) == ("ffT", "fTf")


def test_only_columns_that_differ_are_kept():
    frame = pd.DataFrame(
        {"Strategy": ["a", "b"], "x": [1, 1], "y": [1, 2], "z": [None, 1.0], "n": [None, None]}
    )
    assert list(columns.differing(frame)) == ["Strategy", "y", "z"]
    assert list(columns.differing(frame.assign(Strategy="a"))) == ["Strategy", "y", "z"]


def test_of_the_strategy_table_equal_columns_go():
    found = record(scripted.events())
    table = rows(found)[1:3]
    whole = columns.frame(found, table)
    kept = columns.differing(whole)
    assert {"Test accuracy", "Forgetting", "Seconds"} <= set(kept)
    assert "Seeds" not in kept and "Seeds" in whole
