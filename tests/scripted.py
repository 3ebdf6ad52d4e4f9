"""The events of a whole comparison, made up but consistent, for tests of all that shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_core.config import ComparisonConfig, DataConfig, RunConfig, RunKind
from tl_core.datasets import Dataset
from tl_core.events import (
    Baseline,
    ComparisonEnded,
    ComparisonStarted,
    DatasetFacts,
    EpochEnded,
    Event,
    RunEnded,
    RunFailed,
    RunResult,
    RunStarted,
    SourceFacts,
)
from tl_core.recording import Facts, Moment, Recording
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES, Strategy

CLASSES = tuple(f"digit {number}" for number in range(10))
TEST, TRAIN, VALIDATION, STEPS, EPOCHS = 60, 180, 60, 60, 10
TRIALS = 3
# strategy: test accuracy, train accuracy, points of source accuracy lost, parameters, seconds
_TRUTH = {
    "zero_shot": (0.40, 0.41, 0.0, 0, 0.1),
    "feature_extraction": (0.91, 0.97, 0.0, 5_130, 2.4),
    "partial_fine_tuning": (0.93, 1.0, 9.0, 8_398_858, 6.2),
    "full_fine_tuning": (0.92, 1.0, 31.0, 11_181_642, 11.8),
    "from_scratch": (0.52, 0.66, 0.0, 11_181_642, 22.5),
    "custom": (0.90, 0.99, 14.0, 2_000_000, 8.0),
    "gradual_unfreezing": (0.91, 0.99, 22.0, 11_181_642, 9.1),
    "discriminative_rates": (0.92, 1.0, 12.0, 11_181_642, 11.6),
    "lp_ft": (0.93, 1.0, 15.0, 11_181_642, 13.4),
    "norm_only": (0.88, 0.95, 6.0, 14_730, 9.9),
    "bias_only": (0.86, 0.93, 4.0, 9_930, 9.7),
    "surgical": (0.91, 0.98, 7.0, 8_398_858, 8.2),
    "l2_sp": (0.92, 0.99, 10.0, 11_181_642, 12.6),
    "ewc": (0.91, 0.99, 8.0, 11_181_642, 13.0),
    "lwf": (0.90, 0.98, 11.0, 11_181_642, 15.2),
    "rehearsal": (0.91, 0.98, 6.0, 11_181_642, 23.5),
    "lora": (0.89, 0.97, 5.0, 300_000, 12.9),
    "wise_ft": (0.93, 0.99, 5.0, 11_181_642, 13.8),
}
# How sure a strategy is of its easiest and of its hardest image.
_SURENESS = {"zero_shot": (0.7, 0.4), "feature_extraction": (0.99, 0.75)}
_SURE = (1.0 - 1e-4, 0.97)


@dataclass(frozen=True)
class Scenario:
    """What varies. `probe`: labelled source images there are, 0 for none; `fails`: a strategy.

    `kept`: whether probabilities were; `trials`: whether rates were tried; `baselines`: whether
    what needs no training was measured; `shift`: how much more is right of everything.
    """

    seeds: int = 3
    probe: int = 40
    fails: str = ""
    zero_shot: bool = True
    given_split: bool = False
    strategies: tuple[Strategy, ...] = tuple(STRATEGIES[name] for name in TEXTBOOK_STRATEGIES)
    kept: bool = True
    trials: bool = False
    baselines: bool = False
    shift: float = 0.0
    name: str = "Handwritten digits"
    fingerprint: str = "f" * 64


def events(scenario: Scenario | None = None) -> list[Event]:
    """Return the full list, first event to last; cut it anywhere for a comparison that runs."""
    return list(_events(scenario or Scenario()))


def config(scenario: Scenario) -> ComparisonConfig:
    """Return the resolved configuration of a scenario."""
    return ComparisonConfig(
        data=DataConfig(
            fingerprint=scenario.fingerprint,
            name=scenario.name,
            probe="e" * 64 if scenario.probe else None,
            probe_name="My photographs" if scenario.probe else None,
        ),
        backbone="resnet18",
        weights_sha256="a" * 64,
        strategies=scenario.strategies,
        class_map={CLASSES[0]: (999,)} if scenario.zero_shot else {},
        seeds=scenario.seeds,
        budget="standard" if scenario.trials else "quick",
        device="cpu",
        precision="float32",
        threads=1,
    )


def _events(scenario: Scenario) -> Iterator[Event]:
    yield _started(scenario)
    for seed in range(scenario.seeds):
        for strategy in scenario.strategies:
            if strategy.solver == "none" and not scenario.zero_shot:
                continue
            if scenario.trials and seed == 0 and strategy.solver == "steps":
                for rate in range(TRIALS):
                    yield from _run(scenario, strategy, seed, "trial", rate)
            if not strategy.pretrained:
                yield from _run(scenario, strategy, seed, "equal_steps")
            yield from _run(scenario, strategy, seed, "final")
    yield ComparisonEnded(seconds=123.4)


def _started(scenario: Scenario) -> ComparisonStarted:
    seeds = 1 if scenario.given_split else min(scenario.seeds, 5)
    runs = sum(2 - s.pretrained for s in scenario.strategies if s.solver != "none")
    runs += sum(s.solver == "none" for s in scenario.strategies) * scenario.zero_shot
    floor = _baselines() if scenario.baselines else ()
    return ComparisonStarted(
        config=config(scenario),
        command="python -m tl_core compare sample:digits --seeds 3 --budget quick",
        dataset=DatasetFacts(
            name=scenario.name,
            fingerprint=scenario.fingerprint,
            classes=CLASSES,
            images=TEST + TRAIN + VALIDATION,
            n_train=TRAIN,
            n_validation=VALIDATION,
            n_test=TEST,
            n_test_all_seeds=TEST * seeds,
            given_split=scenario.given_split,
            class_counts=(30,) * 10,
            refused=0,
            left_out=0,
        ),
        source=_source(scenario.probe) if scenario.probe else None,
        backbone_title="ResNet-18",
        input_size=224,
        device_name="CPU, 2 cores",
        versions={"python": "3.11.7", "torch": "2.11.0", "torchvision": "0.26.0"},
        majority_accuracy=0.1,
        steps=STEPS,
        planned_runs=runs * scenario.seeds,
        zero_shot_applicable=scenario.zero_shot,
        unmapped_classes=CLASSES[1:] if scenario.zero_shot else CLASSES,
        baselines=floor,
    )


def _baselines() -> tuple[Baseline, ...]:
    """Return what always guessing one class and the nearest neighbour reach."""
    facts = (("majority_class", 0.1, 0.07, 0.15), ("nearest_neighbour", 0.8, 0.73, 0.85))
    return tuple(
        Baseline(name=name, test_accuracy=value, ci_low=low, ci_high=high, balanced_accuracy=value)
        for name, value, low, high in facts
    )


def _source(images: int) -> SourceFacts:
    labels = tuple(number % 4 for number in range(images))
    correct = tuple(number % 5 != 0 for number in range(images))
    return SourceFacts(
        name="My photographs",
        fingerprint="e" * 64,
        images=images,
        classes=4,
        source_classes=1000,
        labels=labels,
        predictions=tuple(n if hit else 900 + n for n, hit in zip(labels, correct, strict=True)),
        correct=correct,
        rated=images >= 20,
    )


def _run(
    scenario: Scenario, strategy: Strategy, seed: int, kind: RunKind, rate: int = 0
) -> Iterator[Event]:
    stepped = strategy.solver == "steps"
    steps = STEPS * (1 if strategy.pretrained or kind == "equal_steps" else 2) if stepped else 0
    run = RunConfig(
        strategy=strategy,
        seed=seed,
        kind=kind,
        steps=steps,
        learning_rate=0.003 / (1, 3, 0.3)[rate] if stepped else 0.0,
        weight_decay=1e-4 if stepped else 0.0,
    )
    run_id = f"{strategy.name}-{seed}-{kind}" + (f"-{rate}" if kind == "trial" else "")
    run_id += f"-{scenario.shift:+}" if scenario.shift else ""
    parameters = _TRUTH[strategy.name][3]
    counts = {"trainable_parameters": parameters, "total_parameters": 11_181_642}
    yield RunStarted(run_id=run_id, run=run, **counts)
    curve = list(_curve(scenario, run, run_id)) if stepped else []
    if strategy.name == scenario.fails and seed == 0:
        yield from curve[:4]
        yield RunFailed(
            run_id=run_id,
            run=run,
            reason="There was not enough memory for this run. Choose a smaller model.",
        )
        return
    yield from curve
    result = _result(scenario, run, curve)
    yield RunEnded(run_id=run_id, run=run, result=result, curve=tuple(curve), **counts)


def _curve(scenario: Scenario, run: RunConfig, run_id: str) -> Iterator[EpochEnded]:
    final, _, lost, _, seconds = _TRUTH[run.strategy.name]
    rng = np.random.default_rng((run.seed, len(run_id)))
    for epoch in range(EPOCHS + 1):
        share = epoch / EPOCHS
        reached = 0.1 + (final - 0.1) * (1 - np.exp(-4 * share)) / (1 - np.exp(-4.0))
        noise = rng.normal(0, 0.012) if epoch > 0 else 0.0
        kept = None
        if scenario.probe >= 20 and run.strategy.pretrained:
            kept = 0.8 - lost / 100 * share
        yield EpochEnded(
            run_id=run_id,
            step=round(run.steps * share),
            epoch=float(epoch),
            train_loss=None if epoch == 0 else float(2.3 * np.exp(-3 * share)),
            validation_loss=float(2.3 * np.exp(-2.4 * share)),
            validation_accuracy=_whole(reached + noise, VALIDATION),
            source_accuracy=kept,
            agreement=1 - lost / 80 * share if run.strategy.pretrained else None,
            seconds=seconds * share,
        )


def _whole(share: float, images: int) -> float:
    """Return the nearest share that so many images can have."""
    return float(np.clip(round(share * images), 0, images) / images)


def _result(scenario: Scenario, run: RunConfig, curve: list[EpochEnded]) -> RunResult:
    accuracy, train, lost, _, seconds = _TRUTH[run.strategy.name]
    accuracy = min(1.0, max(0.0, accuracy + scenario.shift))
    if run.kind == "equal_steps":
        accuracy, train, seconds = accuracy - 0.12, train - 0.2, seconds / 2
    fold = 0 if scenario.given_split else run.seed % 5
    images = np.arange(fold * TEST, (fold + 1) * TEST) if run.kind != "trial" else np.arange(0)
    labels = images % len(CLASSES)
    tested = _probabilities(run, accuracy, labels, (7, fold))
    known = np.arange(VALIDATION) % len(CLASSES)
    reached = curve[-1].validation_accuracy if curve else _whole(accuracy - 0.01, VALIDATION)
    validated = _probabilities(run, reached, known, (8, 0))
    losses = -np.log(validated[np.arange(VALIDATION), known])
    return RunResult(
        train_accuracy=train,
        validation_accuracy=reached,
        validation_loss=float(losses.mean()),
        validation_images=VALIDATION,
        test_images=tuple(images.tolist()),
        test_labels=tuple(labels.tolist()),
        test_predictions=tuple(tested.argmax(axis=1).tolist()),
        test_confidences=tuple(np.round(tested.max(axis=1), 5).tolist()),
        source_predictions=_source_after(scenario.probe, lost, run),
        agreement=1 - lost / 80 if run.strategy.pretrained else None,
        cka_drift=lost / 150 if run.strategy.pretrained else None,
        steps=run.steps or None,
        steps_to_95=round(0.7 * run.steps) or None,
        best_step=round(0.9 * run.steps) or None,
        train_seconds=seconds,
        peak_memory_mb=900.0 + 10 * seconds,
        flops=seconds * 2e11,
        learning_rate=run.learning_rate or None,
        regularisation=run.weight_decay,
        **_kept(scenario, run, tested, known, validated),
    )


def _kept(
    scenario: Scenario,
    run: RunConfig,
    tested: np.ndarray,
    known: np.ndarray,
    validated: np.ndarray,
) -> dict[str, Any]:
    """Return the probabilities as a result holds them; of source images for final runs alone."""
    if not scenario.kept:
        return {}
    rng = np.random.default_rng((9, run.seed, len(run.strategy.name)))
    outside = rng.uniform(0.3, 0.95, scenario.probe if run.kind == "final" else 0)
    return {
        "test_log_probabilities": packed(np.log(tested)),
        "validation_labels": tuple(known.tolist()),
        "validation_log_probabilities": packed(np.log(validated)),
        "outside_confidences": packed(outside),
    }


def packed(values: np.ndarray) -> bytes:
    """Return numbers as an event keeps them; `run_result.packed` would import torch."""
    return values.astype("<f4").tobytes()


def _probabilities(
    run: RunConfig, accuracy: float, labels: np.ndarray, part: tuple[int, int]
) -> np.ndarray:
    """Return probabilities N x C of so many right predictions; wrong ones take the next class."""
    # Difficulty belongs to the image, luck to the run: strategies mostly fail on the same images.
    difficulty = np.random.default_rng(part).random(len(labels))
    luck = np.random.default_rng((run.seed, len(run.strategy.name))).random(len(labels))
    order = np.argsort(0.8 * difficulty + 0.2 * luck)
    hits = np.zeros(len(labels), bool)
    hits[order[: round(accuracy * len(labels))]] = True
    guesses = np.where(hits, labels, (labels + 1) % len(CLASSES))
    easiest, hardest = _SURENESS.get(run.strategy.name, _SURE)
    sure = np.empty(len(labels))
    sure[order] = np.linspace(easiest, hardest, len(labels))
    rest = np.tile((1 - sure) / (len(CLASSES) - 1), (len(CLASSES), 1)).T
    rest[np.arange(len(labels)), guesses] = sure
    return rest


def _source_after(images: int, lost: float, run: RunConfig) -> tuple[int, ...] | None:
    if not images or not run.strategy.pretrained:
        return None
    before = _source(images)
    right = [place for place, hit in enumerate(before.correct) if hit]
    forgotten = set(right[: round(lost / 100 * images)])
    return tuple(
        950 if place in forgotten else guess for place, guess in enumerate(before.predictions)
    )


def recording(sample: str, data: Dataset, scenario: Scenario) -> Recording:
    """Return a recording of a scenario on a sample, as if it had been made on another machine."""
    moments: list[Moment] = []
    begun = at = 1.5
    for event in events(scenario):
        if isinstance(event, RunStarted):
            begun = at
        elif isinstance(event, EpochEnded):
            at = begun + event.seconds
        elif isinstance(event, RunEnded):
            at = begun + event.result.train_seconds
        moments.append((0.5 if isinstance(event, ComparisonStarted) else at, event))
    asked = config(scenario)
    facts = Facts(
        sample=sample,
        data=data.signature,
        backbone=asked.backbone,
        weights_sha256=asked.weights_sha256,
        date="2026-05-02",
        commit="0123456789ab",
        configuration="c" * 64,
    )
    return Recording(facts, tuple(moments))
