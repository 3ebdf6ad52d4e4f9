"""Whole comparisons on real files with a small model of random weights, a few steps each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tl_core import config, freezing, ingest, metrics, predictions
from tl_core.config import Budget, ComparisonConfig, DataConfig
from tl_core.events import (
    ComparisonEnded,
    ComparisonStarted,
    EpochEnded,
    MicroBatchHalved,
    RunEnded,
    RunStarted,
)
from tl_core.execution import SMALLEST_MICRO_BATCH, choose_trial
from tl_core.experiment import run_comparison
from tl_core.record import Record, add, record
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES, custom_strategy
from tl_core.tables import rows

MODEL = "mobilenet_v3_small"
BLOCKS = 13


@pytest.fixture(autouse=True)
def _small_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=3, trials=1, scratch_extension=2))
    monkeypatch.setitem(config.BUDGETS, "standard", Budget(steps=3, trials=3, scratch_extension=2))


@pytest.fixture
def prepared(small_comparison: ComparisonConfig) -> ComparisonConfig:
    """A comparison of all five strategies on the two-class pictures."""
    return small_comparison


def changed(prepared: ComparisonConfig, **fields: object) -> ComparisonConfig:
    import msgspec

    return msgspec.structs.replace(prepared, **fields)


class Keeper:
    """What a caller of `run_comparison` keeps: ended runs and the last state of each run."""

    def __init__(self) -> None:
        self.ended: dict[str, RunEnded] = {}
        self.states: dict[str, dict] = {}
        self.loaded: list[str] = []

    def save(self, run_id: str, state: Callable[[], dict]) -> None:
        import copy

        self.states[run_id] = copy.deepcopy(state())

    def load(self, run_id: str) -> dict | None:
        if run_id in self.states:
            self.loaded.append(run_id)
        return self.states.get(run_id)

    def run(self, wanted: ComparisonConfig, stop: Callable[[object], bool] | None = None) -> Record:
        found = Record()
        for event in run_comparison(wanted, self.ended.get, self.load, self.save):
            add(found, event)
            if isinstance(event, RunEnded):
                self.ended[event.run_id] = event
            if stop and stop(event):
                break
        return found


def numbers(found: Record) -> dict[str, tuple]:
    """Everything a run measured, except clocks and memory."""
    return {
        run_id: (
            ended.result.test_predictions,
            ended.result.test_confidences,
            ended.result.validation_loss,
            ended.result.train_accuracy,
            ended.result.source_predictions,
            ended.result.agreement,
            tuple((e.step, e.train_loss, e.validation_loss, e.agreement) for e in ended.curve),
        )
        for run_id, ended in found.ended.items()
    }


def test_five_strategies_from_files_to_rows(prepared):
    keeper = Keeper()
    events = list(run_comparison(prepared, keeper.ended.get, keeper.load, keeper.save))
    found = record(events)
    assert isinstance(events[-1], ComparisonEnded)
    assert isinstance(next(e for e in events if not hasattr(e, "message")), ComparisonStarted)
    order = [
        e.run.strategy.name for e in events if isinstance(e, RunEnded) and e.run.kind == "final"
    ]
    assert order == list(TEXTBOOK_STRATEGIES)
    assert found.started.planned_runs == len(found.ended) == 6
    assert found.started.majority_accuracy == 0.5
    measured = {row.strategy: row for row in rows(found)}
    assert all(row.seeds == 1 and 0 <= row.test_accuracy <= 1 for row in measured.values())
    for name in ("zero_shot", "feature_extraction"):
        assert measured[name].agreement == 1.0
        assert abs(measured[name].cka_drift) < 1e-9
    assert measured["full_fine_tuning"].cka_drift > 1e-6
    assert measured["from_scratch"].agreement is None
    assert measured["from_scratch"].test_accuracy_equal_steps is not None
    assert measured["from_scratch"].steps == 2 * measured["full_fine_tuning"].steps
    trained = [measured[n].trainable_parameters for n in TEXTBOOK_STRATEGIES]
    assert trained[0] == 0
    assert (
        trained[1]
        < trained[2]
        < trained[3]
        == trained[4]
        == measured["from_scratch"].total_parameters
    )
    assert measured["partial_fine_tuning"].flops < measured["full_fine_tuning"].flops
    assert all(row.forgetting_points is None for row in measured.values())
    assert [b.name for b in found.started.baselines] == ["majority_class", "nearest_neighbour"]
    for ended in found.ended.values():
        check_probabilities(ended)


def check_probabilities(ended: RunEnded) -> None:
    """What is kept of every image agrees with the summary numbers."""
    result, kept = ended.result, predictions.tested(ended)
    assert tuple(kept.labels) == result.test_labels
    assert tuple(kept.images) == result.test_images
    assert kept.probabilities.sum(axis=1) == pytest.approx(np.ones(len(kept.labels)), abs=1e-5)
    assert tuple(kept.log_probabilities.argmax(axis=1)) == result.test_predictions
    assert kept.probabilities.max(axis=1) == pytest.approx(result.test_confidences, abs=2e-5)
    known = predictions.validated(ended)
    assert known.correct.mean() == pytest.approx(result.validation_accuracy)
    loss = metrics.log_loss(known.probabilities, known.labels)
    assert loss == pytest.approx(result.validation_loss, rel=1e-3, abs=1e-4)


def test_all_blocks_frozen_is_exactly_the_original_and_a_leak_is_seen(prepared, monkeypatch):
    frozen = changed(prepared, strategies=(custom_strategy([True] * BLOCKS),))
    row = rows(Keeper().run(frozen))[0]
    assert row.agreement == 1.0
    assert abs(row.cka_drift) < 1e-9
    original = freezing.set_modes

    def leaky(backbone, head, stage, statistics):
        original(backbone, head, stage, statistics)
        backbone.blocks[-2].modules[0].train()

    monkeypatch.setattr("tl_core.trainer.set_modes", leaky)
    monkeypatch.setattr("tl_core.runs.frozen_prefix", lambda *_: 0)
    leaked = rows(Keeper().run(frozen))[0]
    assert leaked.cka_drift > 1e-6


def test_interrupted_and_resumed_equals_uninterrupted(prepared):
    wanted = changed(prepared, seeds=2)
    whole = Keeper().run(wanted)
    keeper = Keeper()
    keeper.run(wanted, stop=lambda e: isinstance(e, EpochEnded) and e.step == 2 and _is(e, keeper))
    assert keeper.states
    resumed = keeper.run(wanted)
    assert keeper.loaded
    assert numbers(resumed) == numbers(whole)
    steps = {run: sorted(curve) for run, curve in resumed.curves.items()}
    assert steps == {run: sorted(curve) for run, curve in whole.curves.items()}
    reused = [run for run in resumed.runs.values() if run.reused]
    assert 0 < len(reused) < len(resumed.runs)


def _is(event: EpochEnded, keeper: Keeper) -> bool:
    """Stop inside the first run that trains the whole backbone."""
    return len(keeper.ended) == 3


def test_a_finished_comparison_is_not_run_twice(prepared):
    keeper = Keeper()
    first = keeper.run(prepared)
    second = keeper.run(prepared)
    assert all(run.reused for run in second.runs.values())
    assert numbers(first) == numbers(second)
    assert second.curves == first.curves


def test_identity_follows_what_decides_numbers_and_not_wording(prepared):
    import msgspec

    full = STRATEGIES["full_fine_tuning"]
    keeper = Keeper()
    keeper.run(changed(prepared, strategies=(full,)))
    renamed = msgspec.structs.replace(full, name="mine", title="Mine")
    again = keeper.run(changed(prepared, strategies=(renamed,)))
    assert all(run.reused for run in again.runs.values())
    assert [row.strategy for row in rows(again)] == ["mine"]
    for other in ({"seeds": 2}, {"threads": 2}, {"budget": "standard"}):
        found = keeper.run(changed(prepared, strategies=(full,), **other))
        assert not all(run.reused for run in found.runs.values())


def test_trials_choose_a_rate_once_for_all_seeds(prepared):
    wanted = changed(
        prepared, strategies=(STRATEGIES["partial_fine_tuning"],), budget="standard", seeds=2
    )
    found = Keeper().run(wanted)
    kinds = [ended.run.kind for ended in found.ended.values()]
    assert kinds == ["trial", "trial", "trial", "final", "final"]
    trials = [ended for ended in found.ended.values() if ended.run.kind == "trial"]
    assert all(trial.result.test_images == () for trial in trials)
    chosen = choose_trial(trials, trials[0].result.validation_images)
    finals = found.final("partial_fine_tuning").values()
    assert {ended.run.learning_rate for ended in finals} == {chosen.learning_rate}


def test_trial_rule_prefers_the_smallest_rate_within_one_standard_error(prepared):
    import msgspec

    found = Keeper().run(
        changed(prepared, strategies=(STRATEGIES["partial_fine_tuning"],), budget="standard")
    )
    template = next(e for e in found.ended.values() if e.run.kind == "trial")

    def trial(rate: float, loss: float, accuracy: float, diverged: bool = False) -> RunEnded:
        return msgspec.structs.replace(
            template,
            run=msgspec.structs.replace(template.run, learning_rate=rate),
            result=msgspec.structs.replace(
                template.result,
                validation_loss=loss,
                validation_accuracy=accuracy,
                diverged=diverged,
            ),
        )

    close = [trial(1e-4, 0.30, 0.89), trial(3e-4, 0.25, 0.90), trial(1e-3, 0.20, 0.92)]
    assert choose_trial(close, 50).learning_rate == 1e-4
    assert choose_trial(close, 5000).learning_rate == 1e-3
    assert choose_trial([trial(1e-4, 0.1, 0.99, True), close[2]], 50).learning_rate == 1e-3


def _probe(tmp_path: Path, classes: dict[str, int]) -> Path:
    rng = np.random.default_rng(1)
    for name, images in classes.items():
        (tmp_path / "probe" / name).mkdir(parents=True)
        for number in range(images):
            pixels = rng.integers(0, 255, (40, 40, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "probe" / name / f"{number}.png")
    return tmp_path / "probe"


def _with_probe(prepared: ComparisonConfig, folder: Path) -> ComparisonConfig:
    probe = ingest.ingest_path(folder, kind="probe")
    data = DataConfig(
        fingerprint=prepared.data.fingerprint,
        name=prepared.data.name,
        probe=probe.fingerprint,
        probe_name=probe.name,
    )
    return changed(prepared, data=data)


def test_class_balance_reaches_every_strategy_that_learns(prepared):
    keeper = Keeper()
    plain = keeper.run(prepared)
    balanced = keeper.run(changed(prepared, class_balance="sampling"))
    same = plain.ended.keys() & balanced.ended.keys()
    assert {plain.ended[run_id].run.strategy.name for run_id in same} == {"zero_shot"}
    learned = [e.run for e in balanced.ended.values() if e.run.strategy.name != "zero_shot"]
    assert {run.class_balance for run in learned} == {"sampling"}
    assert "--class-balance sampling" in balanced.started.command


def test_labelled_probe_of_some_source_classes_measures_forgetting(prepared, tmp_path):
    folder = _probe(tmp_path, {"tench": 8, "n01443537": 8, "bee": 8, "not a class": 3})
    found = Keeper().run(_with_probe(prepared, folder))
    for ended in found.ended.values():
        outside = predictions.unpacked(ended.result.outside_confidences)
        assert len(outside) == (24 if ended.run.kind == "final" else 0)
        assert ((outside >= 0.4999) & (outside <= 1.0)).all()
    source = found.started.source
    assert (source.images, source.classes, source.source_classes) == (24, 3, 1000)
    assert source.rated
    assert set(source.labels) == {0, 1, 309}
    by_name = {row.strategy: row for row in rows(found)}
    for name in ("zero_shot", "feature_extraction"):
        row = by_name[name]
        assert row.forgetting_points == row.forgetting_low == row.forgetting_high == 0.0
    assert by_name["full_fine_tuning"].forgetting_points is not None
    assert by_name["from_scratch"].forgetting_points is None
    curve = next(iter(found.final("full_fine_tuning").values())).curve
    assert all(event.source_accuracy is not None for event in curve)


def test_a_probe_under_20_images_shows_predictions_and_no_rate(prepared, tmp_path):
    found = Keeper().run(_with_probe(prepared, _probe(tmp_path, {"tench": 5})))
    assert not found.started.source.rated
    ended = found.final("full_fine_tuning")[0]
    assert len(ended.result.source_predictions) == 5
    assert all(row.forgetting_points is None for row in rows(found))


def test_a_probe_without_any_source_class_is_refused_in_a_sentence(prepared, tmp_path):
    wanted = _with_probe(prepared, _probe(tmp_path, {"nothing known": 3}))
    with pytest.raises(config.NotPossible, match="Name the folders like source classes"):
        Keeper().run(wanted)


def test_zero_shot_without_a_map_is_not_applicable(prepared):
    found = Keeper().run(changed(prepared, class_map={}))
    row = next(row for row in rows(found) if row.strategy == "zero_shot")
    assert not row.applicable
    assert row.test_accuracy is None
    assert found.started.planned_runs == len(found.ended) == 5


def test_a_failing_run_is_told_and_the_others_go_on(prepared, monkeypatch):
    from tl_core import execution

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")

    monkeypatch.setattr(execution, "convex_probes", broken)
    found = Keeper().run(prepared)
    failed = next(row for row in rows(found) if row.strategy == "feature_extraction")
    assert "not enough memory" in failed.failure
    assert len(found.ended) == 5


def test_short_memory_halves_the_micro_batch_of_all_alike(prepared, monkeypatch):
    """Full fine-tuning does not fit at first: what was trained before it begins anew too."""
    import torch

    from tl_core import trainer

    original = trainer.Fit._step

    def short(self):
        if self.run.strategy.name == "full_fine_tuning" and self.run.micro_batch > 8:
            raise torch.OutOfMemoryError("out of memory on purpose")
        return original(self)

    monkeypatch.setattr(trainer.Fit, "_step", short)
    events = []
    keeper = Keeper()
    for event in run_comparison(prepared, keeper.ended.get, keeper.load, keeper.save):
        events.append(event)
    halved = [e.micro_batch for e in events if isinstance(e, MicroBatchHalved)]
    assert halved == [16, 8]
    found = record(events)
    assert found.micro_batch == 8
    assert not found.failed
    trained = [e.run for e in found.ended.values() if e.run.steps]
    assert {run.micro_batch for run in trained} == {8}
    assert len(found.ended) == found.started.planned_runs
    solved = [e for e in events if isinstance(e, RunEnded) and not e.run.steps]
    assert len(solved) == 2, "what is not trained step by step is not done again"


def test_what_was_too_large_before_is_not_tried_again(prepared):
    """All that trains begins as small as it was found to fit, and the result says so."""
    wanted = changed(prepared, strategies=(STRATEGIES["full_fine_tuning"],))
    events = list(run_comparison(wanted, Keeper().ended.get, lambda _: None, lambda *_: None))
    small = list(
        run_comparison(wanted, Keeper().ended.get, lambda _: None, lambda *_: None, halvings=9)
    )
    found = record([*events, *small])
    assert found.micro_batch == SMALLEST_MICRO_BATCH
    (ended,) = found.ended.values()
    assert ended.run.micro_batch == SMALLEST_MICRO_BATCH
    halved = [event.micro_batch for event in small if isinstance(event, MicroBatchHalved)]
    assert halved == [16, 8, 4]


def test_memory_that_never_suffices_is_a_failed_run(prepared, monkeypatch):
    from tl_core import execution, trainer

    def short(self):
        raise MemoryError

    monkeypatch.setattr(trainer.Fit, "_step", short)
    full = changed(prepared, strategies=(STRATEGIES["full_fine_tuning"],))
    found = Keeper().run(full)
    (failed,) = found.failed.values()
    assert "not enough memory" in failed.reason
    assert failed.run.micro_batch == execution.SMALLEST_MICRO_BATCH


def test_steps_and_rate_of_ones_own_hold_for_all_that_train(prepared):
    found = Keeper().run(changed(prepared, steps=2, learning_rate=0.003, budget="standard"))
    trained = [e for e in found.ended.values() if e.run.steps]
    assert len(trained) == 3 and len(found.ended) == found.started.planned_runs
    assert {(e.run.kind, e.run.steps, e.run.learning_rate) for e in trained} == {
        ("final", 2, 0.003)
    }
    assert "--steps 2 --learning-rate 0.003" in found.started.command


def test_missing_weights_are_a_sentence(prepared):
    with pytest.raises(config.NotPossible, match="bring the file again"):
        Keeper().run(changed(prepared, weights_sha256="0" * 64))


def test_events_of_a_run_are_announced_before_they_come(prepared):
    keeper, open_runs = Keeper(), set()
    for event in run_comparison(prepared, keeper.ended.get, keeper.load, keeper.save):
        if isinstance(event, RunStarted):
            open_runs.add(event.run_id)
        elif isinstance(event, (EpochEnded, RunEnded)):
            assert event.run_id in open_runs
