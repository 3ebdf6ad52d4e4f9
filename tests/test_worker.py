"""The worker: events in order, the slot given up at the right moment, reasons for people."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import comparison_config, epoch_ended, run_ended, run_started
from tl_core import owners, pipe, weights, worker
from tl_core.catalog import catalog
from tl_core.events import Progress
from tl_core.ingest import BadInput
from tl_core.weights import BadWeights


class Recorder:
    """Stands for the worker's end of the pipe."""

    def __init__(self, give_way: bool = False) -> None:
        self.sent: list[object] = []
        self.must_give_way = give_way

    def send(self, message: object) -> None:
        self.sent.append(message.event)


def run_events(run_id: str, reused: bool = False) -> list:
    return [run_started(run_id, reused=reused), epoch_ended(run_id, 1), run_ended(run_id)]


def test_events_are_sent_in_order():
    end, events = Recorder(), [*run_events("r1"), *run_events("r2")]
    assert worker.relay(iter(events), end) == pipe.Done()
    assert end.sent == events


def test_the_slot_is_given_up_before_the_next_run():
    end = Recorder(give_way=True)
    events = iter([*run_events("r1"), *run_events("r2")])
    assert worker.relay(events, end) == pipe.Yielded()
    assert end.sent == run_events("r1")


def test_reused_runs_do_not_count_as_progress():
    end = Recorder(give_way=True)
    events = [*run_events("r1", reused=True), *run_events("r2"), *run_events("r3", reused=True)]
    assert worker.relay(iter([*events, *run_events("r4")]), end) == pipe.Yielded()
    assert end.sent == events


def test_a_job_whose_last_run_is_done_ends_instead_of_giving_way():
    end = Recorder(give_way=True)
    assert worker.relay(iter(run_events("r1")), end) == pipe.Done()


def test_checkpoints_are_removed_when_their_run_ended(home, monkeypatch):
    from tl_core import experiment
    from tl_core.checkpoints import Checkpoints

    monkeypatch.setattr("tl_core.checkpoints.INTERVAL_SECONDS", 0.0)
    Checkpoints().save("r1", lambda: {"step": 1})

    def run_comparison(config, finished, load_state, save_state, halvings):
        assert load_state("r1") == {"step": 1} and halvings == 2
        save_state("r2", lambda: {"step": 2})
        yield from run_events("r1")
        yield Progress(message="next")

    monkeypatch.setattr(experiment, "run_comparison", run_comparison)
    for _ in worker.compare(comparison_config(), lambda run_id: None, halvings=2):
        pass
    assert Checkpoints().load("r1") is None
    assert Checkpoints().load("r2") == {"step": 2}


def test_a_download_reports_progress_in_steps(monkeypatch):
    def download(model, progress):
        assert model == catalog()["squeezenet1_1"]
        for i in range(1001):
            progress(i / 1000)

    monkeypatch.setattr(weights, "download", download)
    end = Recorder()
    job = pipe.Job("id", "download", None, {"model": "squeezenet1_1"})
    assert worker.run(job, end) == pipe.Done()
    fractions = [event.fraction for event in end.sent]
    assert fractions[0] == 0.0 and fractions[-1] == pytest.approx(1.0, abs=0.011)
    assert 50 < len(fractions) <= 101


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'dance' cannot be run"):
        worker.run(pipe.Job("id", "dance", None, {}), Recorder())


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (BadInput("Only one class. Bring two."), "Only one class. Bring two."),
        (BadWeights("A key is missing."), "A key is missing."),
        (MemoryError(), "The memory ran out. Close other programs, or choose a smaller model."),
        (
            OSError("cannot read /home/ada/x.png"),
            "The job stopped with an error (OSError): cannot read x.png",
        ),
    ],
)
def test_reasons_are_sentences_for_people(error, shown):
    assert worker.reason(error) == shown


def test_memory_of_the_graphics_card_has_its_own_reason():
    import torch

    assert "graphics card" in worker.reason(torch.OutOfMemoryError("CUDA out of memory"))


@pytest.mark.parametrize(
    ("owner", "acting"),
    [
        ("local", "local"),
        ("ab" * 16, "ab" * 16),
        ("shared:0123", owners.EVERYBODY),
    ],
)
def test_all_of_the_process_acts_for_who_asked(owner, acting):
    try:
        worker.act_for(owner)
        with ThreadPoolExecutor(1) as pool:
            assert {owners.current(), pool.submit(owners.current).result()} == {acting}
    finally:
        owners.ask(None)


def test_a_strange_owner_is_nobody():
    with pytest.raises(owners.NoOwner):
        worker.act_for("../ada")
