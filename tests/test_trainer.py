"""The loop and freezing, over architectures with BatchNorm, LayerNorm and neither."""

import itertools
from collections.abc import Sequence

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from tl_core import adapters, freezing
from tl_core.backbones import Backbone, build
from tl_core.batches import Batches, schedule
from tl_core.catalog import catalog
from tl_core.config import RunConfig
from tl_core.device import Compute
from tl_core.heads import Head
from tl_core.inputs import Part
from tl_core.offered import why_not
from tl_core.penalties import Distillation, Penalty, Pull
from tl_core.rehearsal import Rehearsal
from tl_core.stages import block_factors, stages_of
from tl_core.strategies import (
    STRATEGIES,
    TEXTBOOK_STRATEGIES,
    Stage,
    Strategy,
    custom_strategy,
)
from tl_core.trainer import Fit

ARCHITECTURES = ("mobilenet_v3_small", "convnext_tiny", "squeezenet1_1")
COMPUTE = Compute("cpu", "float32", 1)
SIZE = 64
# Source classes of the ten images, where they are practised on.
SOURCE_LABELS = (3, 1, 4, 1, 5, 9, 2, 6, 5, 3)


class RandomInputs:
    """Ten fixed random images; 'augmentation' is noise from the given generator."""

    boundary = 0
    views = 0
    seconds_per_view = 0.0

    def __init__(self) -> None:
        self.images = torch.randn(10, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))

    def training_batch(self, indices: Sequence[int], generator: torch.Generator) -> Tensor:
        batch = self.images[list(indices)]
        return batch + 0.1 * torch.randn(batch.shape, generator=generator)

    def evaluation_batches(self, indices: Sequence[int]):
        yield self.images[list(indices)], len(indices)


def run_config(strategy: Strategy, steps: int = 4, seed: int = 0, rate: float = 1e-3) -> RunConfig:
    return RunConfig(
        strategy=strategy,
        seed=seed,
        kind="final",
        steps=steps,
        learning_rate=rate,
        weight_decay=1e-2,
        batch_size=4,
    )


def model(name: str, seed: int = 0) -> tuple[Backbone, Head]:
    torch.manual_seed(seed)
    return build(catalog()[name], None, seed=seed), Head(catalog()[name].feature_size, 2)


def fit(
    name: str, strategy: Strategy, steps: int = 4, resume=None, seed: int = 0
) -> tuple[Fit, Backbone, Head]:
    backbone, head = model(name)
    run = run_config(strategy, steps, seed)
    if strategy.parameters == "lora":
        adapters.insert(backbone, seed)
    chosen = 1 if strategy.choice == "relative_gradient" else None
    training, validation = (
        Part((0, 1, 2, 3, 4, 5, 6), (0, 1, 0, 1, 0, 1, 1)),
        Part((7, 8, 9), (0, 1, 0)),
    )
    made = Fit(
        "r",
        run,
        backbone,
        head,
        RandomInputs(),
        training,
        validation,
        COMPUTE,
        resume=resume,
        chosen=chosen,
        penalty=penalty(name, strategy, backbone, head),
    )
    return made, backbone, head


def penalty(name: str, strategy: Strategy, backbone: Backbone, head: Head) -> Penalty | None:
    if strategy.penalty == "l2_sp":
        return Pull.to_start(backbone, head, strategy.strengths[0])
    if strategy.penalty == "ewc":
        even = {key: torch.ones_like(p) for key, p in backbone.net.named_parameters()}
        return Pull.by_importance(backbone, even, strategy.strengths[0])
    if strategy.penalty == "lwf":
        teacher, _ = model(name)
        return Distillation(teacher.eval(), strategy.strengths[0], COMPUTE)
    if strategy.penalty == "rehearsal":
        return Rehearsal(RandomInputs(), SOURCE_LABELS, strategy.strengths[0], 0, COMPUTE)
    return None


def values(backbone: Backbone) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in backbone.net.state_dict().items()}


def block_keys(backbone: Backbone) -> list[set[str]]:
    """State-dict keys (parameters and buffers) of each block."""
    owner = {id(t): key for key, t in backbone.net.state_dict(keep_vars=True).items()}
    keys = []
    for block in backbone.blocks:
        tensors = [*block.parameters(), *(b for m in block.modules for b in m.buffers())]
        keys.append({owner[id(t)] for t in tensors})
    return keys


def own_layers(blocks: int) -> Strategy:
    """Every second block frozen: frozen blocks behind trainable ones."""
    return custom_strategy([place % 2 == 0 for place in range(blocks)])


TRAINED = {name: s for name, s in STRATEGIES.items() if s.solver == "steps"}
# The five and those that choose parameters by the kind of layer on every kind of network; the
# others, to whom kinds of layers do not matter, on the two that are quick.
_EVERYWHERE = (*TEXTBOOK_STRATEGIES, "custom", "norm_only", "bias_only", "lora")
WHERE = [
    (name, strategy)
    for strategy in [*TRAINED, "custom"]
    for name in ARCHITECTURES
    if strategy in _EVERYWHERE or name != "convnext_tiny"
]
# Strategies that go on after an interruption like any other, once each.
RESUMED = [("mobilenet_v3_small", strategy) for strategy in TRAINED.values()]


def may_change(backbone: Backbone, strategy: Strategy, factors) -> set[str]:
    """State-dict keys that a strategy may move, by layer type and name alone."""
    allowed = set()
    for factor, keys in zip(factors, block_keys(backbone), strict=True):
        allowed |= keys if factor is not None else set()
    norms = {
        f"{path}.{end}"
        for path, module in backbone.net.named_modules()
        if "Norm" in type(module).__name__
        for end in ("weight", "bias")
    }
    if strategy.parameters == "norm":
        return allowed & norms
    if strategy.parameters == "bias":
        return {key for key in allowed if key.endswith("bias")}
    if strategy.parameters == "lora":
        return {key for key in allowed if key.endswith((".0.a", ".0.b"))}
    return allowed


@pytest.mark.parametrize(("name", "strategy"), WHERE)
def test_frozen_parts_are_bit_identical_and_trained_ones_move(name, strategy):
    blocks = len(catalog()[name].blocks)
    chosen = TRAINED.get(strategy) or own_layers(blocks)
    if why_not(chosen, catalog()[name], 100):
        pytest.skip(why_not(chosen, catalog()[name], 100))
    made, backbone, _ = fit(name, chosen, steps=2 * blocks if chosen.unfreezing != "stated" else 4)
    before = values(backbone)
    list(made)
    after = values(backbone)
    place = 1 if chosen.choice == "relative_gradient" else None
    factors = block_factors(stages_of(chosen, blocks, place)[-1], blocks)
    allowed = may_change(backbone, chosen, factors)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed <= allowed
    moving = [keys & allowed for keys in block_keys(backbone) if keys & allowed]
    assert moving
    assert all(keys & changed for keys in moving)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("strategy", TRAINED)
def test_every_trained_parameter_is_in_one_group_of_the_optimiser(name, strategy):
    chosen = TRAINED[strategy]
    if why_not(chosen, catalog()[name], 100):
        pytest.skip(why_not(chosen, catalog()[name], 100))
    made, backbone, head = fit(name, chosen)
    for stage in range(len(made.stages)):
        made._enter_stage(stage)
        grouped = [p for group in made.optimizer.groups for p in group["params"]]
        everything = [*backbone.parameters(), *head.parameters()]
        trains = [p for p in everything if p.requires_grad]
        assert len(grouped) == len({id(p) for p in grouped}) == len(trains)
        assert {id(p) for p in grouped} == {id(p) for p in trains}
        assert all(p.requires_grad for p in head.parameters())


def test_mutation_a_batch_norm_that_updates_is_noticed(monkeypatch):
    """If one frozen BatchNorm layer were left in train mode, the test above would see it."""
    original = freezing.set_modes

    def leaky(backbone, head, stage, statistics):
        original(backbone, head, stage, statistics)
        next(m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)).train()

    monkeypatch.setattr("tl_core.trainer.set_modes", leaky)
    with pytest.raises(AssertionError):
        test_frozen_parts_are_bit_identical_and_trained_ones_move(
            "mobilenet_v3_small", "partial_fine_tuning"
        )


def test_source_statistics_hold_still_under_full_fine_tuning_and_move_from_scratch():
    for strategy, moves in (("full_fine_tuning", False), ("from_scratch", True)):
        made, backbone, _ = fit("mobilenet_v3_small", STRATEGIES[strategy])
        before = values(backbone)
        list(made)
        statistics = [key for key in before if "running_" in key]
        changed = [not torch.equal(before[k], backbone.net.state_dict()[k]) for k in statistics]
        assert statistics
        assert all(changed) if moves else not any(changed)


TWO_STAGES = Strategy(
    name="two_stages",
    title="Head, then everything, then the head again",
    summary="",
    textbook=STRATEGIES["full_fine_tuning"].textbook,
    stages=(
        Stage(0.3, 10.0, (), None),
        Stage(0.4, 10.0, (), 1.0),
        Stage(0.3, 10.0, (), None),
    ),
)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_refrozen_blocks_do_not_move_although_they_have_momentum(name):
    made, backbone, _ = fit(name, TWO_STAGES, steps=20)
    seen = {}
    for event in made:
        seen[event.step] = (made.stage, values(backbone))
    stages = {stage: step for step, (stage, _) in seen.items()}
    assert sorted(stages) == [0, 1, 2]
    last_moving, end = seen[max(s for s, (stage, _) in seen.items() if stage == 1)][1], seen[20][1]
    first_step = seen[min(seen)][1]
    assert any(not torch.equal(first_step[k], last_moving[k]) for k in end)
    last_steps = [s for s, (stage, _) in seen.items() if stage == 2]
    assert len(last_steps) >= 3
    frozen_again = seen[min(last_steps)][1]
    assert all(torch.equal(frozen_again[k], end[k]) for k in end)


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        *RESUMED,
        *((name, TWO_STAGES) for name in ARCHITECTURES),
        ("convnext_tiny", STRATEGIES["partial_fine_tuning"]),
        ("squeezenet1_1", STRATEGIES["partial_fine_tuning"]),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_resumed_equals_uninterrupted_bit_for_bit(name, strategy, tmp_path):
    if why_not(strategy, catalog()[name], 100):
        pytest.skip(why_not(strategy, catalog()[name], 100))
    made, backbone, head = fit(name, strategy, steps=12)
    path = tmp_path / "state.pt"
    events = []
    for event in made:
        events.append(event)
        if event.step == 8:
            torch.save(made.state(), path)
    torch.manual_seed(999)  # what another process would have
    again, resumed_backbone, resumed_head = fit(
        name, strategy, steps=12, resume=torch.load(path, weights_only=True)
    )
    assert again.step == 8
    continued = list(again)
    strip = [
        (e.step, e.train_loss, e.validation_loss, e.validation_accuracy) for e in again.history
    ]
    assert strip == [
        (e.step, e.train_loss, e.validation_loss, e.validation_accuracy) for e in events
    ]
    assert [e.step for e in continued] == [e.step for e in events if e.step > 8]
    for key, value in backbone.net.state_dict().items():
        assert torch.equal(value, resumed_backbone.net.state_dict()[key])
    assert torch.equal(head.linear.weight, resumed_head.linear.weight)
    trains = [p.requires_grad for p in backbone.parameters()]
    assert trains == [p.requires_grad for p in resumed_backbone.parameters()]


@pytest.mark.parametrize("name", ["convnext_tiny", "squeezenet1_1"])
def test_micro_batches_add_up_to_the_step_of_the_whole_batch(name):
    """Without batch statistics and dropout the steps differ by rounding alone."""
    import msgspec

    ended = []
    for micro_batch in (4, 2):
        backbone, head = model(name)
        head.dropout.p = 0.0
        for module in backbone.modules():
            if type(module).__name__ in ("StochasticDepth", "Dropout"):
                module.p = 0.0
        run = msgspec.structs.replace(
            run_config(STRATEGIES["full_fine_tuning"], steps=2), micro_batch=micro_batch
        )
        part = Part((0, 1, 2, 3, 4, 5, 6, 7), (0, 1, 0, 1, 0, 1, 1, 0))
        inputs = RandomInputs()
        inputs.training_batch = lambda indices, _, images=inputs.images: images[list(indices)]
        list(Fit("r", run, backbone, head, inputs, part, part, COMPUTE))
        ended.append(values(backbone))
    whole, parts = ended
    start = values(model(name)[0])
    assert any(not torch.equal(start[key], whole[key]) for key in whole)
    for key in whole:
        assert torch.allclose(whole[key], parts[key], atol=1e-5), key


def test_every_image_is_seen_once_an_epoch_and_batches_are_full():
    run = run_config(STRATEGIES["full_fine_tuning"], steps=14)
    batches = Batches((0, 1, 0, 1, 0, 1, 1), run, classes=2)
    seen = []
    for step in range(14):
        places = batches.places(step).tolist()
        assert len(places) == 4
        seen += places
    for epoch in range(8):
        assert sorted(seen[epoch * 7 : epoch * 7 + 7]) == list(range(7))


def test_sampling_draws_rare_classes_as_often_and_their_images_alike():
    labels = (0,) * 30 + (2,) * 6
    run = run_config(STRATEGIES["full_fine_tuning"], steps=500)
    batches = Batches(labels, replace(run, class_balance="sampling"), classes=3)
    drawn = torch.cat([batches.places(step) for step in range(500)])
    assert torch.equal(batches.places(7), batches.places(7))
    counts = torch.bincount(drawn, minlength=36)
    assert counts.sum() == 500 * run.batch_size
    assert counts[30:].sum() / counts.sum() == pytest.approx(0.5, abs=0.04)
    assert counts[30:].min() > 0.7 * counts[30:].max()


@pytest.mark.parametrize("micro_batch", [4, 2])
def test_class_weights_scale_the_loss_of_each_image(micro_batch):
    """The first step's gradient is the weighted sum over images, however the batch is divided."""
    labels = (0, 1, 1, 1)
    found = {}
    for balance in ("none", "weights"):
        backbone, head = model("squeezenet1_1")
        torch.nn.init.zeros_(head.linear.weight)
        torch.nn.init.zeros_(head.linear.bias)
        run = replace(
            run_config(STRATEGIES["full_fine_tuning"], steps=1),
            class_balance=balance,
            micro_batch=micro_batch,
        )
        part = Part((0, 1, 2, 3), labels)
        made = Fit("r", run, backbone, head, RandomInputs(), part, part, COMPUTE)
        list(made)
        found[balance] = head.linear.bias.grad
    # At the start both classes are as likely: each pulls with its images' weight.
    assert found["none"].tolist() == pytest.approx([0.25, -0.25], abs=1e-6)
    assert found["weights"].tolist() == pytest.approx([0.0, 0.0], abs=1e-6)


def test_stages_name_every_parameter_once_or_fail():
    backbone, head = model("squeezenet1_1")
    stage = STRATEGIES["full_fine_tuning"].stages[0]
    groups = freezing.apply_stage(backbone, head, stage)
    assert (
        sum(len(g["params"]) for g in groups)
        == sum(p.requires_grad for p in backbone.parameters()) + 2
    )
    backbone.net.extra = torch.nn.Parameter(torch.zeros(1))
    with pytest.raises(RuntimeError, match="each needs exactly one"):
        freezing.apply_stage(backbone, head, stage)


def test_stale_gradients_are_dropped_at_a_new_stage():
    backbone, head = model("squeezenet1_1")
    freezing.apply_stage(backbone, head, STRATEGIES["full_fine_tuning"].stages[0])
    for parameter in backbone.parameters():
        parameter.grad = torch.ones_like(parameter)
    freezing.apply_stage(backbone, head, STRATEGIES["partial_fine_tuning"].stages[0])
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_seeds_differ_and_repeat():
    def weights(seed):
        made, backbone, _ = fit("squeezenet1_1", STRATEGIES["full_fine_tuning"], seed=seed)
        list(made)
        return values(backbone)["features.0.weight"]

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_divergence_ends_the_run_and_is_told():
    backbone, head = model("squeezenet1_1")
    run = run_config(STRATEGIES["full_fine_tuning"], steps=40, rate=1e8)
    part = Part((0, 1, 2, 3), (0, 1, 0, 1))
    made = Fit("r", run, backbone, head, RandomInputs(), part, part, COMPUTE)
    events = list(made)
    assert made.diverged
    assert made.step < 40
    assert all(event.validation_loss < 2e9 for event in events)


def test_strategy_without_stages_is_refused():
    backbone, head = model("squeezenet1_1")
    part = Part((0,), (0,))
    with pytest.raises(ValueError, match="nothing to train"):
        Fit(
            "r",
            run_config(STRATEGIES["zero_shot"]),
            backbone,
            head,
            RandomInputs(),
            part,
            part,
            COMPUTE,
        )


def test_schedule_warms_up_and_falls_to_zero():
    factors = [schedule(step, 100) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == factors[9] == factors[10] == 1.0
    assert all(a > b for a, b in itertools.pairwise(factors[10:]))
    assert factors[-1] < 0.001
    assert schedule(0, 1) == 1.0


def test_first_event_is_before_training_and_every_step_is_taken():
    made, _, _ = fit("squeezenet1_1", STRATEGIES["full_fine_tuning"], steps=5)
    events = list(made)
    assert events[0].step == 0
    assert events[0].train_loss is None
    assert events[-1].step == 5
