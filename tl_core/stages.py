"""A strategy's stages for a backbone of so many blocks: what trains when, and how fast."""

import math

from msgspec.structs import replace

from tl_core.strategies import Stage, Strategy

# Gradual unfreezing: the part of the steps in which blocks are still joining.
UNFREEZING_SHARE = 1 / 3


def block_factors(stage: Stage, blocks: int) -> list[float | None]:
    """Return the learning-rate factor (None: frozen) of each block, input to output.

    Raises ValueError if the stage has rules for more blocks than there are.
    """
    last = list(stage.last)
    if len(last) > blocks:
        raise ValueError(
            f"The stage gives rules to {len(last)} blocks, the backbone has only {blocks}."
        )
    return [stage.rest] * (blocks - len(last)) + last[::-1]


def stages_of(strategy: Strategy, blocks: int, chosen: int | None = None) -> tuple[Stage, ...]:
    """Return the strategy's stages with a rule for each of `blocks` blocks.

    `chosen`: the block, counted from the input, that the strategy's `choice` fell on; before that
    is known, all that may be chosen count as trained. Gradual unfreezing makes of one stage as many
    as there are blocks, and one more.
    """
    found = [_decayed(stage, strategy.decay, blocks) for stage in strategy.stages]
    if chosen is not None:
        found = [_alone(stage, chosen) for stage in found]
    if strategy.unfreezing == "gradual":
        found = [_opened(stage, count) for stage in found for count in range(blocks + 1)]
    return tuple(found)


def _decayed(stage: Stage, decay: float, blocks: int) -> Stage:
    """Return the stage with a factor for each block, last first, falling towards the input."""
    factors = block_factors(stage, blocks)[::-1]
    fallen = [
        None if factor is None else factor * decay ** (place + 1 if decay != 1 else 0)
        for place, factor in enumerate(factors)
    ]
    return replace(stage, last=tuple(fallen), rest=None)


def _alone(stage: Stage, chosen: int) -> Stage:
    place = len(stage.last) - 1 - chosen
    return replace(stage, last=tuple(f if i == place else None for i, f in enumerate(stage.last)))


def _opened(stage: Stage, count: int) -> Stage:
    return replace(stage, last=tuple(f if i < count else None for i, f in enumerate(stage.last)))


def stage_ends(strategy: Strategy, blocks: int, steps: int) -> list[int]:
    """Return the step at which each stage ends; the last one ends with the budget.

    Gradual unfreezing: of n blocks floor(t / (T - 1) * n) train at step t of the first T steps, a
    third of all.
    """
    if strategy.unfreezing == "gradual":
        phase = max(2, round(steps * UNFREEZING_SHARE))
        opened = [math.ceil((count + 1) * (phase - 1) / blocks) for count in range(blocks)]
        return [*(min(end, steps) for end in opened), steps]
    shares = [stage.share for stage in strategy.stages]
    ends = [round(steps * sum(shares[: i + 1])) for i in range(len(shares))]
    return [*ends[:-1], steps]


def frozen_prefix(strategy: Strategy, blocks: int, chosen: int | None = None) -> int:
    """Return how many blocks, from the input on, no stage of the strategy ever trains."""
    prefix = blocks
    for stage in stages_of(strategy, blocks, chosen):
        factors = block_factors(stage, blocks)
        trained = [i for i, factor in enumerate(factors) if factor is not None]
        prefix = min([prefix, *trained[:1]])
    return prefix


def passes(strategy: Strategy, blocks: int, chosen: int | None = None) -> list[int]:
    """Return what a training step costs in each block, in its forward passes of an image.

    One before the first trained block; then two with the gradient of its input, three where the
    gradients of its weights are needed too. A teacher (LwF) goes forward as well; rehearsal takes
    as many source images again, from the first block on.
    """
    factors = block_factors(stages_of(strategy, blocks, chosen)[-1], blocks)
    first = next((i for i, factor in enumerate(factors) if factor is not None), blocks)
    teacher = 1 if strategy.penalty == "lwf" else 0
    own = 3 if strategy.parameters == "all" else 2
    batches = 2 if strategy.penalty == "rehearsal" else 1
    return [
        teacher + batches * (1 if place < first else 2 if factor is None else own)
        for place, factor in enumerate(factors)
    ]


def leaves_backbone(strategy: Strategy) -> bool:
    """Return whether the pretrained backbone stays as it is, whatever model it is."""
    return strategy.pretrained and all(
        factor is None for stage in strategy.stages for factor in (*stage.last, stage.rest)
    )
