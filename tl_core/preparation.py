"""A run's own model before its first step: random or pretrained, with what its strategy adds."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from tl_core import adapters, relevance
from tl_core.backbones import Backbone, build
from tl_core.config import NotPossible
from tl_core.datasets import Split
from tl_core.freezing import keep_depth, unfreeze_all
from tl_core.heads import Head, Probe
from tl_core.inputs import PixelInputs
from tl_core.materials import Task
from tl_core.penalties import Distillation, Penalty, Pull
from tl_core.regularisation import RULES
from tl_core.rehearsal import Rehearsal

# A split's linear probe, and the seconds that are its share of the solution.
Solved = Callable[[Split], tuple[Probe, float]]
# Each source parameter's importance, by torchvision's name, and the seconds that measuring it took.
Importance = Callable[[], tuple[Mapping[str, torch.Tensor], float]]


@dataclass(frozen=True)
class Prepared:
    """A model on its device, ready to be trained.

    `head_start`: the head's values before training. `chosen`: the block that the strategy's choice
    fell on. `seconds`: what the strategy's own preparation costs this run, also where it was done
    before for another one. `parameters`: all of the adapted model's.
    """

    backbone: Backbone
    head: Head
    head_start: dict[str, torch.Tensor]
    chosen: int | None
    penalty: Penalty | None
    seconds: float
    parameters: int


def prepare(
    task: Task, resume: Mapping[str, Any] | None, solved: Solved, importance: Importance
) -> Prepared:
    """Return a run's model, initialised by its seed; `resume` is the state of an interrupted run.

    Raises NotPossible where the strategy needs what is not there.
    """
    backbone, head = _model(task)
    parameters = sum(p.numel() for block in backbone.blocks for p in block.parameters())
    parameters += sum(p.numel() for p in head.parameters())
    strategy, seconds = task.run.strategy, 0.0
    if strategy.head_start == "probe":
        seconds += _start_as_probe(task, head, solved)
    chosen = resume["chosen"] if resume else None
    if strategy.choice == "relative_gradient" and chosen is None:
        started = time.perf_counter()
        chosen = _most_relevant(task, backbone, head)
        seconds += time.perf_counter() - started
    if strategy.parameters == "lora":
        adapters.insert(backbone, task.run.seed)
    weights, measuring = importance() if strategy.penalty == "ewc" else ({}, 0.0)
    penalty = _penalty(task, backbone, head, weights)
    before = {name: value.clone() for name, value in head.state_dict().items()}
    return Prepared(backbone, head, before, chosen, penalty, seconds + measuring, parameters)


def _model(task: Task) -> tuple[Backbone, Head]:
    materials, run = task.materials, task.run
    state = materials.original.net.state_dict() if run.strategy.pretrained else None
    backbone = build(materials.row, state, seed=run.seed)
    with torch.random.fork_rng():
        torch.manual_seed(run.seed)
        classes, rules = len(materials.dataset.classes), RULES[run.regularisation]
        head = Head(materials.row.feature_size, classes, rules.dropout)
    if not rules.stochastic_depth:
        keep_depth(backbone)
    where = materials.compute.device
    backbone = backbone.to(device=where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return backbone, head.to(where)


def _start_as_probe(task: Task, head: Head, solved: Solved) -> float:
    """Copy the split's linear probe into the head; return its share of the solution's seconds."""
    probe, seconds = solved(task.split)
    with torch.no_grad():
        head.linear.weight.copy_(torch.from_numpy(probe.weight))
        head.linear.bias.copy_(torch.from_numpy(probe.bias))
    looked = len(task.split.train) + len(task.split.validation)
    return seconds + looked * task.materials.read_out.seconds_per_image


def _most_relevant(task: Task, backbone: Backbone, head: Head) -> int:
    materials = task.materials
    inputs = PixelInputs(materials.pixels, False, materials.compute)
    part = task.part(task.split.train)
    return relevance.most_relevant(unfreeze_all(backbone), head, inputs, part, materials.compute)


def _penalty(
    task: Task, backbone: Backbone, head: Head, importance: Mapping[str, torch.Tensor]
) -> Penalty | None:
    kind, strength = task.run.strategy.penalty, task.run.penalty_strength
    if kind == "none":
        return None
    if strength is None:
        raise NotPossible(f"{task.run.strategy.title} needs a strength of its penalty.")
    if kind == "l2_sp":
        return Pull.to_start(backbone, head, strength)
    if kind == "ewc":
        return Pull.by_importance(backbone, importance, strength)
    if kind == "rehearsal":
        return _rehearsal(task, strength)
    return Distillation(task.materials.original, strength, task.materials.compute)


def _rehearsal(task: Task, strength: float) -> Rehearsal:
    """Return the practice on the source images that are there to learn from, and on no others."""
    learning, compute = task.materials.learning, task.materials.compute
    if learning is None:
        raise NotPossible(task.materials.lacks_learning)
    return Rehearsal(learning.inputs, learning.labels.tolist(), strength, task.run.seed, compute)
