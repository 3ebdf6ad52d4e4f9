"""What finished comparisons reached, as scores are held against it."""

import msgspec

from tests import scripted
from tl_core.record import record
from tl_core.tables import rows
from tl_core.track_record import best_accuracy, best_by_model

REUSE = ("feature_extraction", "partial_fine_tuning", "full_fine_tuning")


def test_the_best_is_of_strategies_that_reuse_the_model_and_learn() -> None:
    found = record(scripted.events())
    reached = {row.strategy: row.test_accuracy for row in rows(found)}
    assert best_accuracy(found) == max(reached[name] for name in REUSE)
    only = [s for s in found.strategies if s.name in ("zero_shot", "from_scratch")]
    without = scripted.Scenario(strategies=tuple(only))
    assert best_accuracy(record(scripted.events(without))) is None


def test_runs_with_somebodys_own_steps_or_rate_do_not_count() -> None:
    for own in ({"steps": 5}, {"learning_rate": 0.1}):
        first, *others = scripted.events()
        config = msgspec.structs.replace(first.config, **own)
        events = [msgspec.structs.replace(first, config=config), *others]
        assert best_accuracy(record(events)) is None


def test_nothing_started_has_no_best() -> None:
    assert best_accuracy(record([])) is None


def test_the_best_of_each_model() -> None:
    reached = [("a", 0.5), ("b", None), ("a", 0.7), ("c", 0.1), ("a", 0.6)]
    assert best_by_model(reached) == {"a": 0.7, "c": 0.1}
