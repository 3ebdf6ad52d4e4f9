"""Each strategy beyond the five is what it says: whole runs with a small random model."""

from collections import Counter
from dataclasses import replace

import msgspec
import pytest
import torch

from tests.test_experiment import MODEL, Keeper, _probe, _with_probe, changed
from tests.test_trainer import COMPUTE, RandomInputs, model
from tl_core import adapters, config, kept_models
from tl_core.backbones import build
from tl_core.catalog import catalog
from tl_core.config import Budget, NotPossible
from tl_core.datasets import split
from tl_core.execution import Execution
from tl_core.freezing import unfreeze_all
from tl_core.heads import Probe
from tl_core.inputs import Part
from tl_core.interpolation import between
from tl_core.materials import Task, open_materials
from tl_core.pixels import Pixels
from tl_core.preparation import prepare
from tl_core.questions.finished import open_models
from tl_core.rehearsal import Rehearsal
from tl_core.relevance import most_relevant, relative_gradients
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES
from tl_core.trained import open_trained
from tl_core.wording import lowered

BEYOND = [s for name, s in STRATEGIES.items() if name not in TEXTBOOK_STRATEGIES]
COMPARED = (STRATEGIES["feature_extraction"], STRATEGIES["full_fine_tuning"], *BEYOND)


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def found(patch, tmp_path_factory, random_weights):
    """All of them on the two-class pictures, with source images to learn from; and the home."""
    from tests.conftest import _draw_pictures, _five_strategies

    path = tmp_path_factory.mktemp("beyond")
    patch.setenv("TL_HOME", str(path / "home"))
    patch.setitem(config.BUDGETS, "quick", Budget(steps=3, trials=1, scratch_extension=1))
    wanted = _five_strategies(_draw_pictures(path / "pictures"), random_weights)
    probe = _probe(path, {"tench": 20, "bee": 20})
    wanted = changed(_with_probe(wanted, probe), strategies=COMPARED)
    return Keeper().run(wanted)


def of(found, name):
    return found.final(name)[0]


def kept(found, name):
    model = kept_models.kept(of(found, name).run_id)
    assert model is not None
    return model


def exhausted(steps):
    """Return what a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def original(found):
    materials = exhausted(open_materials(found.started.config))
    return materials, {k: v.clone() for k, v in materials.original.net.state_dict().items()}


def test_all_of_them_end(found):
    assert not found.failed
    assert {run.run.strategy.name for run in found.ended.values()} == {s.name for s in COMPARED}
    for ended in found.ended.values():
        assert not ended.result.diverged
        assert ended.result.agreement is not None
        assert len(ended.result.source_predictions) == found.started.source.images == 20
        strengths = ended.run.strategy.strengths
        assert ended.run.penalty_strength == (strengths[0] if strengths else None)


def test_lp_ft_starts_as_the_linear_probe(found):
    probe = of(found, "feature_extraction").result
    for name in ("lp_ft", "surgical", "wise_ft"):
        first = of(found, name).curve[0]
        assert first.step == 0
        assert first.validation_loss == pytest.approx(probe.validation_loss, abs=1e-4)
        assert first.validation_accuracy == probe.validation_accuracy
        assert first.agreement == 1.0
    assert of(found, "full_fine_tuning").curve[0].validation_loss != pytest.approx(
        probe.validation_loss, abs=1e-3
    )


def test_lora_starts_as_the_base_and_is_merged_exactly(found):
    first, plain = of(found, "lora").curve[0], of(found, "full_fine_tuning").curve[0]
    assert first.validation_loss == pytest.approx(plain.validation_loss, abs=1e-6)
    assert first.agreement == 1.0
    materials, before = original(found)
    changed_names = set(kept(found, "lora").changed)
    assert changed_names
    weights = {name for name in before if before[name].dim() > 1}
    assert changed_names <= weights, "biases, norms and the original head stay"
    run = of(found, "lora")
    adapted = exhausted(open_trained(materials, found.started.config, run.run_id, run.run))
    backbone, _ = model(MODEL)
    assert not adapters.updates(adapted.backbone)
    assert set(adapted.backbone.net.state_dict()) == set(backbone.net.state_dict())


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1", "vit_b_16"])
def test_merged_updates_give_the_adapted_models_very_numbers(name):
    backbone, _ = model(name)
    backbone = backbone.to(memory_format=torch.channels_last).eval()
    size = catalog()[name].preprocessing.crop
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = backbone(images)
        adapters.insert(backbone, seed=3)
        assert torch.equal(backbone(images), before), "B is 0: nothing has changed yet"
        for update in adapters.updates(backbone):
            update.normal_(0, 0.02, generator=torch.Generator().manual_seed(1))
        adapted = backbone(images)
        assert not torch.equal(adapted, before)
        plain = build(catalog()[name], adapters.merged(backbone))
        plain = plain.to(memory_format=torch.channels_last).eval()
        assert torch.equal(plain(images), adapted)


def test_wise_ft_is_half_way_between_the_pretrained_model_and_lp_ft(found):
    assert of(found, "wise_ft").curve == pytest.approx(of(found, "lp_ft").curve) or [
        e.validation_loss for e in of(found, "wise_ft").curve
    ] == [e.validation_loss for e in of(found, "lp_ft").curve]
    _, before = original(found)
    wise, tuned = kept(found, "wise_ft"), kept(found, "lp_ft")
    half = between(before, {**before, **tuned.changed}, 0.5)
    assert tuned.changed
    for name, value in {**before, **wise.changed}.items():
        assert torch.equal(value, half[name]), name
    probe = kept(found, "feature_extraction")
    halfway = 0.5 * probe.weight.float() + 0.5 * tuned.weight
    assert torch.allclose(wise.weight, halfway, atol=1e-6)


def test_surgical_trains_the_block_that_it_names(found):
    chosen = of(found, "surgical").result.chosen_block
    block = next(b for b in catalog()[MODEL].blocks if b.name == chosen)
    moved = set(kept(found, "surgical").changed)
    assert moved
    assert all(name.startswith(tuple(f"{path}." for path in block.modules)) for name in moved)
    assert all(
        ended.result.chosen_block is None
        for ended in found.ended.values()
        if ended.run.strategy.name != "surgical"
    )


def test_the_relative_gradient_is_the_gradients_length_over_the_weights():
    backbone, head = model("mobilenet_v3_small")
    unfreeze_all(backbone)
    part = Part((0, 1, 2, 3), (0, 1, 0, 1))
    inputs = RandomInputs()
    found = relative_gradients(backbone, head, inputs, part, COMPUTE)
    assert most_relevant(backbone, head, inputs, part, COMPUTE) == found.index(max(found))
    head.eval()
    loss = torch.nn.functional.cross_entropy(
        head(backbone(inputs.images[:4])), torch.tensor(part.labels)
    )
    block = backbone.blocks[2].parameters()
    gradients = torch.autograd.grad(loss, block)
    length = sum(float(g.square().sum()) for g in gradients) ** 0.5
    weights = sum(float(p.detach().square().sum()) for p in block) ** 0.5
    assert found[2] == pytest.approx(length / weights, rel=1e-3)


def test_a_strong_penalty_holds_and_the_trained_weights_tell(found):
    """At 1,000 times the strength L2-SP and EWC leave the weights nearly where they were."""
    strong = [
        msgspec.structs.replace(STRATEGIES[name], strengths=(1e4,)) for name in ("l2_sp", "ewc")
    ]
    held = Keeper().run(changed(found.started.config, strategies=tuple(strong)))
    _, before = original(found)

    def moved(record, name):
        tensors = kept(record, name).changed
        return sum(float((t - before[k]).square().sum()) for k, t in tensors.items()) ** 0.5

    for name in ("l2_sp", "ewc"):
        assert moved(held, name) < 0.7 * moved(found, name)
        assert moved(found, name) <= moved(found, "full_fine_tuning") * 1.001


def test_what_cannot_run_is_told_and_the_others_go_on(found):
    data = msgspec.structs.replace(found.started.config.data, probe=None, probe_name=None)
    wanted = changed(
        found.started.config,
        data=data,
        strategies=tuple(STRATEGIES[n] for n in ("ewc", "rehearsal", "feature_extraction")),
    )
    without = Keeper().run(wanted)
    assert [failed.run.strategy.name for failed in without.failed.values()] == ["ewc", "rehearsal"]
    assert all("labelled source images" in one.reason for one in without.failed.values())
    assert without.final("feature_extraction")
    assert without.finished is not None


def test_abbreviations_stay_as_they_are_inside_a_sentence():
    assert lowered("Full fine-tuning") == "full fine-tuning"
    assert lowered("Norm-only tuning") == "norm-only tuning"
    for title in ("LP-FT", "L2-SP", "EWC", "LwF", "LoRA", "WiSE-FT"):
        assert lowered(title) == title


def test_what_a_strategy_prepares_is_charged_once_to_each_of_its_runs(found):
    """The probe's share and the Fisher information's seconds, however often they were needed."""
    materials, _ = original(found)
    ended = of(found, "feature_extraction")
    probe = kept(found, "feature_extraction")
    solved = Probe(probe.weight.numpy(), probe.bias.numpy(), 1.0, 0.0, 1)
    even = {name: torch.ones_like(p) for name, p in materials.original.net.named_parameters()}
    part = split(materials.dataset, 0)
    looked = len(part.train) + len(part.validation)
    look = looked * materials.read_out.seconds_per_image
    for name, seconds in (("lp_ft", 100.0 + look), ("ewc", 50.0), ("full_fine_tuning", 0.0)):
        run = of(found, name).run
        task = Task(ended.run_id, run, part, materials, {})
        made = prepare(task, None, lambda _: (solved, 100.0), lambda: (even, 50.0))
        assert made.seconds == pytest.approx(seconds)


def test_rehearsal_practises_on_the_half_that_does_not_measure(found, monkeypatch):
    """With any other source images, or other labels of them, it is another run."""
    seen, losses, look = Counter(), Rehearsal.losses, Pixels.evaluation_batch
    practising = []

    def watched(*args):
        steps = losses(*args)
        while True:
            practising.append(True)
            try:
                loss = next(steps)
            except StopIteration:
                return
            finally:
                practising.clear()
            yield loss

    def looked(pixels, indices):
        seen[pixels.key] += len(indices) * bool(practising)
        return look(pixels, indices)

    monkeypatch.setattr(Rehearsal, "losses", watched)
    monkeypatch.setattr(Pixels, "evaluation_batch", looked)
    wanted = changed(found.started.config, strategies=(STRATEGIES["rehearsal"],))
    again = Keeper().run(wanted)
    materials = exhausted(open_materials(wanted))
    keys = {name: getattr(materials, name).inputs.pixels.key for name in ("probe", "learning")}
    assert keys["probe"] != keys["learning"]
    run = of(again, "rehearsal").run
    assert seen[keys["probe"]] == seen[materials.pixels.key] == 0
    assert seen[keys["learning"]] == run.steps * run.batch_size
    assert again.started.source.set_aside == len(materials.learning.labels) == 20
    assert of(again, "rehearsal").run_id == of(found, "rehearsal").run_id

    def identity(name, of_learning):
        changed_materials = replace(materials, learning=of_learning)
        nothing = (lambda _: None, lambda _: None, lambda *_: None)
        return Execution(wanted, changed_materials, *nothing).identity(of(found, name).run)

    others = replace(materials.learning, inputs=materials.probe.inputs)
    renamed = replace(materials.learning, labels=materials.learning.labels[::-1])
    differs = {
        (name, what): identity(name, learning) != of(found, name).run_id
        for name in ("rehearsal", "ewc", "full_fine_tuning")
        for what, learning in (("images", others), ("labels", renamed))
    }
    # EWC asks for the model's own answers, not for labels.
    assert {key for key, value in differs.items() if value} == {
        ("rehearsal", "images"),
        ("rehearsal", "labels"),
        ("ewc", "images"),
    }


def test_rehearsal_is_charged_for_the_source_images(found):
    rehearsed, plain = of(found, "rehearsal").result, of(found, "full_fine_tuning").result
    assert rehearsed.steps == plain.steps
    assert rehearsed.flops == 2 * plain.flops


def test_without_a_half_to_learn_from_rehearsal_says_why(found):
    materials, _ = original(found)
    without = replace(materials, learning=None, lacks_learning="All of them measure.")
    task = Task("r", of(found, "rehearsal").run, split(materials.dataset, 0), without, {})
    with pytest.raises(NotPossible, match="All of them measure"):
        prepare(task, None, lambda _: None, lambda: ({}, 0.0))


def test_a_repeated_rehearsal_finds_its_source_images(found):
    for name, learns in (("rehearsal", True), ("l2_sp", False)):
        config = changed(found.started.config, strategies=(STRATEGIES[name],))
        run = of(found, name)
        materials, models = exhausted(open_models(config, {run.run_id: run.run}))
        assert (materials.learning is not None) == learns
        assert set(models) == {run.run_id}
