"""Small valid events and configurations for tests of what stores and shows them."""

from tl_core.config import ComparisonConfig, DataConfig, RunConfig
from tl_core.events import (
    ComparisonStarted,
    DatasetFacts,
    EpochEnded,
    RunEnded,
    RunResult,
    RunStarted,
)
from tl_core.strategies import STRATEGIES

RUN = RunConfig(
    strategy=STRATEGIES["full_fine_tuning"],
    seed=0,
    kind="final",
    steps=2,
    learning_rate=0.1,
    weight_decay=0.0,
)


def comparison_config(**changes: object) -> ComparisonConfig:
    """Return a configuration of two strategies."""
    values = {
        "data": DataConfig(fingerprint="f" * 64, name="ants"),
        "backbone": "squeezenet1_1",
        "weights_sha256": "a" * 64,
        "strategies": (STRATEGIES["feature_extraction"], STRATEGIES["full_fine_tuning"]),
    }
    return ComparisonConfig(**{**values, **changes})


def comparison_started(config: ComparisonConfig, **changes: object) -> ComparisonStarted:
    """Return the first event of a comparison."""
    values = {
        "config": config,
        "command": "python -m tl_core compare sample:digits",
        "dataset": DatasetFacts(
            name="ants",
            fingerprint="f" * 64,
            classes=("ant", "bee"),
            images=8,
            n_train=4,
            n_validation=2,
            n_test=2,
            n_test_all_seeds=2,
            given_split=False,
            class_counts=(4, 4),
            refused=0,
            left_out=0,
        ),
        "source": None,
        "backbone_title": "SqueezeNet 1.1",
        "input_size": 224,
        "device_name": "CPU",
        "versions": {"torch": "2.11"},
        "majority_accuracy": 0.5,
        "steps": 2,
        "planned_runs": 2,
        "zero_shot_applicable": False,
        "unmapped_classes": (),
    }
    return ComparisonStarted(**{**values, **changes})


def run_started(run_id: str, reused: bool = False) -> RunStarted:
    """Return the start of a run."""
    return RunStarted(
        run_id=run_id, run=RUN, trainable_parameters=1, total_parameters=2, reused=reused
    )


def epoch_ended(run_id: str, step: int) -> EpochEnded:
    """Return a point of a run's curves."""
    return EpochEnded(
        run_id=run_id,
        step=step,
        epoch=step / 2,
        train_loss=0.5,
        validation_loss=0.4,
        validation_accuracy=0.9,
        source_accuracy=None,
        agreement=None,
        seconds=0.1,
    )


def run_ended(run_id: str, test_predictions: tuple[int, ...] = (0, 1)) -> RunEnded:
    """Return a completed run on two test images."""
    result = RunResult(
        train_accuracy=1.0,
        validation_accuracy=0.9,
        validation_loss=0.4,
        validation_images=2,
        test_images=(0, 1),
        test_labels=(0, 1),
        test_predictions=test_predictions,
        test_confidences=(0.9, 0.8),
        source_predictions=None,
        agreement=None,
        cka_drift=None,
        steps=2,
        steps_to_95=1,
        best_step=2,
        train_seconds=0.2,
        peak_memory_mb=None,
        flops=1e9,
        learning_rate=0.1,
    )
    return RunEnded(
        run_id=run_id, run=RUN, trainable_parameters=1, total_parameters=2, result=result
    )
