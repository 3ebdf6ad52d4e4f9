"""Strategies as data: which parts train, how fast, from where; and the textbook's view of each."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec


class Textbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the literature says of a strategy before anything is measured."""

    labels_needed: str
    compute: str
    overfitting_risk: str
    flexibility: str


NO_TEXTBOOK = Textbook("", "", "", "")


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One phase of training.

    `share` is the part of the budget's steps (shares of a strategy sum to 1). Every other field is
    a factor on the run's learning rate, or None for frozen: `head`, `last` (the last blocks, last
    first), `rest` (all blocks before those).
    """

    share: float
    head: float | None
    last: tuple[float | None, ...]
    rest: float | None


# Which parameters of a trainable block train: all, those of normalisation layers, biases, or a
# low-rank update of its weights, which stay as they are.
Parameters: TypeAlias = Literal["all", "norm", "bias", "lora"]

# What is added to the loss so that less is forgotten.
Penalty: TypeAlias = Literal["none", "l2_sp", "ewc", "lwf", "rehearsal"]


class Strategy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way of reusing a pretrained model. Names no layer, so one literal serves every backbone.

    `solver`: `steps` (the training loop), `convex` (linear probe solved to convergence), `none`
    (no target label is used). `norm_statistics`: `source` keeps the running statistics of trainable
    batch normalisation at their pretrained values, `batch` re-estimates them while training.
    `unfreezing`: `stated` by `stages`, or `gradual`: from one stage, one more block after the
    other. `choice`: the blocks that the stages state, or of those the one with the largest
    `relative_gradient`. `decay`: from the head towards the image every block's factor is so many
    times the factor before it. `head_start`: a random head, or the convex linear probe.
    `strengths` of the penalty: the one that is used, then those that trials try.
    `interpolation`: the share of the way from the start to the trained weights that is kept
    (Wortsman et al. 2022), None for all of it.
    """

    name: str
    title: str
    summary: str
    textbook: Textbook
    pretrained: bool = True
    solver: Literal["steps", "convex", "none"] = "steps"
    stages: tuple[Stage, ...] = ()
    norm_statistics: Literal["source", "batch"] = "source"
    unfreezing: Literal["stated", "gradual"] = "stated"
    choice: Literal["stated", "relative_gradient"] = "stated"
    decay: float = 1.0
    parameters: Parameters = "all"
    penalty: Penalty = "none"
    strengths: tuple[float, ...] = ()
    head_start: Literal["random", "probe"] = "random"
    interpolation: float | None = None


# The head starts random, the backbone does not: it moves ten times slower.
HEAD = 10.0
BACKBONE = 1.0

_FIVE = (
    Strategy(
        name="zero_shot",
        title="Zero-shot transfer",
        summary="The source model as it is: its classes are mapped to yours, no label is used.",
        textbook=Textbook("none", "one forward pass", "none", "only classes the source knows"),
        solver="none",
    ),
    Strategy(
        name="feature_extraction",
        title="Feature extraction",
        summary="The backbone is frozen; a linear head is solved on its features.",
        textbook=Textbook("few (under 500)", "low", "low", "low: features stay as they are"),
        solver="convex",
    ),
    Strategy(
        name="partial_fine_tuning",
        title="Partial fine-tuning",
        summary="The last two blocks and a new head are trained; the rest is frozen.",
        textbook=Textbook("some (500 to 5,000)", "medium", "medium", "medium"),
        stages=(Stage(1.0, HEAD, (BACKBONE, BACKBONE), None),),
    ),
    Strategy(
        name="full_fine_tuning",
        title="Full fine-tuning",
        summary="Everything is trained, the backbone ten times slower than the new head.",
        textbook=Textbook("many (5,000 and more)", "high", "high on few labels", "high"),
        stages=(Stage(1.0, HEAD, (), BACKBONE),),
    ),
    Strategy(
        name="from_scratch",
        title="Training from scratch",
        summary="The same network from random weights: what pretraining is worth.",
        textbook=Textbook("very many (100,000 and more)", "highest", "highest", "highest"),
        pretrained=False,
        stages=(Stage(1.0, BACKBONE, (), BACKBONE),),
        norm_statistics="batch",
    ),
)

_ALL_TRAIN = (Stage(1.0, HEAD, (), BACKBONE),)
# A head that starts as the linear probe is as good as the backbone already: it moves as slowly.
_PROBE_START = (Stage(1.0, BACKBONE, (), BACKBONE),)
# Few parameters, and none of them a whole weight: they may move as fast as the head.
_FEW_TRAIN = (Stage(1.0, HEAD, (), HEAD),)
# Howard & Ruder 2018: every layer group learns 2.6 times slower than the one above it.
_ULMFIT_DECAY = 1 / 2.6

_BEYOND = (
    Strategy(
        name="gradual_unfreezing",
        title="Gradual unfreezing",
        summary="The head first, then one more block after the other, from the last to the first.",
        textbook=Textbook("some (500 to 5,000)", "medium to high", "medium", "high"),
        stages=_ALL_TRAIN,
        unfreezing="gradual",
    ),
    Strategy(
        name="discriminative_rates",
        title="Discriminative rates",
        summary="Everything is trained, each block 2.6 times slower than the one after it.",
        textbook=Textbook("some (500 to 5,000)", "high", "medium", "high"),
        stages=(Stage(1.0, HEAD, (), HEAD),),
        decay=_ULMFIT_DECAY,
    ),
    Strategy(
        name="lp_ft",
        title="LP-FT",
        summary="First the linear probe, then full fine-tuning that starts from it.",
        textbook=Textbook("some to many", "high", "medium", "high"),
        stages=_PROBE_START,
        head_start="probe",
    ),
    Strategy(
        name="norm_only",
        title="Norm-only tuning",
        summary="Only scales and shifts of normalisation layers and a new head are trained.",
        textbook=Textbook("few to some", "medium", "low", "medium"),
        stages=_FEW_TRAIN,
        parameters="norm",
    ),
    Strategy(
        name="bias_only",
        title="Bias-only tuning",
        summary="Only the biases and a new head are trained.",
        textbook=Textbook("few to some", "medium", "low", "low to medium"),
        stages=_FEW_TRAIN,
        parameters="bias",
    ),
    Strategy(
        name="surgical",
        title="Surgical fine-tuning",
        summary="Only the block that your images pull at hardest is trained, with the head.",
        textbook=Textbook("few to some", "medium", "low to medium", "medium"),
        stages=_PROBE_START,
        choice="relative_gradient",
        head_start="probe",
    ),
    Strategy(
        name="l2_sp",
        title="L2-SP",
        summary="Full fine-tuning in which every weight is pulled back to where it started.",
        textbook=Textbook("some to many", "high", "medium", "high"),
        stages=_ALL_TRAIN,
        penalty="l2_sp",
        strengths=(10.0, 1.0, 100.0),
    ),
    Strategy(
        name="ewc",
        title="EWC",
        summary="Like L2-SP, but weights that matter for the source task are held harder.",
        textbook=Textbook("some to many, and source images", "high", "medium", "high"),
        stages=_ALL_TRAIN,
        penalty="ewc",
        strengths=(10.0, 1.0, 100.0),
    ),
    Strategy(
        name="lwf",
        title="LwF",
        summary="Full fine-tuning that keeps the original model's answers on your own images.",
        textbook=Textbook("some to many", "highest", "medium", "high"),
        stages=_ALL_TRAIN,
        penalty="lwf",
        strengths=(1.0, 4.0, 0.25),
    ),
    Strategy(
        name="rehearsal",
        title="Rehearsal",
        summary="Full fine-tuning that goes on practising the source task on source images.",
        textbook=Textbook("some to many, and source images", "highest", "medium", "high"),
        stages=_ALL_TRAIN,
        penalty="rehearsal",
        strengths=(1.0, 0.5, 0.25),
    ),
    Strategy(
        name="lora",
        title="LoRA",
        summary="The weights stay; a low-rank update of each layer and a new head are trained.",
        textbook=Textbook("few to some", "high", "low to medium", "medium"),
        stages=_FEW_TRAIN,
        parameters="lora",
    ),
    Strategy(
        name="wise_ft",
        title="WiSE-FT",
        summary="LP-FT, then the average of the weights before and after: half-way back.",
        textbook=Textbook("some to many", "high", "low to medium", "high"),
        stages=_PROBE_START,
        head_start="probe",
        interpolation=0.5,
    ),
)

STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in (*_FIVE, *_BEYOND)}

# What a comparison consists of unless something else is asked for.
TEXTBOOK_STRATEGIES: tuple[str, ...] = tuple(strategy.name for strategy in _FIVE)


def learns_from_source(strategy: Strategy) -> bool:
    """Return whether a strategy needs labelled source images to learn from."""
    return strategy.penalty in ("ewc", "rehearsal")


def custom_strategy(frozen: Sequence[bool]) -> Strategy:
    """Return the user's own choice of frozen blocks as a strategy.

    `frozen` has one entry for each block, input to output; the new head always trains.
    """
    factors = tuple(None if is_frozen else BACKBONE for is_frozen in reversed(frozen))
    trained = sum(not is_frozen for is_frozen in frozen)
    return Strategy(
        name="custom",
        title="My layers",
        summary=f"Your choice: {trained} of {len(frozen)} blocks and a new head are trained.",
        textbook=Textbook("depends", "depends", "grows with depth", "yours"),
        stages=(Stage(1.0, HEAD, factors, None),),
    )
