"""Penalties against reference values, the hold that never overshoots, the Fisher information."""

import pytest
import torch
from torch import nn

from tests.test_trainer import COMPUTE, RandomInputs, model
from tl_core.fisher import diagonal_fisher, importance
from tl_core.freezing import unfreeze_all
from tl_core.penalties import Distillation, Pull, distillation, pull


@pytest.fixture
def tensor(golden_inputs):
    return lambda name: torch.from_numpy(golden_inputs[name]).double()


def test_l2_sp_equals_reference_values(golden, tensor):
    weights, start, head = (tensor(name) for name in ("l2_w", "l2_w0", "l2_head"))
    assert float(pull(weights, start)) == pytest.approx(
        golden["l2sp/half_sq_dist"]["value"], rel=1e-9
    )
    zero = torch.zeros_like(head)
    assert float(pull(head, zero)) == pytest.approx(golden["l2sp/half_sq_head"]["value"], rel=1e-9)
    whole = 0.1 * pull(weights, start) + 0.01 * pull(head, zero)
    assert float(whole) == pytest.approx(
        golden["l2sp/penalty_alpha0.1_beta0.01"]["value"], rel=1e-9
    )


def test_ewc_penalty_equals_reference_value(golden, tensor):
    weights, start, fisher = (tensor(name) for name in ("l2_w", "l2_w0", "fisher"))
    found = float(pull(weights, start, fisher))
    assert found == pytest.approx(golden["ewc/penalty_lambda1_half"]["value"], rel=1e-9)


@pytest.mark.parametrize("temperature", [1, 2, 3])
def test_distillation_equals_reference_values(golden, tensor, temperature):
    student, teacher = tensor("kd_student"), tensor("kd_teacher")
    found = float(distillation(student, teacher, temperature)) / len(student)
    assert found == pytest.approx(golden[f"kd/T{temperature}/batchmean_noT2"]["value"], rel=1e-9)
    scaled = found * temperature**2
    assert scaled == pytest.approx(golden[f"kd/T{temperature}/batchmean_T2"]["value"], rel=1e-9)


def linear(tensor):
    weight = nn.Parameter(tensor("ewc_W").float())
    images = [row[None].float() for row in tensor("ewc_X")]
    return weight, images


def test_fisher_equals_reference_values(golden, tensor):
    """The reference's model: logits = x W^T, W classes x features."""
    weight, images = linear(tensor)
    found = diagonal_fisher(lambda x: x @ weight.T, {"w": weight}, images, None)["w"]
    wanted = torch.tensor(golden["ewc/fisher_exact"]["value"])
    other = torch.tensor(golden["ewc/fisher_avalanche_batch5"]["value"])
    assert torch.allclose(found, wanted, rtol=1e-4)
    assert not torch.allclose(found, other, rtol=0.5)


def test_drawn_labels_give_the_exact_fisher_on_average(golden, tensor):
    weight, images = linear(tensor)
    draws = torch.Generator().manual_seed(1)
    found = diagonal_fisher(lambda x: x @ weight.T, {"w": weight}, images * 150, draws)["w"]
    assert torch.allclose(found, torch.tensor(golden["ewc/fisher_exact"]["value"]), rtol=0.12)


def test_importance_has_mean_one_and_names_every_parameter_of_the_blocks():
    backbone, _ = model("mobilenet_v3_small")
    found = importance(unfreeze_all(backbone), RandomInputs(), 10, seed=0)
    names = {id(p): name for name, p in backbone.net.named_parameters()}
    assert set(found) == {names[id(p)] for block in backbone.blocks for p in block.parameters()}
    values = torch.cat([value.flatten() for value in found.values()])
    assert float(values.double().mean()) == pytest.approx(1.0, rel=1e-4)
    assert float(values.max()) > 10
    assert all(
        torch.equal(found[k], v)
        for k, v in importance(backbone, RandomInputs(), 10, seed=0).items()
    )


def test_the_pull_is_the_penaltys_gradient_step_for_small_rates():
    backbone, head = model("squeezenet1_1")
    held = Pull.to_start(backbone, head, strength=2.0)
    weight = backbone.net.features[0].weight
    start = weight.detach().clone()
    with torch.no_grad():
        weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
    moved = weight.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(2.0 * pull(moved, start), moved)
    held.after_step([{"params": [weight], "lr": 1e-7}])
    # A momentum of 0.9 makes ten steps of one.
    assert torch.allclose(weight, moved.detach() - 10 * 1e-7 * gradient, atol=1e-6)


def test_however_strong_the_pull_never_goes_beyond_the_start():
    backbone, head = model("squeezenet1_1")
    held = Pull.to_start(backbone, head, strength=1e9)
    weight, bias = backbone.net.features[0].weight, backbone.net.features[0].bias
    start, shift = weight.detach().clone(), bias.detach().clone() + 1
    with torch.no_grad():
        weight.add_(1.0)
        bias.copy_(shift)
    assert float(held.value()) > 1e9
    held.after_step([{"params": [weight, bias], "lr": 1.0}])
    assert torch.allclose(weight, start, atol=1e-6)
    assert torch.equal(bias, shift), "biases are not pulled by L2-SP"


def test_important_weights_are_held_harder():
    backbone, _ = model("squeezenet1_1")
    names = {p: n for n, p in backbone.net.named_parameters()}
    weight = backbone.net.features[0].weight
    matters = {names[p]: torch.zeros_like(p) for b in backbone.blocks for p in b.parameters()}
    matters[names[weight]].view(-1)[0] = 5.0
    held = Pull.by_importance(backbone, matters, strength=1.0)
    start = weight.detach().clone()
    with torch.no_grad():
        weight.add_(1.0)
    held.after_step([{"params": [weight], "lr": 0.02}])
    change = (weight.detach() - start).view(-1)
    assert float(change[0]) == pytest.approx(1 / (1 + 10 * 0.02 * 5.0))
    assert torch.allclose(change[1:], torch.ones_like(change[1:]))


def test_the_teacher_agrees_with_itself_and_not_with_another():
    teacher, _ = model("squeezenet1_1")
    other, _ = model("squeezenet1_1", seed=1)
    teacher.eval()
    other.eval()
    images = RandomInputs().images[:4]
    kept = Distillation(teacher, 1.0, COMPUTE)
    own = teacher.source_logits(teacher.forward_blocks(images))
    assert float(kept.loss(images, 0, own)) == pytest.approx(0.0, abs=1e-5)
    assert float(kept.loss(images, 0, own + torch.randn(own.shape))) > 0.01
    behind = teacher.forward_blocks(images, stop=3)
    assert float(kept.loss(behind, 3, own)) == pytest.approx(0.0, abs=1e-5)
