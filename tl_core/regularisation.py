"""What holds a training back from its training images: everything usual, nothing, or one thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tl_core.config import Regularisation
from tl_core.strategies import STRATEGIES, Strategy
from tl_core.trial_grid import trial_grid

# Share of the pooled features that the head does without at each step.
DROPOUT: Final = 0.2


@dataclass(frozen=True)
class Rules:
    """What one choice means, for every strategy that is trained step by step.

    `decays`: weight decays that trials may choose from; all of the grid, its first, or none.
    `dropout`: of the new head. `stochastic_depth`: whether networks that have it skip blocks at
    random. `label_smoothing`: the share of every label that is spread over all classes. `mixup`:
    alpha of the Beta distribution that says how two images are mixed, None for not at all.
    `patience`: looks at the validation images without a lower log-loss before training stops,
    None to go on to the end.
    """

    title: str
    decays: Literal["all", "first", "none"] = "none"
    dropout: float = 0.0
    stochastic_depth: bool = False
    label_smoothing: float = 0.0
    mixup: float | None = None
    patience: int | None = None


RULES: Final[Mapping[Regularisation, Rules]] = {
    "usual": Rules("the usual", decays="all", dropout=DROPOUT, stochastic_depth=True),
    "none": Rules("nothing"),
    "weight_decay": Rules("weight decay alone", decays="first"),
    "dropout": Rules("dropout alone", dropout=DROPOUT),
    "label_smoothing": Rules("label smoothing alone", label_smoothing=0.1),
    "mixup": Rules("mixup alone", mixup=0.2),
    "early_stopping": Rules("early stopping alone", patience=5),
}


def weight_decay(name: Regularisation, strategy: Strategy, tried: float) -> float:
    """Return the weight decay of a training for which trials, or their grid, say `tried`."""
    decays = RULES[name].decays
    if decays == "all":
        return tried
    return trial_grid(strategy, 1.0, 1)[0].weight_decay if decays == "first" else 0.0


def trials_left(name: Regularisation, trials: int) -> int:
    """Return how many trials differ: where weight decay is settled, only those of other rates."""
    if RULES[name].decays == "all":
        return trials
    grid = trial_grid(STRATEGIES["full_fine_tuning"], 1.0, trials)
    return len({setting.learning_rate for setting in grid})
