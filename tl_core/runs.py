"""One run of a comparison: trained step by step, or solved, then measured."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tl_core import adapters, device, kept_models, metrics
from tl_core.activations import ReadOut, open_inputs, read_out_pass
from tl_core.events import Event, Progress, RunEnded, RunResult, RunStarted
from tl_core.forgetting import Change
from tl_core.freezing import apply_stage, trainable_parameters
from tl_core.heads import Probe, zero_shot_probabilities
from tl_core.inputs import Inputs, Part
from tl_core.interpolation import between
from tl_core.materials import Task
from tl_core.model_watch import ModelWatch, open_watch
from tl_core.preparation import Importance, Prepared, Solved, prepare
from tl_core.run_result import best_step, packed, result_of, steps_to_95, training_flops
from tl_core.stages import frozen_prefix, stages_of
from tl_core.strategies import Strategy
from tl_core.trainer import Fit, Prediction
from tl_core.worker_process import plain

# What a strategy looks at before its first step.
WAITS = {
    "ewc": "measuring which weights matter for the source task",
    "relative_gradient": "measuring which block your images pull at",
}

SaveState = Callable[[str, Callable[[], dict[str, Any]]], None]


def solve(task: Task, solved: Solved) -> Iterator[Event]:
    """Yield a run without a training loop: the convex probe or the zero-shot head."""
    begun = time.perf_counter()
    row, read_out = task.materials.row, task.materials.read_out
    convex = task.run.strategy.solver == "convex"
    trainable, total = 0, row.parameters
    if convex:
        trainable = (row.feature_size + 1) * len(task.materials.dataset.classes)
        total = row.parameters - row.head_parameters + trainable
    yield RunStarted(
        run_id=task.run_id, run=task.run, trainable_parameters=trainable, total_parameters=total
    )
    started, penalty, looked, share = time.perf_counter(), None, 0, 0.0
    with device.peak_memory(task.materials.compute.device) as memory:
        if convex:
            probe, share = solved(task.split)
            _keep_probe(task, probe)
            probabilities, penalty = probe.probabilities(read_out.features), probe.penalty
            looked = len(task.split.train) + len(task.split.validation)
        else:
            probabilities = _zero_shot(task, read_out)
            share = time.perf_counter() - started
    source = task.materials.probe
    outside = np.zeros((0, 1))
    if source is not None and convex:
        outside = probe.probabilities(source.read_out.features)
    elif source is not None:
        outside = _zero_shot(task, source.read_out)
    seconds = share + looked * read_out.seconds_per_image

    def predict(part: Part) -> Prediction:
        chosen, labels = probabilities[list(part.indices)], np.array(part.labels)
        return Prediction(
            chosen,
            metrics.log_loss(chosen, labels),
            metrics.accuracy(chosen.argmax(axis=1), labels),
        )

    state = task.materials.original.net.state_dict()
    result = result_of(
        task,
        predict,
        task.materials.meter.measure(state, task.split.test),
        train_seconds=seconds,
        peak_memory_mb=memory["megabytes"],
        flops=float(looked * row.flops),
        regularisation=penalty,
        outside_confidences=packed(outside.max(axis=1)),
    )
    yield RunEnded(
        run_id=task.run_id,
        run=task.run,
        trainable_parameters=trainable,
        total_parameters=total,
        result=result,
        seconds=time.perf_counter() - begun,
    )


def _keep_probe(task: Task, probe: Probe) -> None:
    state = task.materials.original.net.state_dict()
    weight, bias = torch.from_numpy(probe.weight), torch.from_numpy(probe.bias)
    kept_models.keep(task.run_id, state, state, weight, bias)


def _zero_shot(task: Task, read_out: ReadOut) -> NDArray[np.float64]:
    """Return the original model's shares of the target classes for all images it has read."""
    classes = task.materials.dataset.classes
    return zero_shot_probabilities(read_out.source_logits, task.class_map, classes)


def train(
    task: Task,
    resume: dict[str, Any] | None,
    save_state: SaveState,
    solved: Solved,
    importance: Importance,
) -> Iterator[Event]:
    """Yield a run of the training loop; `save_state` is called after every epoch."""
    begun = time.perf_counter()
    materials, run = task.materials, task.run
    strategy = run.strategy
    if (waits := WAITS.get(strategy.penalty) or WAITS.get(strategy.choice)) is not None:
        yield Progress(message=f"{strategy.title}: {waits}")
    prepared = prepare(task, resume, solved, importance)
    boundary = 0
    if strategy.pretrained:
        boundary = frozen_prefix(strategy, len(prepared.backbone.blocks), prepared.chosen)
    inputs = yield from open_inputs(
        materials.original,
        boundary,
        materials.weights_sha256,
        materials.pixels,
        run.mirror,
        materials.compute,
        trained=task.split.train,
        evaluated=(*task.split.train, *task.split.validation, *task.split.test),
        augmentation=run.augmentation,
    )
    watch = None
    if strategy.pretrained and run.kind != "range_test":
        watch = yield from open_watch(materials, task.split.validation, boundary)
    trainable = _trainable(prepared, strategy)
    yield RunStarted(
        run_id=task.run_id,
        run=run,
        trainable_parameters=trainable,
        total_parameters=prepared.parameters,
    )
    with device.peak_memory(materials.compute.device) as memory:
        fit = _fit(task, prepared, inputs, watch, resume)
        # Another comparison may have begun this run: its log lacks the points so far.
        yield from tuple(fit.history)
        for event in fit:
            yield event
            save_state(task.run_id, fit.state)
    result, state = _trained_result(task, fit, prepared, memory["megabytes"])
    if run.kind == "final" and not fit.diverged:
        original = materials.original.net.state_dict()
        kept_models.keep(task.run_id, original, state, fit.head.linear.weight, fit.head.linear.bias)
    yield RunEnded(
        run_id=task.run_id,
        run=run,
        trainable_parameters=trainable,
        total_parameters=prepared.parameters,
        curve=tuple(fit.history),
        result=result,
        seconds=time.perf_counter() - begun,
    )


def _fit(
    task: Task,
    prepared: Prepared,
    inputs: Inputs,
    watch: ModelWatch | None,
    resume: dict[str, Any] | None,
) -> Fit:
    materials = task.materials
    return Fit(
        task.run_id,
        task.run,
        prepared.backbone,
        prepared.head,
        inputs,
        task.part(task.split.train),
        task.part(task.split.validation),
        materials.compute,
        materials.row.recipe.optimizer,
        watch,
        resume,
        chosen=prepared.chosen,
        penalty=prepared.penalty,
        seconds=prepared.seconds,
    )


def _trained_result(
    task: Task, fit: Fit, prepared: Prepared, megabytes: float | None
) -> tuple[RunResult, dict[str, Tensor]]:
    """Return what a finished fit measured, and its backbone's weights as they are deployed.

    What it forgot is looked at for final runs alone.
    """
    materials, run = task.materials, task.run
    if run.strategy.interpolation is not None and not fit.diverged:
        _go_back(task, fit, prepared)
    state, change = adapters.merged(fit.backbone), None
    if run.strategy.pretrained and run.kind == "final" and not fit.diverged:
        change = materials.meter.measure(state, task.split.test)

    def predict(part: Part) -> Prediction:
        # The fresh pass that forgetting was measured by has seen the test images already.
        if change is not None and part.indices == task.split.test:
            return fit.predict_features(part, change.features)
        return fit.predict(part)

    looked = len(task.split.train) * (fit.inputs.views + 1) + len(task.split.validation)
    chosen = prepared.chosen
    result = result_of(
        task,
        predict,
        change,
        train_seconds=fit.seconds + looked * fit.inputs.seconds_per_view,
        peak_memory_mb=megabytes,
        flops=training_flops(materials.row, run, fit.step, fit.inputs, looked, chosen),
        steps=fit.step,
        steps_to_95=steps_to_95(fit.history),
        best_step=fit.kept_step or best_step(fit.history),
        learning_rate=run.learning_rate,
        regularisation=run.weight_decay,
        diverged=fit.diverged,
        outside_confidences=_outside(task, fit, change),
        chosen_block=None if chosen is None else materials.row.blocks[chosen].name,
    )
    return result, state


def _go_back(task: Task, fit: Fit, prepared: Prepared) -> None:
    """Leave the model the strategy's share of the way from its start to what it was trained to."""
    share = task.run.strategy.interpolation or 0.0
    start = task.materials.original.net.state_dict()
    fit.backbone.net.load_state_dict(between(start, fit.backbone.net.state_dict(), share))
    fit.head.load_state_dict(between(prepared.head_start, fit.head.state_dict(), share))


def _outside(task: Task, fit: Fit, change: Change | None) -> bytes:
    """Return how sure the finished model is of the source images, for which it has no class."""
    materials, probe = task.materials, task.materials.probe
    if probe is None or task.run.kind != "final" or fit.diverged:
        return b""
    features = change.source_features if change else None
    if features is None:
        every = range(len(probe.labels))
        features, _ = read_out_pass(fit.backbone, probe.inputs, every, materials.compute)
    return packed(fit.head_logits(features).double().softmax(dim=1).max(dim=1).values.numpy())


def _trainable(prepared: Prepared, strategy: Strategy) -> int:
    """Return the number of parameters that train in the stage in which most do."""
    backbone, head, found = prepared.backbone, prepared.head, 0
    for stage in stages_of(strategy, len(backbone.blocks), prepared.chosen):
        apply_stage(backbone, head, stage, strategy.parameters)
        found = max(found, trainable_parameters(backbone, head))
    return found


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory ran out; on a CPU torch has no type for it."""
    known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return known or "allocate memory" in str(error)


def failure_reason(error: Exception) -> str:
    """Return one sentence for the user; memory is the failure that has a remedy."""
    if is_out_of_memory(error):
        return (
            "There was not enough memory for this run. Choose a smaller model, freeze more blocks "
            "or close other programs, then run it again."
        )
    # The first line only: what follows is for whoever reads the source.
    return plain(str(error).partition("\n")[0]) or type(error).__name__
