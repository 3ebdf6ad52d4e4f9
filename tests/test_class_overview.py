"""A class at a glance: a line for each participant, honest counts of what was recommended."""

import pytest

from tests import scripted
from tl_core.class_overview import Entry, overview, row, tally
from tl_core.flags import Evidence, flags
from tl_core.record import record
from tl_core.tables import rows
from tl_core.verdict import verdict

DONE = record(scripted.events())


def entry(found, participant="Ada", ended=100.0):
    return Entry(participant, f"job of {participant}", found, ended)


def test_a_row_repeats_what_the_comparison_found():
    made = row(entry(DONE))
    measured = rows(DONE)
    said = verdict(DONE, measured)
    chosen = next(one for one in measured if one.strategy == said.recommended)
    assert (made.participant, made.job, made.ended) == ("Ada", "job of Ada", 100.0)
    assert (made.data, made.model) == ("Handwritten digits", "ResNet-18")
    assert made.strategy == "Feature extraction"
    assert (made.accuracy, made.low, made.high) == (
        chosen.test_accuracy,
        chosen.ci_low,
        chosen.ci_high,
    )
    assert made.forgot_strategy == "Full fine-tuning"
    assert made.forgot_points == pytest.approx(30.0, abs=2)
    assert made.forgot_low < made.forgot_points < made.forgot_high
    assert made.seconds == DONE.finished.seconds == 123.4
    judged = flags(Evidence(DONE, measured))
    assert made.flags == len({one.name for one in judged if one.state == "raised"}) > 0


def test_without_labelled_source_images_nothing_is_called_forgotten():
    made = row(entry(record(scripted.events(scripted.Scenario(seeds=1, probe=0)))))
    assert made.forgot_strategy is made.forgot_points is made.forgot_low is None


def test_what_has_not_measured_yet_has_a_line_without_numbers():
    begun = row(entry(record(scripted.events()[:1]), ended=None))
    assert begun.strategy is begun.accuracy is begun.flags is begun.seconds is None
    assert begun.ended is None
    assert overview([entry(record([]))]) == []
    with pytest.raises(ValueError, match="not started"):
        row(entry(record([])))


def test_counts_are_of_rows_that_recommend_something():
    alone = scripted.Scenario(seeds=1, strategies=DONE.strategies[1:2])
    other = scripted.Scenario(seeds=1, strategies=(DONE.strategies[0], DONE.strategies[2]))
    found = [DONE, DONE, record(scripted.events(alone)), record(scripted.events(other))]
    made = overview([entry(one, str(number)) for number, one in enumerate(found)])
    assert [one.participant for one in made] == ["0", "1", "2", "3"]
    assert tally(made) == [("Feature extraction", 2), ("Partial fine-tuning", 1)]
    assert tally([]) == []
