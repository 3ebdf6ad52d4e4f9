"""Optimisers on parameters as they lie in memory: the plain ones' numbers, bit for bit."""

import copy

import pytest
import torch
from torch import nn

from tl_core.optimizers import MOMENTUM, Stepper

RATES = (0.1, 0.05, 0.02, 0.01)


def model() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(5, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.BatchNorm2d(8), nn.Flatten())
    net = nn.Sequential(*layers, nn.Linear(8 * 36, 3))
    return net.to(memory_format=torch.channels_last)


def groups(net: nn.Module) -> list[dict]:
    first, *others = net.parameters()
    return [{"params": [first], "factor": 0.5}, {"params": others, "factor": 1.0}]


def plain(net: nn.Module, kind: str) -> torch.optim.Optimizer:
    of = groups(net)
    if kind == "sgd":
        return torch.optim.SGD(of, lr=0.0, momentum=MOMENTUM, weight_decay=0.01, fused=True)
    return torch.optim.AdamW(of, lr=0.0, weight_decay=0.01, fused=True)


def differentiate(net: nn.Module, step: int) -> None:
    images = torch.randn(4, 5, 10, 10, generator=torch.Generator().manual_seed(step))
    net(images).square().mean().backward()


def by_plain(net: nn.Module, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        for group in optimizer.param_groups:
            group["lr"] = RATES[step] * group["factor"]
        optimizer.zero_grad()
        differentiate(net, step)
        optimizer.step()


def by_stepper(net: nn.Module, stepper: Stepper, first: int, last: int) -> None:
    for step in range(first, last):
        stepper.set_rate(RATES[step])
        stepper.zero_grad()
        differentiate(net, step)
        stepper.step()


def equal(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_the_same_numbers_as_on_copies(kind):
    ours, theirs = model(), model()
    start = copy.deepcopy(ours)
    by_stepper(ours, Stepper(groups(ours), kind, 0.01, True), 0, 4)
    by_plain(theirs, plain(theirs, kind), 0, 4)
    assert not equal(ours, start) and equal(ours, theirs)


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_views_are_what_fused_optimisers_need(kind):
    stepper = Stepper(groups(model()), kind, 0.01, True)
    assert any(not p.is_contiguous() for group in stepper.groups for p in group["params"])
    assert all(p.is_contiguous() for g in stepper._optimizer.param_groups for p in g["params"])


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_a_state_is_indexed_as_the_parameters_are(kind):
    """What was saved by plain optimisers goes on here, and the other way."""
    ours, theirs = model(), model()
    stepper, optimizer = Stepper(groups(ours), kind, 0.01, True), plain(theirs, kind)
    by_stepper(ours, stepper, 0, 2)
    by_plain(theirs, optimizer, 0, 2)
    shapes = [p.shape for group in stepper.groups for p in group["params"]]
    kept = "momentum_buffer" if kind == "sgd" else "exp_avg"
    assert [stepper.state()["state"][i][kept].shape for i in range(len(shapes))] == shapes
    again, other = copy.deepcopy(theirs), copy.deepcopy(ours)
    fresh, crossed = Stepper(groups(again), kind, 0.01, True), plain(other, kind)
    fresh.load(copy.deepcopy(optimizer.state_dict()))
    crossed.load_state_dict(copy.deepcopy(stepper.state()))
    by_stepper(again, fresh, 2, 4)
    by_plain(other, crossed, 2, 4)
    by_stepper(ours, stepper, 2, 4)
    assert equal(again, ours) and equal(other, ours)


def test_what_has_no_gradient_stays():
    net = model()
    net[0].requires_grad_(False)
    stepper = Stepper(groups(net), "sgd", 0.01, True)
    before = net[0].weight.clone()
    by_stepper(net, stepper, 0, 2)
    assert torch.equal(net[0].weight, before) and not equal(net, model())
