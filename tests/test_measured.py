"""Everything measured on one data set: each run once, and what nothing beats."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests import scripted
from tests.scripted import Scenario
from tl_core import figures, measured, pareto
from tl_core.measured import Measured, Source
from tl_core.record import record
from tl_core.stats import Interval

SCENARIO = Scenario(seeds=1)
ONE = record(scripted.events(SCENARIO))
BETTER = record(scripted.events(replace(SCENARIO, shift=0.05)))


def test_what_was_taken_over_counts_once():
    found = measured.everything(
        [
            (Source("a", None, "A"), ONE),
            (Source("b", 0, "B"), ONE),
            (Source("c", None, "C"), BETTER),
        ]
    )
    assert len(found) == 10
    assert {one.source.job for one in found} == {"a", "c"}


def test_other_settings_are_told_those_of_the_first_are_not():
    started = BETTER.started
    config = msgspec.structs.replace(started.config, budget="thorough")
    other = replace(BETTER, started=msgspec.structs.replace(started, config=config))
    found = measured.everything([(Source("a", None, "A"), ONE), (Source("b", None, "B"), other)])
    assert {one.differs for one in found if one.source.job == "a"} == {""}
    assert {one.differs for one in found if one.source.job == "b"} == {"budget thorough"}


def point(
    accuracy: float,
    lost: float | None,
    seconds: float = 1.0,
    images: range = range(400),
    source: int = 400,
) -> Measured:
    hits = np.tile(np.arange(len(images)) < accuracy * len(images), (1, 1)).astype(float)
    gone = None if lost is None else (np.arange(source) < lost * source).astype(float)[None]
    change = None if lost is None else Interval(100 * lost, 100 * lost - 4, 100 * lost + 4)
    return Measured(
        Source("job", None, "Job"),
        "full_fine_tuning",
        "Full fine-tuning",
        ONE.started.config,
        Interval(100 * accuracy, 100 * accuracy - 4, 100 * accuracy + 4),
        change,
        seconds,
        tuple(images),
        hits,
        gone,
        frozenset({str((accuracy, lost, seconds))}),
    )


def standings(*points: Measured) -> list[str]:
    return [one.standing for one in pareto.placed(points)]


def test_better_in_one_and_worse_in_nothing_dominates():
    assert standings(point(0.9, 0.1), point(0.8, 0.1)) == ["front", "dominated"]
    assert standings(point(0.9, 0.1), point(0.9, 0.2)) == ["front", "dominated"]
    assert pareto.placed([point(0.9, 0.1), point(0.8, 0.1)])[1].by == (0,)


def test_a_trade_leaves_both_on_the_front():
    assert standings(point(0.9, 0.3), point(0.8, 0.1)) == ["front", "front"]


def test_a_slower_one_dominates_nothing():
    assert standings(point(0.9, 0.1, seconds=3), point(0.8, 0.1)) == ["front", "front"]
    # Times of one machine vary by as much.
    assert standings(point(0.9, 0.1, seconds=1.1), point(0.8, 0.1)) == ["front", "dominated"]


def on_cores(point: Measured, threads: int) -> Measured:
    config = msgspec.structs.replace(point.config, device="cpu", threads=threads)
    return replace(point, config=config)


def test_seconds_on_fewer_cores_count_as_what_they_might_be_on_more():
    """One second on one core is half of one to a whole one on two."""
    one, two = on_cores(point(0.9, 0.1, 1.0), 1), on_cores(point(0.9, 0.1, 0.6), 2)
    assert standings(one, two) == ["front", "front"], "neither is faster whatever cores do"
    quick = on_cores(point(0.9, 0.1, 0.4), 1)
    assert standings(quick, two) == ["front", "alike"]
    assert standings(on_cores(point(0.9, 0.1, 0.3), 2), one) == ["front", "alike"]
    assert standings(one, on_cores(point(0.8, 0.1, 0.6), 2)) == ["front", "dominated"]
    slow = on_cores(point(0.9, 0.1, 2.0), 1)
    assert standings(slow, on_cores(point(0.8, 0.1, 0.6), 2)) == ["front", "front"]


def test_what_intervals_cannot_tell_apart_is_not_dominated():
    near = point(0.9, 0.1), point(0.8975, 0.1)
    assert standings(*near) == ["front", "front"]
    slower = replace(near[1], seconds=9.0)
    assert pareto.placed([near[0], slower])[1] == pareto.Placed("alike", (0,))


def test_on_other_images_the_wider_unpaired_interval_decides():
    same = point(0.9, 0.1), point(0.86, 0.1)
    other = replace(same[1], images=tuple(range(1000, 1400)))
    assert standings(*same) == ["front", "dominated"]
    assert standings(same[0], other) == ["front", "front"]


def test_what_never_had_the_skill_stands_apart():
    assert standings(point(0.9, None), point(0.5, 0.1)) == ["apart", "front"]


def test_the_chart_marks_the_front_and_leads_back_to_places():
    found = [point(0.9, 0.1), point(0.8, 0.1), point(0.95, None)]
    placed = pareto.placed(found)
    figure = figures.front_figure(found, placed)
    assert {trace.name: trace.opacity for trace in figure.data} == {
        "Full fine-tuning": pytest.approx(0.35),
        "Full fine-tuning: front": 1.0,
    }
    assert sorted(data[0] for trace in figure.data for data in trace.customdata) == [0, 1]
    assert figures.describe_front(found, placed) == (
        "On the front: Full fine-tuning: 90.0% accuracy, 10.0 points forgotten, 1.0 s."
    )
