"""Estimates: the plan has the experiment's runs, and gives way to what is measured."""

import itertools

import pytest

from tests import scripted
from tl_core import estimate, speeds, stats
from tl_core.catalog import catalog
from tl_core.config import budget_for
from tl_core.estimate import Counts, plan, power_sentence
from tl_core.events import RunEnded
from tl_core.record import Record, add, record
from tl_core.remaining import remaining_seconds
from tl_core.speeds import Machine, machine
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES

ROW = catalog()["resnet18"]
COUNTS = Counts(180, 60, 60, 40)
ALL = tuple(STRATEGIES[name] for name in TEXTBOOK_STRATEGIES)


@pytest.mark.parametrize("budget", ["quick", "standard", "thorough"])
@pytest.mark.parametrize("zero_shot", [True, False])
def test_the_plan_has_every_run(budget: str, zero_shot: bool) -> None:
    limits = budget_for(budget, 224)
    planned = plan(ROW, COUNTS, ALL, seeds=3, budget=limits, zero_shot=zero_shot)
    trained, solved = 2 * 3 + 2 * 3, 3 + 3 * zero_shot
    trials = 3 * limits.trials if limits.trials > 1 else 0
    assert len(planned.runs) == trained + solved + trials


def seconds(**changes: object) -> float:
    name = changes.pop("budget", "quick")
    given = {"seeds": 1, "budget": budget_for(name, 224), **changes}
    return estimate.plan(ROW, COUNTS, ALL, **given).seconds


def test_more_work_takes_longer_and_a_faster_machine_less() -> None:
    assert seconds() < seconds(seeds=3) < seconds(seeds=5)
    assert seconds() < seconds(budget="standard") < seconds(budget="thorough")
    assert seconds(on=Machine(1e13)) < seconds(on=Machine(1e11))
    few = estimate.plan(ROW, COUNTS, ALL[:2]).seconds
    assert few < seconds()


def test_freezing_more_costs_less() -> None:
    costs = {run.strategy: run.seconds for run in plan(ROW, COUNTS, ALL).runs}
    order = ["feature_extraction", "partial_fine_tuning", "full_fine_tuning", "from_scratch"]
    assert [costs[name] for name in order] == sorted(costs[name] for name in order)


def test_a_measured_speed_replaces_the_guess() -> None:
    """The model's own, else a convolution's here, else a constant for this kind of device."""
    learned = speeds.measured_speeds(record(scripted.events()))
    (speed,) = learned.values()
    # The optimiser's share of the time is not the network's.
    assert 2e11 < speed < 4e11
    report = {"device": "cpu", "threads": 8}
    assert machine(ROW, report, learned) == Machine(speed, True, 8)
    convolution = {**report, "flops_per_second": 7e11, "precision": "float32"}
    assert machine(ROW, convolution, {}) == Machine(speeds.NETWORK_SHARE * 7e11, False, 8, 4)
    assert machine(ROW, report, {}) == Machine(8 * speeds.CORE_SPEED, False, 8)
    depthwise = catalog()["mobilenet_v3_small"]
    assert machine(depthwise, report, {}).flops_per_second < 4 * speeds.CORE_SPEED


def test_what_is_too_large_to_keep_is_said() -> None:
    """The frozen blocks of ResNet-50 on 8,000 images: they run at every step."""
    row, partial = catalog()["resnet50"], (STRATEGIES["partial_fine_tuning"],)
    assert plan(row, Counts(600, 200, 200), partial).notes == ()
    (said,) = plan(row, Counts(4800, 1600, 1600), partial).notes
    assert said.endswith("too much to keep, so it runs at every step.")


def test_the_catalog_knows_what_a_boundary_holds() -> None:
    """By it the estimate foresees what the worker will find, without torch."""
    import torch

    from tl_core.backbones import build

    row = catalog()["mobilenet_v3_small"]
    backbone = build(row, None).eval()
    with torch.no_grad():
        found = backbone.forward_blocks(torch.zeros(1, 3, 224, 224), stop=5)
    assert found.numel() == row.blocks[4].values


def test_more_pixels_to_decode_take_longer() -> None:
    small, large = (plan(ROW, Counts(60, 20, 20, pixels=p), ALL) for p in (1e6, 1e8))
    assert large.preparation > small.preparation + 1
    assert large.runs == small.runs


def test_reused_runs_teach_nothing_about_speed() -> None:
    import msgspec

    from tl_core.events import RunStarted

    script = [
        msgspec.structs.replace(e, reused=True) if isinstance(e, RunStarted) else e
        for e in scripted.events()
    ]
    assert speeds.measured_speeds(record(script)) == {}


def test_the_remaining_time_falls_to_nothing() -> None:
    planned = plan(ROW, COUNTS, ALL, seeds=3)
    found, seen = Record(), []
    for event in scripted.events():
        add(found, event)
        if isinstance(event, RunEnded):
            seen.append(remaining_seconds(planned, found))
    assert seen[-1] == 0
    # A run that took longer than planned may lift it a little, never back to the start.
    assert all(later < seen[0] for later in seen[len(seen) // 2 :])


def test_slow_runs_lift_the_rest_of_the_estimate() -> None:
    planned = plan(ROW, COUNTS, ALL, seeds=3, on=Machine(1e14))
    found, expected = Record(), None
    for event in scripted.events():
        add(found, event)
        if isinstance(event, RunEnded) and event.run.strategy.name == "full_fine_tuning":
            done = [(r.strategy, r.seed) for r in planned.runs]
            place = done.index(("full_fine_tuning", 0))
            expected = sum(run.seconds for run in planned.runs[place + 1 :])
            break
    assert expected is not None
    assert remaining_seconds(planned, found) > 2 * expected


def test_failed_runs_are_not_waited_for() -> None:
    script = scripted.events(scripted.Scenario(fails="full_fine_tuning"))
    planned = plan(ROW, COUNTS, ALL, seeds=3)
    assert remaining_seconds(planned, record(script)) == 0


def test_the_sentence_beside_the_button() -> None:
    assert power_sentence(60, 1, False) == (
        "60 test images: gaps under about 9 points will look like ties; 3 seeds: about 5"
    )
    assert power_sentence(60, 3, False) == (
        "180 test images over 3 seeds: gaps under about 5 points will look like ties; "
        "5 seeds: about 4"
    )


def test_a_given_split_gains_no_images_from_seeds() -> None:
    one, five = power_sentence(153, 1, True), power_sentence(153, 5, True)
    assert one == five
    assert one.endswith("more seeds test the same images") and one.startswith("153 test images:")


def test_the_sentence_follows_the_statistic() -> None:
    for images, seeds in itertools.product((20, 60, 400), (1, 3, 5)):
        gap = 100 * stats.smallest_visible_gap(images * seeds)
        assert f"about {gap:.0f} points" in power_sentence(images, seeds, False) or gap < 3


def test_no_test_images_is_said_not_divided_by() -> None:
    assert power_sentence(0, 1, False) == "No test images: nothing can be compared."
