"""What a finished run is remembered by: its predictions, its costs, when it was as good as done."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core import metrics
from tl_core.catalog import Model
from tl_core.config import RunConfig
from tl_core.events import EpochEnded, RunResult
from tl_core.forgetting import Change
from tl_core.inputs import Inputs, Part
from tl_core.materials import Task
from tl_core.stages import passes
from tl_core.trainer import Prediction

# "As good as final": the share of the final validation accuracy that `steps_to_95` waits for.
NEARLY = 0.95


def result_of(
    task: Task, predict: Callable[[Part], Prediction], change: Change | None, **measured: Any
) -> RunResult:
    """Return the result of a model that predicts like `predict`.

    What only looks for settings never sees the test part.
    """
    looking = task.run.kind in ("trial", "range_test")
    test = task.part(() if looking else task.split.test)
    known = task.part(task.split.validation)
    validation = predict(known)
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
        test_log_probabilities=packed(metrics.log_of(tested)),
        validation_labels=known.labels,
        validation_log_probabilities=packed(metrics.log_of(validation.probabilities)),
        source_predictions=change.source_predictions if change else None,
        agreement=change.agreement if change else None,
        cka_drift=change.cka_drift if change else None,
        **{"steps": None, "steps_to_95": None, "best_step": None, "learning_rate": None} | measured,
    )


def packed(values: NDArray[np.float64]) -> bytes:
    """Return numbers as an event keeps them: float32, little-endian, row after row."""
    return np.nan_to_num(values).astype("<f4").tobytes()


def training_flops(
    row: Model, run: RunConfig, steps: int, inputs: Inputs, looked: int, chosen: int | None = None
) -> float:
    """Return the floating-point operations of a run's training, from the row's block costs.

    `steps`: as many as were taken. `looked`: passes of one image through the kept frozen prefix;
    `chosen`: the block that the strategy's choice fell on.
    """
    costs = passes(run.strategy, len(row.blocks), chosen)
    behind = list(zip(row.blocks, costs, strict=True))[inputs.boundary :]
    step = sum(block.flops * cost for block, cost in behind)
    prefix = sum(block.flops for block in row.blocks[: inputs.boundary])
    return float(steps * run.batch_size * step + looked * prefix)


def steps_to_95(history: Sequence[EpochEnded]) -> int | None:
    """Return the first step with 95% of the final validation accuracy."""
    if not history:
        return None
    wanted = NEARLY * history[-1].validation_accuracy
    return next(event.step for event in history if event.validation_accuracy >= wanted)


def best_step(history: Sequence[EpochEnded]) -> int | None:
    """Return the step with the highest validation accuracy, the first of equals."""
    trained = [event for event in history if event.step > 0]
    best = max(trained, key=lambda event: event.validation_accuracy, default=None)
    return best.step if best else None
