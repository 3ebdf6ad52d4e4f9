"""A sweep in several processes: the same numbers, every run once, and what goes wrong with them."""

import errno
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from tests.factories import comparison_config, epoch_ended, run_ended, run_started
from tests.test_sweeping import Keeper, results
from tl_core import memory, pipe, side_by_side, worker
from tl_core.catalog import catalog
from tl_core.claims import Claims
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.device import Compute
from tl_core.events import (
    ComparisonEnded,
    ComparisonStarted,
    Event,
    MicroBatchHalved,
    PointFailed,
    PointStarted,
    Progress,
    RunEnded,
    RunFailed,
    RunStarted,
    SweepEnded,
    SweepStarted,
)
from tl_core.merged import Merged
from tl_core.side_by_side import Shares, run_side_by_side, shares
from tl_core.store import Store
from tl_core.strategies import STRATEGIES
from tl_core.sweep import Sweep, SweepPoint
from tl_core.sweeping import run_sweep
from tl_core.swept import swept

GIGABYTE = 10**9


def of(*configs: ComparisonConfig) -> Sweep:
    points = [SweepPoint(label=str(n), value=float(n), config=c) for n, c in enumerate(configs)]
    return Sweep(name="labels", points=tuple(points), notes=("One was left out.",))


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TL_THREADS", "2")


@pytest.fixture
def wanted(small_comparison: ComparisonConfig) -> Sweep:
    """Two points that share their linear probes, the second one with trials."""
    names = ("feature_extraction", "full_fine_tuning")
    base = msgspec.structs.replace(
        small_comparison,
        strategies=tuple(STRATEGIES[n] for n in names),
        steps=2,
        seeds=2,
        threads=0,
    )
    return of(base, msgspec.structs.replace(base, budget="standard"))


def run(wanted: Sweep, keeper: Keeper) -> Iterator[Event]:
    """Run a sweep as a worker does, keeping what ends."""
    for event in worker.sweep(wanted, keeper.ended.get):
        if isinstance(event, RunEnded):
            keeper.ended[event.run_id] = event
        yield event


_ALONE: dict[bytes, dict[int, dict]] = {}


def alone(wanted: Sweep) -> dict[int, dict]:
    """Return the numbers of the same sweep in one process with one thread; run once."""
    key = msgspec.json.encode(wanted)
    if key not in _ALONE:
        shared = shares(wanted)
        assert shared is not None and shared.processes == 2
        events = run_sweep(shared.sweep, lambda _: None, lambda _: None, lambda *_: None)
        _ALONE[key] = results(swept(events))
    return _ALONE[key]


def test_two_processes_find_what_one_finds_and_execute_every_run_once(wanted, tmp_path):
    events = list(run(wanted, Keeper()))
    found = swept(events)
    assert results(found) == alone(wanted)
    kinds = Counter(one.run.kind for one in found.records[1].ended.values())
    assert kinds == {"trial": 3, "final": 4}, "linear probes and trained models of two seeds"
    assert found.sweep.notes[0] == "One was left out."
    assert found.sweep.notes[1].startswith("2 runs at a time, each on 1 of 2 cores")
    assert isinstance(events[-1], SweepEnded) and not found.failed

    fresh = [e.run_id for e in events if isinstance(e, RunStarted) and not e.reused]
    assert len(fresh) == len(set(fresh)) == len({e.run_id for e in events if type(e) is RunEnded})
    ended = [type(event) for event in events]
    assert ended.count(ComparisonStarted) == ended.count(ComparisonEnded) == 2
    store = Store(tmp_path / "store.sqlite3")
    job = store.create(wanted.points[0].config, "sweep", queued=False, kind="sweep")
    store.append(job, events)
    assert results(swept(e for _, e in store.events(job))) == results(found)


def test_when_a_process_dies_the_sweep_goes_on_to_the_same_numbers(wanted, monkeypatch):
    started: list = []

    class Watched(side_by_side.WorkerProcess):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments)
            started.append(self)

    monkeypatch.setattr(side_by_side, "WorkerProcess", Watched)
    going, keeper, events = run(wanted, Keeper()), Keeper(), []
    for event in going:
        events.append(event)
        if isinstance(event, RunEnded) and len(keeper.ended) == 0:
            keeper.ended[event.run_id] = event
            started[1]._signal("SIGKILL")
    assert len(started) == 2
    assert all(process._process.poll() is not None for process in started)
    found = swept(events)
    assert results(found) == alone(wanted) and found.finished
    assert [type(event) for event in events].count(ComparisonEnded) == 2


def test_the_last_point_begins_with_what_takes_longest(wanted):
    """Then no process waits long for another at the end; numbers are the same."""
    sweep = shares(wanted).sweep
    going = run_sweep(sweep, lambda _: None, lambda _: None, lambda *_: None, in_company=True)
    events = list(going)
    assert results(swept(events)) == alone(wanted)
    starts = [place for place, event in enumerate(events) if isinstance(event, PointStarted)]

    def order(part: list[Event]) -> list[tuple[str, int]]:
        runs = [event.run for event in part if isinstance(event, RunStarted)]
        return [(run.strategy.name, run.seed) for run in runs if run.kind == "final"]

    probe, full = "feature_extraction", "full_fine_tuning"
    first, last = events[starts[0] : starts[1]], events[starts[1] :]
    assert order(first) == [(probe, 0), (full, 0), (probe, 1), (full, 1)]
    assert order(last) == [(full, 0), (full, 1), (probe, 0), (probe, 1)]


class Said:
    """Stands for `WorkerProcess`: the first one says what it is told to, the second nothing."""

    def __init__(self, *messages: pipe.FromWorker | None) -> None:
        self.messages, self.all = messages, []

    def __call__(self, module: str, receiver) -> "Said._Process":
        assert module == "tl_core.worker"
        process = Said._Process(receiver)
        self.all.append(process)
        receiver(process, pipe.Ready({}))
        if len(self.all) == 1:
            for message in self.messages:
                receiver(process, message)
        return process

    class _Process:
        def __init__(self, receiver) -> None:
            self.receiver, self.heard, self.stopped = receiver, [], False

        def send(self, message: pipe.ToWorker) -> None:
            self.heard.append(message)

        def stop(self) -> None:
            self.stopped = True


SHARED = Shares(2, of(comparison_config(threads=1)), 2)


def said(monkeypatch, *messages: pipe.FromWorker | None, rest: tuple[Event, ...] = ()):
    processes = Said(*messages)
    monkeypatch.setattr(side_by_side, "WorkerProcess", processes)
    events = []
    going = run_side_by_side(SHARED.sweep, SHARED, lambda _: None, lambda _: iter(rest))
    try:
        for event in going:
            events.append(event)
    finally:
        assert all(process.stopped for process in processes.all) and len(processes.all) == 2
    return events, processes


@pytest.mark.parametrize("message", [pipe.Happened(MicroBatchHalved(micro_batch=16)), None])
def test_where_memory_is_short_the_rest_is_run_alone(message, monkeypatch):
    first, again = run_ended("r1"), run_ended("r2")
    told = [pipe.Happened(PointStarted(place=0)), pipe.Happened(first), message]
    rest = (PointStarted(place=0), first, again, ComparisonEnded(seconds=1.0))
    with pytest.raises(KeyError):
        said(monkeypatch, *told, rest=rest)  # it never said that the comparison started
    started = comparison_started_event()
    told[1:1] = [pipe.Happened(started)]
    events, _ = said(monkeypatch, *told, rest=(rest[0], started, *rest[1:]))
    assert events[1:5] == [PointStarted(place=0), started, first, again]
    assert [type(event) for event in events[5:]] == [ComparisonEnded, SweepEnded]


def comparison_started_event() -> ComparisonStarted:
    from tests.factories import comparison_started

    return comparison_started(comparison_config())


def test_a_frozen_process_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(side_by_side, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(pipe, "ALIVE_SECONDS", 0.1)
    ended = SweepEnded(seconds=1.0)
    events, _ = said(monkeypatch, rest=(PointStarted(place=0), run_ended("r"), ended))
    assert events[1:-1] == [PointStarted(place=0), run_ended("r")]


def test_a_process_that_cannot_go_on_says_why(monkeypatch):
    with pytest.raises(NotPossible, match="The disk is gone"):
        said(monkeypatch, pipe.Failed("The disk is gone."))
    with pytest.raises(OSError) as full:
        said(monkeypatch, pipe.Full())
    assert full.value.errno == errno.ENOSPC and worker.filled_up(full.value)


def test_the_others_begin_when_the_first_has_opened_the_data(monkeypatch):
    """With what they are to do; the first is told of it at once."""
    failed = PointFailed(place=0, reason="Gone.")
    processes = Said(pipe.Alive(), pipe.Happened(failed), pipe.Done())
    monkeypatch.setattr(side_by_side, "WorkerProcess", processes)
    going = run_side_by_side(SHARED.sweep, SHARED, lambda _: None, lambda _: iter(()), halvings=1)
    assert isinstance(next(going), SweepStarted)
    assert next(going) == PointStarted(place=0)
    first, second = processes.all
    (job,) = first.heard
    assert job.kind == "share" and job.halvings == 1
    assert msgspec.convert(job.request["sweep"], Sweep) == SHARED.sweep
    assert next(going) == failed and second.heard == []
    second.send = lambda heard: (second.heard.append(heard), second.receiver(second, pipe.Done()))
    assert isinstance(next(going), SweepEnded) and second.heard == [job]
    assert first.stopped and second.stopped


def test_a_run_is_executed_by_whoever_asks_first():
    answers: list[tuple[int, RunEnded | None, bool]] = []
    earlier = run_ended("old")
    claims = Claims(
        {"old": earlier}.get,
        lambda number, found: answers.append((number, found.run, found.elsewhere)),
    )

    def asked(number: int, run_id: str, needed: bool = False) -> list:
        answers.clear()
        claims.asked(number, pipe.Ask(run_id, needed))
        return list(answers)

    assert asked(0, "old") == asked(0, "old") == [(0, earlier, False)]
    assert asked(0, "new") == [(0, None, False)]
    assert asked(1, "new") == [(1, None, True)]
    assert asked(1, "new", needed=True) == asked(2, "new", needed=True) == []
    claims.happened(epoch_ended("new", 1))
    assert answers == []
    ended = run_ended("new")
    claims.happened(ended)
    assert answers == [(1, ended, False), (2, ended, False)]
    assert asked(1, "new", needed=True) == asked(1, "new") == [(1, ended, False)]

    assert asked(1, "lost") == [(1, None, False)]
    assert asked(0, "lost", needed=True) == []
    claims.happened(RunFailed(run_id="lost", run=ended.run, reason="It diverged."))
    assert answers == [(0, None, False)]
    assert asked(0, "lost", needed=True) == [(0, None, False)], "it is not waited for for ever"
    assert asked(0, "lost") == [(0, None, False)], "and may be tried again"
    assert asked(1, "lost") == [(1, None, True)]


def test_events_of_two_processes_become_those_of_one_sweep():
    merged, started = Merged(2), comparison_started_event()
    ended, seconds = ComparisonEnded(seconds=1.0), Progress(message="Reading", fraction=0.5)

    def add(number: int, *events: Event) -> list[Event]:
        return [found for event in events for found in merged.add(number, event)]

    point, second = PointStarted(place=0), PointStarted(place=1)
    assert add(0, SweepStarted(sweep=SHARED.sweep), seconds, point) == [seconds]
    assert add(0, started, run_started("a")) == [point, started, run_started("a")]
    assert add(1, seconds, point, started, run_started("b")) == [run_started("b")]
    assert add(0, run_ended("a"), ended) == [run_ended("a")]
    assert add(0, second, started, run_started("c")) == [second, started, run_started("c")]
    assert add(1, epoch_ended("b", 1)) == [point, epoch_ended("b", 1)]
    (last,) = add(1, run_ended("b"), ended)[1:]
    assert isinstance(last, ComparisonEnded), "when the last one has left the point"
    again = run_started("a", reused=True)
    assert add(1, second, started, again, run_ended("a")) == [second, again, run_ended("a")]
    assert add(0, again, epoch_ended("a", 1), run_ended("a")) == []
    refused = PointFailed(place=2, reason="No.")
    assert add(0, PointStarted(place=2), refused) == [PointStarted(place=2), refused]
    assert add(1, PointStarted(place=2), refused, SweepEnded(seconds=2.0)) == []


@pytest.fixture
def possible(monkeypatch: pytest.MonkeyPatch) -> ComparisonConfig:
    monkeypatch.setattr(memory, "free_bytes", lambda: 64 * GIGABYTE)
    return comparison_config(device="cpu", precision="float32", seeds=3)


def test_cores_are_shared_out_among_runs(possible, monkeypatch):
    shared = shares(of(possible, msgspec.structs.replace(possible, labels_per_class=2)))
    assert shared.processes == 2
    assert [point.config.threads for point in shared.sweep.points] == [1, 1]
    assert shared.sweep.points[1].config.labels_per_class == 2
    monkeypatch.setenv("TL_THREADS", "12")
    shared = shares(of(possible))
    assert shared.processes == 3, "no more than runs that are trained"
    assert shared.sweep.points[0].config.threads == 4
    settled = shares(of(msgspec.structs.replace(possible, precision="auto"))).sweep.points[0].config
    assert settled.precision in ("float32", "bf16") and settled.device == "cpu"


def test_one_process_works_where_several_would_not_help(possible, monkeypatch):
    change = msgspec.structs.replace
    assert shares(of(change(possible, threads=2))) is None, "as somebody said"
    assert shares(of(possible, change(possible, input_size=64))) is None, "each opens all points"
    assert shares(of(possible, change(possible, backbone="resnet18"))) is None
    assert shares(of(change(possible, strategies=possible.strategies[:1]))) is None
    assert shares(of(change(possible, backbone="nothing"))) is None
    monkeypatch.setattr(memory, "free_bytes", lambda: 1.5 * GIGABYTE)
    assert shares(of(possible)) is None, "memory for one only"
    monkeypatch.setattr(memory, "free_bytes", lambda: 64 * GIGABYTE)
    monkeypatch.setenv("TL_THREADS", "1")
    assert shares(of(possible)) is None


def test_memory_grows_with_what_a_model_keeps_of_its_images():
    row, compute = catalog()["mobilenet_v3_small"], Compute("cpu", "float32", 1)
    needed = memory.training_bytes(row, compute)
    assert 8e8 < needed < 3e9
    larger = msgspec.structs.replace(
        row, preprocessing=msgspec.structs.replace(row.preprocessing, crop=448)
    )
    grown = memory.training_bytes(larger, compute) - memory.PROCESS_BYTES
    assert 3 < grown / (needed - memory.PROCESS_BYTES) < 4.5
    assert 0 < memory.free_bytes() < 1e14
