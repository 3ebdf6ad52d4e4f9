"""Rehearsal: which source images a step sees, what they add to the loss, what is left alone."""

import pytest
import torch
from msgspec.structs import replace
from torch.nn import functional

from tests.test_trainer import COMPUTE, SOURCE_LABELS, RandomInputs, fit, model, run_config, values
from tl_core.inputs import Part
from tl_core.rehearsal import Rehearsal
from tl_core.strategies import STRATEGIES
from tl_core.trainer import Fit

PLAIN, REHEARSAL = STRATEGIES["full_fine_tuning"], STRATEGIES["rehearsal"]


class Padded(RandomInputs):
    """Images in batches that are filled up, as they lie on disk; remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def evaluation_batches(self, indices):
        self.seen += indices
        yield torch.cat([self.images[list(indices)], self.images[:3]]), len(indices)


def rehearsal(strength: float = 1.0, seed: int = 0, labels=SOURCE_LABELS) -> Rehearsal:
    return Rehearsal(Padded(), labels, strength, seed, COMPUTE)


def trained(name, penalty, micro_batch=4, steps=3, rate=1e-3):
    backbone, head = model(name)
    run = replace(run_config(REHEARSAL, steps, rate=rate), micro_batch=micro_batch)
    part = Part(tuple(range(7)), (0, 1, 0, 1, 0, 1, 1))
    made = Fit("r", run, backbone, head, RandomInputs(), part, part, COMPUTE, penalty=penalty)
    return backbone, head, list(made)


def test_seed_and_step_decide_which_images_are_seen():
    one = rehearsal()
    assert torch.equal(one.places(5, 4), rehearsal().places(5, 4))
    assert not torch.equal(one.places(5, 10), one.places(6, 10))
    assert not torch.equal(one.places(5, 10), rehearsal(seed=1).places(5, 10))
    assert sorted(one.places(0, 10).tolist()) == list(range(10))
    assert len(set(one.places(0, 4).tolist())) == 4
    # Fewer images than a batch holds: all of them as often, up to one.
    counts = torch.bincount(one.places(2, 32), minlength=10)
    assert counts.sum() == 32
    assert (counts.min(), counts.max()) == (3, 4)
    often = torch.bincount(torch.cat([one.places(step, 4) for step in range(500)]), minlength=10)
    assert 150 < often.min() <= often.max() < 250


@pytest.mark.parametrize("micro_batch", [8, 3])
def test_the_loss_is_the_original_heads_cross_entropy_times_the_strength(micro_batch):
    backbone, _ = model("squeezenet1_1")
    backbone.eval()
    kept = rehearsal(strength=2.5)
    found = [float(loss.detach()) for loss in kept.losses(backbone, 4, 8, micro_batch)]
    assert len(found) == -(-8 // micro_batch)
    places = kept.places(4, 8).tolist()
    assert kept.inputs.seen == places
    logits = backbone.source_logits(backbone.forward_blocks(kept.inputs.images[places]))
    chances = logits.detach().double().softmax(dim=1)
    by_hand = [-2.5 * float(chances[i, SOURCE_LABELS[p]].log()) for i, p in enumerate(places)]
    assert sum(found) == pytest.approx(sum(by_hand), rel=1e-5)
    assert found[0] == pytest.approx(sum(by_hand[:micro_batch]), rel=1e-5)


@pytest.mark.parametrize("micro_batch", [4, 3])
def test_a_step_adds_the_gradient_of_the_mean_over_the_source_images(micro_batch):
    penalties = {strength: rehearsal(strength) for strength in (0.0, 2.0)}
    gradients, losses = {}, {}
    for strength, penalty in penalties.items():
        backbone, _, events = trained("squeezenet1_1", penalty, micro_batch, steps=1)
        gradients[strength] = backbone.net.features[0].weight.grad
        losses[strength] = events[-1].train_loss
    backbone, _ = model("squeezenet1_1")
    places = penalties[2.0].places(0, 4)
    final = backbone.forward_blocks(RandomInputs().images[places])
    wanted = torch.tensor(SOURCE_LABELS)[places]
    mean = functional.cross_entropy(backbone.source_logits(final), wanted)
    (wanted_gradient,) = torch.autograd.grad(2.0 * mean, backbone.net.features[0].weight)
    assert float(wanted_gradient.abs().max()) > 1e-4
    assert torch.allclose(gradients[2.0] - gradients[0.0], wanted_gradient, atol=1e-6)
    assert losses[2.0] - losses[0.0] == pytest.approx(2.0 * float(mean.detach()), rel=1e-4)


def test_at_strength_0_it_is_full_fine_tuning_bit_for_bit():
    name = "mobilenet_v3_small"
    backbone, head, _ = trained(name, rehearsal(0.0), micro_batch=2)
    plain, plain_head, _ = trained(name, None, micro_batch=2)
    practised, _, _ = trained(name, rehearsal(1.0), micro_batch=2)
    assert REHEARSAL.stages == PLAIN.stages
    assert all(torch.equal(value, values(plain)[key]) for key, value in values(backbone).items())
    assert torch.equal(head.linear.weight, plain_head.linear.weight)
    assert not all(torch.equal(v, values(plain)[key]) for key, v in values(practised).items())


def test_what_is_left_out_at_random_is_decided_too_and_nothing_else_changes():
    """The target images meet the random numbers that they meet without source images."""
    backbone, _ = model("convnext_tiny")
    backbone.train()
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        found.append([float(one.detach()) for one in rehearsal().losses(backbone, 3, 4, 2)])
        assert torch.equal(torch.get_rng_state(), before)
    assert found[0] == found[1]
    backbone.eval()
    kept = [float(one.detach()) for one in rehearsal().losses(backbone, 3, 4, 2)]
    assert kept != found[0], "this network leaves something out at random"


def test_the_original_head_does_not_move():
    made, backbone, _ = fit("squeezenet1_1", REHEARSAL)
    before = {key: value.clone() for key, value in backbone.source_head.state_dict().items()}
    list(made)
    assert before
    assert all(torch.equal(before[k], v) for k, v in backbone.source_head.state_dict().items())


def test_practice_keeps_the_answers_that_training_loses():
    """On source images whose labels are the model's own answers: with practice few are lost."""
    images = RandomInputs().images

    def answers(backbone):
        backbone.eval()
        with torch.no_grad():
            return backbone.source_logits(backbone.forward_blocks(images))

    own = answers(model("squeezenet1_1")[0]).argmax(dim=1)
    losses = []
    for penalty in (None, rehearsal(1.0, labels=own.tolist())):
        backbone, _, _ = trained("squeezenet1_1", penalty, steps=20)
        losses.append(float(functional.cross_entropy(answers(backbone), own)))
    assert losses[1] < 0.8 * losses[0]
