"""What holds training back: each kind changes what it says, alike for all that train."""

import itertools
import typing

import msgspec
import pytest
import torch
from torch import nn

from tests.test_activations import drain, finished
from tests.test_trainer import COMPUTE, RandomInputs, model, run_config, values
from tl_core import activations, cache, config, heads, mixup, plans
from tl_core.config import Budget, Regularisation
from tl_core.early_stopping import EarlyStopping
from tl_core.execution import Execution
from tl_core.inputs import Part
from tl_core.materials import Task, open_materials
from tl_core.preparation import prepare
from tl_core.regularisation import DROPOUT, RULES, trials_left, weight_decay
from tl_core.strategies import STRATEGIES
from tl_core.trainer import Fit

KINDS = typing.get_args(Regularisation)
NAME = "squeezenet1_1"
FULL = STRATEGIES["full_fine_tuning"]
PARTIAL = STRATEGIES["partial_fine_tuning"]


def fit(kind, strategy=FULL, steps=6, rate=1e-3, resume=None, inputs=None, **changes):
    backbone, head = model(NAME)
    head.dropout.p = RULES[kind].dropout
    run = msgspec.structs.replace(
        run_config(strategy, steps, rate=rate), regularisation=kind, **changes
    )
    training, validation = Part(tuple(range(7)), (0, 1, 0, 1, 0, 1, 1)), Part((7, 8, 9), (0, 1, 0))
    given = inputs or RandomInputs()
    made = Fit("r", run, backbone, head, given, training, validation, COMPUTE, resume=resume)
    return made, backbone, head


def test_every_name_has_rules_of_one_thing_alone():
    assert set(RULES) == set(KINDS)
    off = RULES["none"]
    for kind in set(KINDS) - {"usual", "none"}:
        differing = [
            field
            for field in ("decays", "dropout", "label_smoothing", "mixup", "patience")
            if getattr(RULES[kind], field) != getattr(off, field)
        ]
        assert len(differing) == 1, kind
    assert RULES["usual"].dropout == RULES["dropout"].dropout == DROPOUT == heads.DROPOUT
    assert not any(RULES[kind].stochastic_depth for kind in set(KINDS) - {"usual"})


@pytest.mark.parametrize("strategy", [FULL, STRATEGIES["from_scratch"]], ids=lambda s: s.name)
def test_weight_decay_follows_the_name(strategy):
    first = 1e-4 if strategy.pretrained else 5e-4
    assert weight_decay("usual", strategy, 0.3) == 0.3
    assert weight_decay("weight_decay", strategy, 0.0) == first
    for kind in set(KINDS) - {"usual", "weight_decay"}:
        assert weight_decay(kind, strategy, 0.3) == 0.0


def test_trials_that_would_be_the_same_are_not_planned():
    assert [trials_left("usual", trials) for trials in (1, 3, 6)] == [1, 3, 6]
    assert [trials_left("none", trials) for trials in (1, 3, 6)] == [1, 3, 3]


@pytest.fixture
def prepared(small_comparison, monkeypatch):
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=4, trials=1, scratch_extension=1))
    monkeypatch.setattr(activations, "_reading_pays", lambda prefix: True)
    names = ("feature_extraction", "partial_fine_tuning", "full_fine_tuning")
    return msgspec.structs.replace(
        small_comparison, strategies=tuple(STRATEGIES[name] for name in names), input_size=32
    )


def test_each_kind_is_another_training_and_the_probe_keeps_its_own(prepared):
    found = {
        kind: finished(msgspec.structs.replace(prepared, regularisation=kind)) for kind in KINDS
    }
    for name in ("partial_fine_tuning", "full_fine_tuning"):
        results = [found[kind].final(name)[0] for kind in KINDS]
        assert len({ended.run_id for ended in results}) == len(KINDS)
        told = {ended.result.test_log_probabilities for ended in results}
        # Early stopping that has not stopped yet may keep the weights of training without anything.
        assert len(told) >= len(KINDS) - 1
    assert len({f.final("feature_extraction")[0].run_id for f in found.values()}) == 1
    decays = {kind: found[kind].final("full_fine_tuning")[0].run.weight_decay for kind in KINDS}
    assert {kind for kind, decay in decays.items() if decay} == {"usual", "weight_decay"}


def test_planned_runs_are_those_that_are_run(prepared, monkeypatch):
    monkeypatch.setitem(config.BUDGETS, "quick", Budget(steps=3, trials=6, scratch_extension=1))
    asked = msgspec.structs.replace(
        prepared, strategies=(PARTIAL,), regularisation="label_smoothing"
    )
    found = finished(asked)
    assert found.started.planned_runs == len(found.ended) == 3 + 1


def test_dropout_and_stochastic_depth_are_those_of_the_rules(prepared):
    materials = drain(open_materials(prepared))
    nothing = lambda *_: None  # noqa: E731
    for kind in KINDS:
        asked = msgspec.structs.replace(prepared, regularisation=kind)
        runs = Execution(asked, materials, nothing, nothing, nothing)
        run = runs._run(FULL, 0, "final", 1, config.Setting(learning_rate=1e-3, weight_decay=0.0))
        made = prepare(Task("r", run, runs.split(0), materials, {}), None, nothing, nothing)
        assert made.head.dropout.p == RULES[kind].dropout
        inside = [m.p for m in made.backbone.modules() if isinstance(m, nn.Dropout)]
        assert inside and any(inside) == (kind == "usual")


def test_label_smoothing_is_the_mixture_with_all_classes():
    made, _, _ = fit("label_smoothing")
    logits, labels = torch.tensor([[2.0, -1.0], [0.5, 0.0]]), torch.tensor([0, 1])
    logs = logits.log_softmax(dim=1)
    expected = -(0.95 * logs[[0, 1], [0, 1]] + 0.05 * logs[[0, 1], [1, 0]]).sum()
    assert float(made._loss(logits, labels)) == pytest.approx(float(expected))


def test_mixup_mixes_inputs_and_losses_alike():
    mix = mixup.Mix(0.25, torch.tensor([1, 2, 0]))
    batch = torch.eye(3)
    assert torch.allclose(mix.inputs(batch)[0], torch.tensor([0.25, 0.75, 0.0]))
    logits, labels = torch.randn(3, 2), torch.tensor([0, 1, 0])

    def loss(of):
        return nn.functional.cross_entropy(logits, of, reduction="sum")

    soft = 0.25 * torch.eye(2)[labels] + 0.75 * torch.eye(2)[labels[mix.partners]]
    expected = nn.functional.cross_entropy(logits, soft, reduction="sum")
    assert float(mix.loss(loss, labels)) == pytest.approx(float(expected))


def test_a_mixture_is_decided_by_seed_step_and_place():
    first, again = mixup.drawn(0.2, 3, 7, 0, 32), mixup.drawn(0.2, 3, 7, 0, 32)
    assert first.share == again.share and torch.equal(first.partners, again.partners)
    assert sorted(first.partners.tolist()) == list(range(32))
    others = [mixup.drawn(0.2, *numbers, 32) for numbers in ((4, 7, 0), (3, 8, 0), (3, 7, 1))]
    assert [other.share == first.share for other in others] == [False, False, True]
    assert not any(torch.equal(other.partners, first.partners) for other in others)
    shares = [mixup.drawn(0.2, 0, step, 0, 2).share for step in range(800)]
    # Beta(0.2, 0.2): mean 1/2, variance 1 / (4 * 1.4).
    assert sum(shares) / 800 == pytest.approx(0.5, abs=0.06)
    assert torch.tensor(shares).var() == pytest.approx(1 / 5.6, abs=0.02)


def test_mixing_kept_and_recomputed_activations_is_the_same(prepared, monkeypatch):
    asked = msgspec.structs.replace(prepared, strategies=(PARTIAL,), regularisation="mixup")
    kept = finished(asked)
    monkeypatch.setattr(cache, "has_room", lambda _: False)
    for path in (cache.folder("cache") / "activations").iterdir():
        path.rename(path.parent.with_name(path.name))
    fresh = finished(asked)
    assert kept.ended.keys() == fresh.ended.keys()
    ((run_id, one),) = kept.ended.items()
    for first, second in zip(one.curve, fresh.ended[run_id].curve, strict=True):
        assert first.train_loss == pytest.approx(second.train_loss, abs=2e-3)
        assert first.validation_loss == pytest.approx(second.validation_loss, abs=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_blocks_stay_bit_identical(kind):
    made, backbone, _ = fit(kind, PARTIAL)
    before = values(backbone)
    list(made)
    after = values(backbone)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    last = {f"features.{place}." for place in (11, 12)}
    assert changed and all(any(key.startswith(block) for block in last) for key in changed)


@pytest.mark.parametrize("kind", ["mixup", "early_stopping"])
@pytest.mark.parametrize("micro_batch", [4, 2])
def test_resumed_equals_uninterrupted(kind, micro_batch, tmp_path):
    made, backbone, head = fit(kind, steps=16, rate=3e-3, micro_batch=micro_batch)
    path, events = tmp_path / "state.pt", []
    for event in made:
        events.append(event)
        if event.step == 6:
            torch.save(made.state(), path)
    torch.manual_seed(999)
    state = torch.load(path, weights_only=True)
    again, resumed, resumed_head = fit(
        kind, steps=16, rate=3e-3, micro_batch=micro_batch, resume=state
    )
    list(again)
    told = [
        [(e.step, e.train_loss, e.validation_loss) for e in one.history] for one in (made, again)
    ]
    assert told[0] == told[1]
    assert made.kept_step == again.kept_step
    for key, value in backbone.net.state_dict().items():
        assert torch.equal(value, resumed.net.state_dict()[key])
    assert torch.equal(head.linear.weight, resumed_head.linear.weight)


def test_early_stopping_measures_the_weights_of_the_lowest_loss():
    made, backbone, _ = fit("early_stopping", steps=60, rate=2e-2)
    seen = {event.step: values(backbone) for event in made}
    losses = {event.step: event.validation_loss for event in made.history if event.step}
    best = min(losses, key=losses.__getitem__)
    assert made.kept_step == best
    last = max(losses)
    assert made.step == last < 60, "it waited for ever"
    assert len([step for step in losses if step > best]) == RULES["early_stopping"].patience
    now = values(backbone)
    assert all(torch.equal(now[key], seen[best][key]) for key in now)
    assert any(not torch.equal(now[key], seen[last][key]) for key in now)


def test_patience_counts_looks_without_a_lower_loss():
    module = nn.Linear(1, 1)
    watch = EarlyStopping(2, module)
    over = []
    for step, loss in enumerate([1.0, 0.8, 0.9, 0.7, 0.7, 0.71]):
        with torch.no_grad():
            module.weight.fill_(step)
        watch.look(step, loss)
        over.append(watch.over)
    assert over == [False, False, False, False, False, True]
    watch.bring_back()
    assert module.weight.item() == 3.0 and watch.step == 3


def test_a_stopped_run_reports_the_steps_it_took(prepared, monkeypatch):
    monkeypatch.setattr(plans, "MOST_EVALUATIONS", 100)
    asked = msgspec.structs.replace(
        prepared,
        strategies=(FULL,),
        regularisation="early_stopping",
        steps=20,
        learning_rate=1e-8,
    )
    (ended,) = finished(asked).ended.values()
    steps = [event.step for event in ended.curve]
    assert ended.result.steps == steps[-1]
    assert ended.result.best_step in steps[1:]
    lowest = min(ended.curve[1:], key=lambda event: event.validation_loss)
    assert ended.result.best_step == lowest.step
    assert ended.result.validation_loss == pytest.approx(lowest.validation_loss, abs=1e-4)


def test_the_kinds_change_the_first_training_loss_or_what_follows():
    """The same seed and images: what differs is the regularisation alone."""
    curves = {}
    for kind in KINDS:
        made, _, _ = fit(kind, weight_decay=0.05 if kind == "weight_decay" else 0.0)
        curves[kind] = tuple(event.train_loss for event in made)
    for one, other in itertools.combinations(set(KINDS) - {"early_stopping", "usual"}, 2):
        assert curves[one] != curves[other], (one, other)
    assert curves["early_stopping"] == curves["none"]
