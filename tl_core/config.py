"""What is asked for: frozen configurations, the budgets, and the hash that identifies a run."""

import hashlib
from typing import Any, Literal

import msgspec

from tl_core.strategies import Strategy

# Raised whenever the same configuration would give other numbers; part of every run's identity.
RECIPE_VERSION = 4

BATCH_SIZE = 32

# Under this many source images predictions are shown, never a rate.
RATED_FROM = 20

# A source probe of this prefix is drawn by the process that first needs it, not brought by a user.
DRAWN = "drawn:"

BudgetName = Literal["quick", "standard", "thorough"]
RunKind = Literal["final", "trial", "equal_steps", "range_test"]

# How rare classes are made up for in training: not at all, by the weight of their images in the
# loss, or by drawing every class equally often.
ClassBalance = Literal["none", "weights", "sampling"]


# How training images are varied: not at all, by random crops and mirroring, or by colour as well.
Augmentation = Literal["none", "crops", "colour"]

# What holds a training back from its training images: what the strategy usually has (weight decay
# where trials choose it, and dropout), or nothing, or one thing alone.
Regularisation = Literal[
    "usual", "none", "weight_decay", "dropout", "label_smoothing", "mixup", "early_stopping"
]


class NotPossible(ValueError):
    """What was asked for cannot be done here; the text says why and what to do instead."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A frozen value; an unknown field fails when it is read back."""


class Budget(Config, frozen=True):
    """Steps of 32 images, trials per trained strategy, and how far from-scratch may go on."""

    steps: int
    trials: int
    scratch_extension: int


BUDGETS: dict[BudgetName, Budget] = {
    "quick": Budget(steps=60, trials=1, scratch_extension=2),
    "standard": Budget(steps=200, trials=3, scratch_extension=5),
    "thorough": Budget(steps=500, trials=6, scratch_extension=10),
}

# A small input makes a step cheap, and small-input sets are the ones that need more of them.
SMALL_INPUT = 128
SMALL_INPUT_STEPS = 4


def budget_for(name: BudgetName, input_size: int) -> Budget:
    """Return the budget for a model whose input is `input_size` pixels wide."""
    budget = BUDGETS[name]
    if input_size >= SMALL_INPUT:
        return budget
    return msgspec.structs.replace(budget, steps=budget.steps * SMALL_INPUT_STEPS)


class DataConfig(Config, frozen=True):
    """The data of a comparison, by content: fingerprints of the target set and the source probe.

    Where the model's source task is this project's own generator, `probe` may instead begin with
    DRAWN and say what is drawn.
    """

    fingerprint: str
    name: str
    probe: str | None = None
    probe_name: str | None = None


class Setting(Config, frozen=True):
    """What trials chose for a strategy; `penalty_strength` is None where it has no penalty."""

    learning_rate: float
    weight_decay: float
    penalty_strength: float | None = None


class ComparisonConfig(Config, frozen=True):
    """Everything that decides a comparison's numbers, resolved and saved once.

    `class_map` maps a target class to indices of source classes; a class that is missing maps to
    none. `device`, `precision` and `threads` are requests until the worker that first starts the
    comparison resolves them; a comparison that goes on keeps what was resolved. `steps` and
    `learning_rate` (of the backbone; a new head's is ten times that) hold for every trained
    strategy, in the place of the budget's steps and of the model's own rates and trials.
    `class_balance` holds for all that learn from labels; the linear probe, which draws no batches,
    weighs its images for either of the two. `settings` are those of strategies, by name, whose
    trials are over. `labels_per_class`: so many training images of each class, None for all; the
    validation part is cut in proportion. `input_size`: the width in pixels at which the model sees
    images, its own if None. `rate_range`: instead of being trained, every strategy runs through
    learning rates from the first to the second.
    """

    data: DataConfig
    backbone: str
    weights_sha256: str
    strategies: tuple[Strategy, ...]
    class_map: dict[str, tuple[int, ...]] = {}
    seeds: int = 1
    budget: BudgetName = "quick"
    steps: int | None = None
    learning_rate: float | None = None
    class_balance: ClassBalance = "none"
    settings: dict[str, Setting] = {}
    labels_per_class: int | None = None
    input_size: int | None = None
    augmentation: Augmentation = "crops"
    regularisation: Regularisation = "usual"
    rate_range: tuple[float, float] | None = None
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0


class RunConfig(Config, frozen=True):
    """One training: what `trainer.Fit` needs beside the model and the data.

    `kind`: `final` (its test result is reported), `trial` (chooses the rate), `equal_steps`
    (from scratch, stopped at everyone else's budget), `range_test` (its rate rises from
    `learning_rate` to `highest_rate`; it measures no result). Of a batch, `micro_batch` images are
    in memory at a time; normalisation layers that use the batch's statistics see only those.
    """

    strategy: Strategy
    seed: int
    kind: RunKind
    steps: int
    learning_rate: float
    weight_decay: float
    batch_size: int = BATCH_SIZE
    micro_batch: int = BATCH_SIZE
    mirror: bool = True
    class_balance: ClassBalance = "none"
    penalty_strength: float | None = None
    augmentation: Augmentation = "crops"
    regularisation: Regularisation = "usual"
    highest_rate: float | None = None


def content_hash(*parts: Any) -> str:
    """Return the SHA-256 (hex) of values that msgspec can encode, independent of key order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(msgspec.json.encode(part, order="deterministic"))
        digest.update(b"\n")
    return digest.hexdigest()
