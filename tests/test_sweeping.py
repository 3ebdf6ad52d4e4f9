"""Sweeps: each point is a whole comparison, and a stopped sweep goes on to the same numbers."""

import itertools
from pathlib import Path

import msgspec
import pytest

from tests.test_experiment import Keeper, numbers
from tests.test_worker import Recorder
from tl_core import config, pipe, sweeping, worker
from tl_core.config import Budget, ComparisonConfig
from tl_core.events import (
    Answered,
    ComparisonEnded,
    Event,
    PointFailed,
    PointStarted,
    RunEnded,
    SweepEnded,
    SweepStarted,
)
from tl_core.store import Store
from tl_core.strategies import STRATEGIES
from tl_core.sweep import Sweep, SweepPoint
from tl_core.sweep_points import points
from tl_core.sweeping import run_sweep
from tl_core.swept import Swept, add, swept
from tl_core.weights import FIRST_MODEL

NAMES = ("feature_extraction", "partial_fine_tuning")


@pytest.fixture(autouse=True)
def _small_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=2, trials=1, scratch_extension=2))
    monkeypatch.setitem(config.BUDGETS, "standard", Budget(steps=2, trials=3, scratch_extension=2))


@pytest.fixture
def base(small_comparison: ComparisonConfig) -> ComparisonConfig:
    """Two cheap strategies on the two-class pictures, with trials unless they are settled."""
    chosen = tuple(STRATEGIES[name] for name in NAMES)
    return msgspec.structs.replace(
        small_comparison, strategies=chosen, threads=1, budget="standard"
    )


def run(keeper: Keeper, wanted: Sweep, most: int | None = None) -> list[Event]:
    """Run a sweep, stopped after `most` events; return what it said."""
    events = []
    going = run_sweep(wanted, keeper.ended.get, keeper.load, keeper.save)
    for event in itertools.islice(going, most):
        events.append(event)
        if isinstance(event, RunEnded):
            keeper.ended[event.run_id] = event
    return events


def results(found: Swept) -> dict[int, dict]:
    return {place: numbers(one) for place, one in found.records.items()}


def test_every_point_is_a_whole_comparison_and_a_stopped_sweep_goes_on(base, tmp_path):
    """Stopped in the middle of a training of the second point, and continued in the same log."""
    wanted = points("labels", base, [2, 4, "all"])
    whole = run(Keeper(), wanted)
    found = swept(whole)
    assert found.sweep == wanted and found.finished is not None and not found.failed
    trained = {place: one.started.dataset.n_train for place, one in found.records.items()}
    assert trained == {0: 4, 1: 8, 2: 16}
    assert len({one.started.dataset.n_test for one in found.records.values()}) == 1
    for one in found.records.values():
        assert one.finished and len(one.ended) == one.started.planned_runs == 2
        assert {run.run.kind for run in one.ended.values()} == {"final"}, "nothing is tried"
    assert whole[0] == SweepStarted(sweep=wanted) and isinstance(whole[-1], SweepEnded)

    second = [place for place, event in enumerate(whole) if isinstance(event, PointStarted)][1]
    started = [p for p, event in enumerate(whole) if type(event).__name__ == "EpochEnded"]
    stop = next(place for place in started if place > second) + 1
    keeper, store = Keeper(), Store(tmp_path / "store.sqlite3")
    job = store.create(base, "sweep", queued=False, kind="sweep")
    for most in (stop, None):
        store.append(job, run(keeper, wanted, most))
    assert keeper.loaded, "the interrupted training went on from its state"
    log = [event for _, event in store.events(job)]
    assert results(swept(log)) == results(found)
    assert [type(event) for event in log].count(SweepStarted) == 1
    assert [type(event) for event in log].count(ComparisonEnded) == 3
    assert store.get(job).config == base, "the comparison that is varied stays"


def test_points_that_share_a_run_both_have_it(base, tmp_path):
    """Steps do not change the linear probe: trained once, in the log of every point."""
    wanted = points("steps", base, [1, 2])
    events = run(Keeper(), wanted)
    store = Store(tmp_path / "store.sqlite3")
    job = store.create(base, "sweep", queued=False, kind="sweep")
    store.append(job, events)
    kept = swept(event for _, event in store.events(job))
    assert results(kept) == results(swept(events))
    probes = [one.final("feature_extraction")[0].run_id for one in kept.records.values()]
    assert len(probes) == 2 and len(set(probes)) == 1
    assert kept.records[1].runs[probes[0]].reused


def test_a_point_that_cannot_be_compared_says_why_and_the_others_go_on(base):
    lost = msgspec.structs.replace(base, weights_sha256="0" * 64)
    only = msgspec.structs.replace(base, strategies=base.strategies[:1])
    wanted = Sweep(
        name="steps",
        points=(
            SweepPoint(label="lost", value=1.0, config=lost),
            SweepPoint(label="here", value=2.0, config=only),
        ),
    )
    events = run(Keeper(), wanted)
    (failed,) = [event for event in events if isinstance(event, PointFailed)]
    assert failed.place == 0 and "bring the file again" in failed.reason
    found = swept(events)
    assert found.failed == {0: failed.reason} and found.records[1].finished
    assert found.finished is not None
    add(found, PointStarted(place=0))
    assert found.failed == {}, "what is tried again has not failed yet"


def test_a_worker_runs_a_sweep_and_gives_way_between_its_runs(base):
    only = msgspec.structs.replace(base, strategies=base.strategies[:1])
    wanted = points("labels", only, [2, "all"])
    request = msgspec.to_builtins({"sweep": wanted})
    ended: dict[str, RunEnded] = {}

    class End(Recorder):
        def find(self, run_id: str) -> RunEnded | None:
            return ended.get(run_id)

    first, second = End(give_way=True), End()
    job = pipe.Job("id", "sweep", only, request)
    assert worker.run(job, first) == pipe.Yielded()
    ended |= {event.run_id: event for event in first.sent if isinstance(event, RunEnded)}
    assert len(ended) == 1
    assert worker.run(job, second) == pipe.Done()
    found = swept([*first.sent, *second.sent])
    assert found.finished and set(found.records) == {0, 1}
    assert next(iter(found.records[0].runs.values())).reused


def test_checkpoints_of_a_sweep_are_removed_when_their_run_ended(base, home: Path):
    wanted = points("steps", base, [1, 2])
    for _ in worker.sweep(wanted, lambda run_id: None):
        pass
    assert list((home / "checkpoints").glob("*.pt")) == []


def test_what_points_share_is_opened_once(base, monkeypatch):
    only = msgspec.structs.replace(base, strategies=base.strategies[:1])
    opened = []
    original = sweeping.open_materials

    def counted(wanted):
        opened.append(wanted)
        return original(wanted)

    monkeypatch.setattr(sweeping, "open_materials", counted)
    run(Keeper(), points("labels", only, [2, 4, "all"]))
    assert len(opened) == 1
    point = SweepPoint(label="", value=None, config=only)
    other = msgspec.structs.replace(only, threads=2)
    two = Sweep(name="steps", points=(point, SweepPoint(label="", value=None, config=other)))
    run(Keeper(), two)
    assert len(opened) == 3


def test_models_are_scored_before_any_of_them_is_trained(base):
    """The model in use and the bundled one: real weights, the class map found for each."""
    only = msgspec.structs.replace(base, strategies=base.strategies[:1], labels_per_class=2)
    wanted = points("model", only, [FIRST_MODEL, only.backbone])
    events = run(Keeper(), wanted)
    found = swept(events)
    kinds = [type(event) for event in events]
    assert kinds.index(Answered) < kinds.index(PointStarted)
    models = {point.config.backbone for point in wanted.points}
    assert found.ranking.images == 4, "scored on the labels that it is trained on"
    assert {one.model for one in found.ranking.models} == models == {FIRST_MODEL, only.backbone}
    assert not found.failed and all(one.finished for one in found.records.values())
    titles = {one.started.backbone_title for one in found.records.values()}
    assert titles == {point.label for point in wanted.points}


def test_rates_begin_with_a_range_test(base):
    found = swept(run(Keeper(), points("rate", base, [0.001])))
    ranged, usual = (found.records[place] for place in (0, 1))
    assert {one.run.kind for one in ranged.ended.values()} == {"range_test"}
    (trained,) = usual.final("partial_fine_tuning").values()
    assert trained.run.learning_rate == 0.001
    assert {one.run.kind for one in usual.ended.values()} == {"final"}
    assert not found.failed and not ranged.failed and not usual.failed
