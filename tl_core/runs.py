"""One run of a comparison: trained step by step, or solved, then measured."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tl_core import device, metrics
from tl_core.activations import open_inputs
from tl_core.backbones import Backbone, build
from tl_core.catalog import Model
from tl_core.config import RunConfig
from tl_core.datasets import Split
from tl_core.events import EpochEnded, Event, RunEnded, RunResult, RunStarted
from tl_core.forgetting import Change
from tl_core.freezing import apply_stage, trainable_parameters
from tl_core.heads import Head, Probe, zero_shot_probabilities
from tl_core.inputs import Inputs
from tl_core.materials import Materials
from tl_core.model_watch import ModelWatch, open_watch
from tl_core.strategies import Strategy, block_factors, frozen_prefix
from tl_core.trainer import Fit, Part, Prediction

SaveState = Callable[[str, Callable[[], dict[str, Any]]], None]
# A split's linear probe, and the seconds that are its share of the solution.
Solved = Callable[[Split], tuple[Probe, float]]

# "As good as final": the share of the final validation accuracy that `steps_to_95` waits for.
NEARLY = 0.95


@dataclass(frozen=True)
class Task:
    """One run with all it works on."""

    run_id: str
    run: RunConfig
    split: Split
    materials: Materials
    class_map: dict[str, tuple[int, ...]]

    def part(self, indices: Sequence[int]) -> Part:
        """Return images with their labels."""
        chosen = tuple(indices)
        return Part(chosen, tuple(self.materials.labels[list(chosen)].tolist()))


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
            probabilities, penalty = probe.probabilities(read_out.features), probe.penalty
            looked = len(task.split.train) + len(task.split.validation)
        else:
            probabilities = zero_shot_probabilities(
                read_out.source_logits, task.class_map, task.materials.dataset.classes
            )
            share = time.perf_counter() - started
    seconds = share + looked * read_out.seconds_per_image

    def predict(part: Part) -> Prediction:
        chosen, labels = probabilities[list(part.indices)], np.array(part.labels)
        return Prediction(
            chosen,
            metrics.log_loss(chosen, labels),
            metrics.accuracy(chosen.argmax(axis=1), labels),
        )

    state = task.materials.original.net.state_dict()
    result = _result(
        task,
        predict,
        task.materials.meter.measure(state, task.split.test),
        train_seconds=seconds,
        peak_memory_mb=memory["megabytes"],
        flops=float(looked * row.flops),
        regularisation=penalty,
    )
    yield RunEnded(
        run_id=task.run_id,
        run=task.run,
        trainable_parameters=trainable,
        total_parameters=total,
        result=result,
        seconds=time.perf_counter() - begun,
    )


def train(task: Task, resume: dict[str, Any] | None, save_state: SaveState) -> Iterator[Event]:
    """Yield a run of the training loop; `save_state` is called after every epoch."""
    begun = time.perf_counter()
    materials, run = task.materials, task.run
    strategy = run.strategy
    backbone, head = _model(task)
    boundary = frozen_prefix(strategy, len(backbone.blocks)) if strategy.pretrained else 0
    inputs = yield from open_inputs(
        materials.original,
        boundary,
        materials.weights_sha256,
        materials.pixels,
        run.mirror,
        materials.compute,
        trained=task.split.train,
        evaluated=(*task.split.train, *task.split.validation, *task.split.test),
    )
    watch = None
    if strategy.pretrained:
        watch = yield from open_watch(materials, task.split.validation, boundary)
    trainable, total = _count(backbone, head, strategy)
    yield RunStarted(
        run_id=task.run_id, run=run, trainable_parameters=trainable, total_parameters=total
    )
    with device.peak_memory(materials.compute.device) as memory:
        fit = _fit(task, backbone, head, inputs, watch, resume)
        # Another comparison may have begun this run: its log lacks the points so far.
        yield from tuple(fit.history)
        for event in fit:
            yield event
            save_state(task.run_id, fit.state)
    result = _trained_result(task, fit, memory["megabytes"])
    yield RunEnded(
        run_id=task.run_id,
        run=run,
        trainable_parameters=trainable,
        total_parameters=total,
        curve=tuple(fit.history),
        result=result,
        seconds=time.perf_counter() - begun,
    )


def _fit(
    task: Task,
    backbone: Backbone,
    head: Head,
    inputs: Inputs,
    watch: ModelWatch | None,
    resume: dict[str, Any] | None,
) -> Fit:
    materials = task.materials
    return Fit(
        task.run_id,
        task.run,
        backbone,
        head,
        inputs,
        task.part(task.split.train),
        task.part(task.split.validation),
        materials.compute,
        materials.row.recipe.optimizer,
        watch,
        resume,
    )


def _trained_result(task: Task, fit: Fit, megabytes: float | None) -> RunResult:
    """Return what a finished fit measured; what it forgot is looked at for final runs alone."""
    materials, run = task.materials, task.run
    change = None
    if run.strategy.pretrained and run.kind == "final" and not fit.diverged:
        change = materials.meter.measure(fit.backbone.net.state_dict(), task.split.test)

    def predict(part: Part) -> Prediction:
        # The fresh pass that forgetting was measured by has seen the test images already.
        if change is not None and part.indices == task.split.test:
            return fit.predict_features(part, change.features)
        return fit.predict(part)

    looked = len(task.split.train) * (fit.inputs.views + 1) + len(task.split.validation)
    return _result(
        task,
        predict,
        change,
        train_seconds=fit.seconds + looked * fit.inputs.seconds_per_view,
        peak_memory_mb=megabytes,
        flops=training_flops(materials.row, run, fit.inputs, looked),
        steps=fit.step,
        steps_to_95=_steps_to_95(fit.history),
        best_step=_best_step(fit.history),
        learning_rate=run.learning_rate,
        regularisation=run.weight_decay,
        diverged=fit.diverged,
    )


def _model(task: Task) -> tuple[Backbone, Head]:
    """Return the run's own backbone and new head on the device, initialised by its seed."""
    materials, run = task.materials, task.run
    state = materials.original.net.state_dict() if run.strategy.pretrained else None
    backbone = build(materials.row, state, seed=run.seed)
    with torch.random.fork_rng():
        torch.manual_seed(run.seed)
        head = Head(materials.row.feature_size, len(materials.dataset.classes))
    where = materials.compute.device
    backbone = backbone.to(device=where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return backbone, head.to(where)


def _count(backbone: Backbone, head: Head, strategy: Strategy) -> tuple[int, int]:
    """Return parameters that any stage trains, and all of the adapted model."""
    trained = 0
    for stage in strategy.stages:
        apply_stage(backbone, head, stage)
        trained = max(trained, trainable_parameters(backbone, head))
    of_blocks = sum(p.numel() for block in backbone.blocks for p in block.parameters())
    return trained, of_blocks + sum(p.numel() for p in head.parameters())


def training_flops(row: Model, run: RunConfig, inputs: Inputs, looked: int) -> float:
    """Return the floating-point operations of a run's training, from the catalog's block costs.

    `looked`: passes of one image through the kept frozen prefix.

    A trainable block costs three forward passes (itself, the gradient of its input, that of its
    weights), a frozen one behind it two, one before it one.
    """
    factors = block_factors(run.strategy.stages[-1], len(row.blocks))
    trained = [i for i, factor in enumerate(factors) if factor is not None]
    first = trained[0] if trained else len(row.blocks)
    step = sum(
        block.flops * (1 if i < first else 3 if factors[i] is not None else 2)
        for i, block in enumerate(row.blocks)
        if i >= inputs.boundary
    )
    prefix = sum(block.flops for block in row.blocks[: inputs.boundary])
    return float(run.steps * run.batch_size * step + looked * prefix)


def _result(
    task: Task, predict: Callable[[Part], Prediction], change: Change | None, **measured: Any
) -> RunResult:
    """Return the result of a model that predicts like `predict`; trials never see the test part."""
    test = task.part(task.split.test if task.run.kind != "trial" else ())
    validation = predict(task.part(task.split.validation))
    tested = predict(test).probabilities if test.indices else np.zeros((0, 1))
    return RunResult(
        train_accuracy=predict(task.part(task.split.train)).accuracy,
        validation_accuracy=validation.accuracy,
        validation_loss=min(validation.loss, 1e9) if np.isfinite(validation.loss) else 1e9,
        validation_images=len(task.split.validation),
        test_images=test.indices,
        test_labels=test.labels,
        test_predictions=tuple(tested.argmax(axis=1).tolist()),
        test_confidences=tuple(np.round(np.nan_to_num(tested.max(axis=1)), 5).tolist()),
        source_predictions=change.source_predictions if change else None,
        agreement=change.agreement if change else None,
        cka_drift=change.cka_drift if change else None,
        **{"steps": None, "steps_to_95": None, "best_step": None, "learning_rate": None} | measured,
    )


def _steps_to_95(history: Sequence[EpochEnded]) -> int | None:
    if not history:
        return None
    wanted = NEARLY * history[-1].validation_accuracy
    return next(event.step for event in history if event.validation_accuracy >= wanted)


def _best_step(history: Sequence[EpochEnded]) -> int | None:
    trained = [event for event in history if event.step > 0]
    best = max(trained, key=lambda event: event.validation_accuracy, default=None)
    return best.step if best else None


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory ran out; on a CPU torch has no type for it."""
    known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return known or "allocate memory" in str(error)


def failure_reason(error: Exception) -> str:
    """Return one sentence for the user; memory is the failure that has a remedy."""
    text = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    if is_out_of_memory(error):
        return (
            "There was not enough memory for this run. Choose a smaller model, freeze more blocks "
            "or close other programs, then run it again."
        )
    return text
