"""The learning-rate range test: rates that rise, what a curve shows, and nothing that is tested."""

import itertools
import json
import math

import msgspec
import pytest

from tests.test_trainer import COMPUTE, RandomInputs, model, run_config
from tl_core import cli, config, document, estimate, experiment, plans, range_test
from tl_core.batches import learning_rate
from tl_core.config import Budget, NotPossible
from tl_core.events import EpochEnded, RunEnded
from tl_core.flags import Evidence, flags
from tl_core.inputs import Part
from tl_core.record import record
from tl_core.request import Request, resolve
from tl_core.strategies import STRATEGIES
from tl_core.summaries import compute
from tl_core.tables import curve_frame, rows
from tl_core.terminal import range_table
from tl_core.trainer import Fit
from tl_core.verdict import verdict

RUN = msgspec.structs.replace(
    run_config(STRATEGIES["full_fine_tuning"], steps=61),
    kind="range_test",
    learning_rate=1e-5,
    highest_rate=1e1,
)


def test_the_rate_rises_by_the_same_factor_from_low_to_high():
    rates = [learning_rate(RUN, step) for step in range(61)]
    assert rates[0] == pytest.approx(1e-5) and rates[-1] == pytest.approx(10.0)
    assert rates[30] == pytest.approx(1e-2)
    factors = [after / before for before, after in itertools.pairwise(rates)]
    assert factors == pytest.approx([10**0.1] * 60)
    with pytest.raises(ValueError, match="no highest rate"):
        range_test.rate_at(msgspec.structs.replace(RUN, highest_rate=None), 1)


def curve(losses: list[float]) -> tuple[range_test.Point, ...]:
    return tuple((10.0 ** (-5 + place / 5), loss) for place, loss in enumerate(losses))


FLAT = [0.7] * 8
FALLS = [0.7 - 0.05 * place for place in range(10)]


def test_a_loss_that_falls_to_the_end_has_no_unstable_rate():
    assert range_test.unstable_from(curve(FLAT + FALLS)) is None


@pytest.mark.parametrize("end", [[0.5, 0.9, 1.6], [math.inf], [0.4, 3.0]])
def test_the_unstable_rate_is_where_the_loss_no_longer_falls(end):
    points = curve(FLAT + FALLS + end)
    found = range_test.unstable_from(points)
    lowest = points[len(FLAT) + len(FALLS) - 1][0]
    assert lowest / 1.7 <= found <= lowest * 1.7


def test_a_small_rise_after_a_fall_is_noise():
    assert range_test.unstable_from(curve([*FLAT, *FALLS, 0.26, 0.25, 0.26])) is None


def test_a_loss_that_only_rises_is_unstable_from_the_first_rate():
    points = curve([0.7, 0.7, 0.9, 1.4, 3.0])
    assert range_test.unstable_from(points) == points[0][0]
    assert range_test.steepest(points) is None
    endless = curve([math.inf, math.inf])
    assert range_test.unstable_from(endless) == endless[0][0]


def test_the_steepest_rate_is_where_the_loss_falls_fastest():
    points = curve([0.7, 0.69, 0.68, 0.6, 0.3, 0.2, 0.19, 0.9])
    assert range_test.steepest(points) in (points[3][0], points[4][0])
    assert range_test.steepest(curve([0.7])) is None
    assert range_test.unstable_from(()) is None


def test_a_loss_four_times_its_lowest_or_no_number_has_exploded():
    assert not range_test.exploded([])
    assert not range_test.exploded([0.7, 0.3, 0.9])
    assert not range_test.exploded([0.5, 0.5, 0.5, 2.9])
    assert range_test.exploded([0.5, 0.5, 0.5, 2.9, 3.0])
    assert range_test.exploded([0.5, math.inf])


def event(step: int, loss: float | None) -> EpochEnded:
    return EpochEnded(
        run_id="r",
        step=step,
        epoch=0.0,
        train_loss=loss,
        validation_loss=1.0,
        validation_accuracy=0.5,
        source_accuracy=None,
        agreement=None,
        seconds=0.0,
    )


def test_a_point_lies_in_the_middle_of_its_steps():
    points = range_test.points(RUN, [event(0, None), event(2, 0.6), event(4, 1e9)])
    assert points[0] == (pytest.approx(1e-5 * 10**0.05), 0.6)
    assert points[1][0] == pytest.approx(1e-5 * 10**0.25) and points[1][1] == math.inf


def test_a_fit_stops_when_the_loss_explodes_and_looks_about_thirty_times():
    backbone, head = model("squeezenet1_1")
    run = msgspec.structs.replace(RUN, steps=60, learning_rate=1e-4, highest_rate=1e3)
    part = Part(tuple(range(7)), (0, 1, 0, 1, 0, 1, 1))
    made = Fit("r", run, backbone, head, RandomInputs(), part, part, COMPUTE)
    events = list(made)
    assert [e.step for e in events[:4]] == [0, 2, 4, 6]
    assert made.step < 60
    found = range_test.unstable_from(range_test.points(run, events))
    assert found is not None and 1e-4 < found < 1e2


def test_there_are_enough_steps_whatever_the_budget():
    assert plans.range_steps(Budget(steps=60, trials=1, scratch_extension=2)) == 60
    assert plans.range_steps(Budget(steps=500, trials=6, scratch_extension=10)) == 166
    assert plans.evaluated_every("range_test", 166, 4.0) == 5
    assert plans.evaluated_every("final", 166, 4.0) == 9


@pytest.fixture
def asked(small_comparison, monkeypatch):
    monkeypatch.setattr(range_test, "LEAST_STEPS", 12)
    monkeypatch.setattr(plans, "LEAST_STEPS", 12)
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=3, trials=3, scratch_extension=2))
    names = ("zero_shot", "feature_extraction", "partial_fine_tuning", "from_scratch")
    return msgspec.structs.replace(
        small_comparison,
        strategies=tuple(STRATEGIES[name] for name in names),
        rate_range=(1e-5, 10.0),
        seeds=2,
        input_size=32,
    )


def ran(wanted):
    nothing = lambda *_: None  # noqa: E731
    return list(experiment.run_comparison(wanted, nothing, nothing, nothing))


def test_a_comparison_with_a_range_tests_rates_and_nothing_else(asked, monkeypatch):
    events = ran(asked)
    found = record(events)
    runs = [ended.run for ended in found.ended.values()]
    assert [run.strategy.name for run in runs] == ["partial_fine_tuning", "from_scratch"]
    assert {run.kind for run in runs} == {"range_test"} and {run.seed for run in runs} == {0}
    assert {(run.learning_rate, run.highest_rate) for run in runs} == {(1e-5, 10.0)}
    assert found.started.planned_runs == 2 and found.started.steps == 12
    assert found.finished is not None and not found.failed
    for ended in found.ended.values():
        result = ended.result
        assert result.test_images == result.test_predictions == ()
        assert result.test_log_probabilities == b"" and result.source_predictions is None
        assert len(ended.curve) >= 3
    assert "--rate-range 1e-05 10.0" in found.started.command
    other = record(ran(msgspec.structs.replace(asked, rate_range=(1e-5, 1.0))))
    assert not set(other.ended) & set(found.ended)
    counts = estimate.Counts(14, 5, 5)
    kinds = [run.kind for run in estimate.plan_of(asked, counts, None, {}).runs]
    assert kinds == ["range_test"] * 2


def test_nothing_that_reads_results_breaks_or_finds_one(asked):
    found = record(ran(asked))
    measured = rows(found)
    assert all(row.test_accuracy is None for row in measured)
    assert verdict(found, measured) is None
    assert curve_frame(found).empty
    assert not found.final("partial_fine_tuning")
    assert flags(Evidence(found, measured))
    made = document.document(found, measured)
    assert json.loads(json.dumps(made))["rate_range"] == [1e-5, 10.0]
    told = {one["strategy"]: one for one in made["range_tests"]}
    assert set(told) == {"partial_fine_tuning", "from_scratch"}
    assert len(told["from_scratch"]["learning_rates"]) == len(told["from_scratch"]["losses"]) > 2
    text = range_table(range_test.findings(found.ended.values()))
    assert "Partial fine-tuning" in text and "From scratch" not in text


def test_its_job_has_a_summary_without_a_result(asked):
    from tl_core.store import Store

    store = Store()
    job = store.create(asked, "Rates", queued=False)
    store.append(job, ran(asked))
    store.finish(job, "done")
    summary = compute(store, store.get(job))
    assert summary.strategy is None and summary.accuracy is None


def test_a_range_test_taken_up_again_stops_where_it_did(tmp_path):
    import torch

    def made(resume=None):
        backbone, head = model("squeezenet1_1")
        run = msgspec.structs.replace(RUN, steps=30)
        part = Part(tuple(range(7)), (0, 1, 0, 1, 0, 1, 1))
        return Fit("r", run, backbone, head, RandomInputs(), part, part, COMPUTE, resume=resume)

    whole = made()
    for one in whole:
        if one.step == 10:
            torch.save(whole.state(), tmp_path / "state.pt")
    again = made(torch.load(tmp_path / "state.pt", weights_only=True))
    list(again)
    assert [e.train_loss for e in again.history] == [e.train_loss for e in whole.history]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate_range": (0.0, 1.0)}, "two numbers above 0"),
        ({"rate_range": (1e-3, 5e-3)}, "at least 10 times the first"),
        ({"rate_range": (1e-3, 20.0)}, "at most 10"),
        ({"rate_range": (math.nan, 1.0)}, "two numbers above 0"),
        ({"rate_range": (1e-5, 1.0), "learning_rate": 1e-3}, "not both"),
        ({"rate_range": (1e-5, 1.0), "strategies": ("zero_shot",)}, "trained step by step"),
        ({"input_size": 31}, "from 32 to 512 pixels"),
        ({"input_size": 64, "backbone": "vit_b_16"}, "takes no other size"),
        ({"augmentation": "flips"}, "The augmentation is one of none, crops, colour"),
        ({"regularisation": "all"}, "The regularisation is one of usual, none"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_read(changes, said):
    request = Request(**{"data": "/nowhere", "backbone": "squeezenet1_1", **changes})
    with pytest.raises(NotPossible, match=said):
        resolve(request, lambda message, share: None)


def test_the_command_line_runs_it_and_prints_its_rates(
    asked, picture_folder, random_weights, capsys, tmp_path
):
    model_name, out = "mobilenet_v3_small", tmp_path / "out.json"
    words = ["compare", str(picture_folder), "--backbone", model_name, "--device", "cpu"]
    words += ["--weights", str(random_weights(model_name)), "--json", str(out)]
    words += ["--strategies", "partial_fine_tuning", "--rate-range", "1e-5", "1"]
    words += ["--input-size", "64", "--augmentation", "none", "--regularisation", "none"]
    assert cli.main(words) == 0
    printed = capsys.readouterr().out
    assert "loss falls fastest at" in printed and "not run" not in printed
    made = json.loads(out.read_text())
    assert (made["input_size"], made["augmentation"], made["regularisation"]) == (
        64,
        "none",
        "none",
    )
    assert made["verdict"] is None and len(made["range_tests"]) == 1
    assert "--input-size 64 --augmentation none --regularisation none" in made["command"]


def test_only_range_tests_are_found_among_runs():
    from tests.factories import run_ended

    usual = run_ended("a")
    assert isinstance(usual, RunEnded) and range_test.findings([usual]) == []
