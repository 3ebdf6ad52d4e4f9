"""Which strategies a model and its source images allow, and in words why not the others."""

from collections.abc import Iterable
from typing import Final

from tl_core.catalog import Model
from tl_core.strategies import Strategy, learns_from_source

# Fewer labelled source images say too little of which weights matter, and are learnt by heart.
SOURCE_IMAGES_FROM: Final = 40

# What a strategy does with labelled source images.
_USES: Final = {
    "ewc": "measures on labelled source images which weights matter",
    "rehearsal": "practises on labelled source images",
}


def why_not(strategy: Strategy, row: Model, source_images: int | None) -> str:
    """Return in one sentence why a strategy cannot run with a model; empty where it can.

    `source_images`: the labelled images of the source task there are, None for none at all.
    Biases need no question: every model of the catalog has some in each of its blocks.
    """
    if strategy.parameters == "norm" and row.normalisation == "none":
        return f"{row.title} has no normalisation layers that {strategy.title} could train."
    if not learns_from_source(strategy) or (source_images or 0) >= SOURCE_IMAGES_FROM:
        return ""
    found = f"there are {source_images}" if source_images else "there are none"
    return (
        f"{strategy.title} {_USES[strategy.penalty]}: it needs at least {SOURCE_IMAGES_FROM}, "
        f"{found}. Bring source images of {row.title} on the data page."
    )


def refused(
    strategies: Iterable[Strategy], row: Model, source_images: int | None
) -> dict[str, str]:
    """Return the strategies that cannot run, by name, each with the reason."""
    reasons = {s.name: why_not(s, row, source_images) for s in strategies}
    return {name: reason for name, reason in reasons.items() if reason}
