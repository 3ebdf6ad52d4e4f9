"""What happens, in order: frozen, JSON-able values that everything after training is made from."""

from typing import Literal, TypeAlias

import msgspec

from tl_core.answers import AnyAnswer
from tl_core.config import ComparisonConfig, RunConfig
from tl_core.sweep import Sweep


class Base(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="event"
):
    """Common ground of all events: tagged with the class name, unknown fields fail."""


class Progress(Base, frozen=True, tag="Progress"):
    """A wait with a name. `fraction` is 0 to 1, or None when the end is unknown."""

    message: str
    fraction: float | None = None


class DatasetFacts(Base, frozen=True, tag="DatasetFacts"):
    """The target data as the comparison saw it; counts are of the first seed's split."""

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    images: int
    n_train: int
    n_validation: int
    n_test: int
    n_test_all_seeds: int
    given_split: bool
    class_counts: tuple[int, ...]
    refused: int
    left_out: int


class SourceFacts(Base, frozen=True, tag="SourceFacts"):
    """The source probe and the original model's accuracy on it, before any training.

    `correct`, `labels` and `predictions` (indices of source classes) have one entry per image;
    `rated` is false under 20 images, where predictions are shown and no rate. `set_aside`: how many
    further source images of the same data set are kept for what learns from some.
    """

    name: str
    fingerprint: str
    images: int
    classes: int
    source_classes: int
    labels: tuple[int, ...]
    predictions: tuple[int, ...]
    correct: tuple[bool, ...]
    rated: bool
    set_aside: int = 0


BaselineName = Literal["majority_class", "nearest_neighbour"]


class Baseline(Base, frozen=True, tag="Baseline"):
    """What needs no training and has to be beaten; accuracies are fractions, over all seeds."""

    name: BaselineName
    test_accuracy: float
    ci_low: float
    ci_high: float
    balanced_accuracy: float


class ComparisonStarted(Base, frozen=True, tag="ComparisonStarted"):
    """First event: the resolved configuration and all that tables and charts need to be drawn."""

    config: ComparisonConfig
    command: str
    dataset: DatasetFacts
    source: SourceFacts | None
    backbone_title: str
    input_size: int
    device_name: str
    versions: dict[str, str]
    majority_accuracy: float
    steps: int
    planned_runs: int
    zero_shot_applicable: bool
    unmapped_classes: tuple[str, ...]
    baselines: tuple[Baseline, ...] = ()


class RunStarted(Base, frozen=True, tag="RunStarted"):
    """A training begins. `reused` says that its result is taken from an earlier identical run."""

    run_id: str
    run: RunConfig
    trainable_parameters: int
    total_parameters: int
    reused: bool = False


class EpochEnded(Base, frozen=True, tag="EpochEnded"):
    """A point of the live curves, after `step` of the run's steps; step 0 is before training.

    Accuracies are fractions. `source_accuracy` is measured on a fixed stratified part of the
    source probe; `agreement` is with the original model, on the same images; on
    validation images where there is no labelled probe.
    """

    run_id: str
    step: int
    epoch: float
    train_loss: float | None
    validation_loss: float
    validation_accuracy: float
    source_accuracy: float | None
    agreement: float | None
    seconds: float


class RunResult(Base, frozen=True, tag="RunResult"):
    """What one finished training measured.

    `test_images`, `test_labels`, `test_predictions` and `test_confidences` run in parallel; the
    first holds indices into the dataset. `source_predictions` (indices of source classes) has one
    entry per probe image, after training; None without a labelled probe or without pretraining.
    `agreement` (fraction) and `cka_drift` (1 - debiased linear CKA) compare with the original model
    on the test images. `steps` is None where there is no training loop. `train_seconds` includes
    the strategy's share of the one pass through the frozen part, also when that pass is shared.
    `flops` counts a multiplication and an addition as two. `diverged`: the loss stopped being a
    number.

    Log-probabilities (nats) are float32, images x classes, row after row: of the test images in
    their order, and of the validation images, whose `validation_labels` run in parallel.
    `outside_confidences` (float32) holds, for each source image of the probe, the highest
    probability that the target head gives it; the rest of the source task is "none of these".
    Empty in results that were recorded without them. `chosen_block`: the one that a strategy which
    chooses a block has trained.
    """

    train_accuracy: float | None
    validation_accuracy: float | None
    validation_loss: float | None
    validation_images: int
    test_images: tuple[int, ...]
    test_labels: tuple[int, ...]
    test_predictions: tuple[int, ...]
    test_confidences: tuple[float, ...]
    source_predictions: tuple[int, ...] | None
    agreement: float | None
    cka_drift: float | None
    steps: int | None
    steps_to_95: int | None
    best_step: int | None
    train_seconds: float
    peak_memory_mb: float | None
    flops: float
    learning_rate: float | None
    regularisation: float | None = None
    diverged: bool = False
    test_log_probabilities: bytes = b""
    validation_labels: tuple[int, ...] = ()
    validation_log_probabilities: bytes = b""
    outside_confidences: bytes = b""
    chosen_block: str | None = None


class RunEnded(Base, frozen=True, tag="RunEnded"):
    """A training is complete; identical for a fresh and a reused run.

    `seconds` is all that the run took, its looks at images and its frozen part included.
    """

    run_id: str
    run: RunConfig
    trainable_parameters: int
    total_parameters: int
    result: RunResult
    curve: tuple[EpochEnded, ...] = ()
    seconds: float | None = None


class RunFailed(Base, frozen=True, tag="RunFailed"):
    """A training could not be completed; `reason` is one sentence for the user."""

    run_id: str
    run: RunConfig
    reason: str


class MicroBatchHalved(Base, frozen=True, tag="MicroBatchHalved"):
    """Memory ran out: everything that trains begins anew with `micro_batch` images at a time.

    For all strategies alike, so that they stay comparable.
    """

    micro_batch: int


class ComparisonEnded(Base, frozen=True, tag="ComparisonEnded"):
    """Last event of a comparison that went through all its runs."""

    seconds: float


class SweepStarted(Base, frozen=True, tag="SweepStarted"):
    """First event of a sweep: what is varied, and every point of it."""

    sweep: Sweep


class PointStarted(Base, frozen=True, tag="PointStarted"):
    """What follows, up to the next of its kind, is the comparison of a sweep's point `place`."""

    place: int


class PointFailed(Base, frozen=True, tag="PointFailed"):
    """The comparison of a sweep's point could not be made; `reason` is a sentence for the user."""

    place: int
    reason: str


class SweepEnded(Base, frozen=True, tag="SweepEnded"):
    """Last event of a sweep that went through all its points."""

    seconds: float


class Answered(Base, frozen=True, tag="Answered"):
    """What a job found that asked something else than a comparison."""

    answer: AnyAnswer


class JobEnded(Base, frozen=True, tag="JobEnded"):
    """How a job ended, as its runner saw it; `reason` is empty for `done`."""

    status: Literal["done", "failed", "cancelled"]
    reason: str = ""


Event: TypeAlias = (
    Progress
    | ComparisonStarted
    | RunStarted
    | EpochEnded
    | RunEnded
    | RunFailed
    | MicroBatchHalved
    | ComparisonEnded
    | SweepStarted
    | PointStarted
    | PointFailed
    | SweepEnded
    | Answered
    | JobEnded
)

_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON (no line break inside)."""
    return msgspec.json.encode(event)


def decode(line: bytes | str) -> Event:
    """Return the event of one line of JSON; raises msgspec.ValidationError on anything else."""
    return _decoder.decode(line)
