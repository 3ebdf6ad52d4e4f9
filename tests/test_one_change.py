"""One setting changed: which values there are, and that nothing else changes."""

import msgspec
import pytest

from tests.factories import comparison_config
from tl_core.catalog import catalog
from tl_core.one_change import CHANGES, Facts, changed, values

CONFIG = comparison_config()
FACTS = Facts(catalog()["resnet18"], fewest=12)


@pytest.mark.parametrize("name", list(CHANGES))
def test_every_value_changes_just_its_setting(name):
    change = CHANGES[name]
    found = values(change, CONFIG, FACTS)
    assert found
    for value in found:
        made = changed(CONFIG, change, value, CONFIG.strategies)
        other = {
            field
            for field in CONFIG.__struct_fields__
            if getattr(made, field) != getattr(CONFIG, field)
        }
        assert other == {name}
        assert change.say(value, FACTS)


def test_the_value_that_it_has_is_not_offered_and_can_be_gone_back_to():
    assert values(CHANGES["seeds"], CONFIG, FACTS) == [3, 5]
    three = msgspec.structs.replace(CONFIG, seeds=3, learning_rate=0.01, labels_per_class=5)
    assert values(CHANGES["seeds"], three, FACTS) == [1, 5]
    assert None in values(CHANGES["learning_rate"], three, FACTS)
    assert values(CHANGES["labels_per_class"], three, FACTS) == [None, 2, 10]


def test_only_what_is_there_can_be_left_out():
    assert values(CHANGES["labels_per_class"], CONFIG, FACTS) == [2, 5, 10]
    assert values(CHANGES["labels_per_class"], CONFIG, Facts(FACTS.row, 2)) == []


def test_only_the_shown_strategies_are_run():
    made = changed(CONFIG, CHANGES["budget"], "standard", CONFIG.strategies[:1])
    assert [s.name for s in made.strategies] == ["feature_extraction"]
