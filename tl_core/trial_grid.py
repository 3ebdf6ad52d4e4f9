"""What the trials of a strategy try: learning rates, weight decays, strengths of its penalty."""

from itertools import product

from tl_core.config import Setting
from tl_core.strategies import Strategy

# Around the model's own rate; the first of each is what is used where nothing is tried.
_PRETRAINED_RATES, _SCRATCH_RATES = (1.0, 1 / 3, 10 / 3), (1.0, 1 / 5, 2.0)
_PRETRAINED_DECAYS, _SCRATCH_DECAYS = (1e-4, 0.0), (5e-4, 0.0)


def trial_grid(strategy: Strategy, rate: float, trials: int) -> list[Setting]:
    """Return the settings of `trials` trials around the model's own `rate`, that one first.

    As many for every strategy: three rates, then the same with another weight decay. Where there is
    a penalty, three strengths of it at the model's own rate, then at a third of that.

    Raises ValueError for more trials than the grid of six holds.
    """
    rates = _PRETRAINED_RATES if strategy.pretrained else _SCRATCH_RATES
    decays = _PRETRAINED_DECAYS if strategy.pretrained else _SCRATCH_DECAYS
    grid = [
        Setting(learning_rate=rate * factor, weight_decay=decay)
        for decay, factor in product(decays, rates)
    ]
    if strategy.penalty != "none":
        decay = 0.0 if strategy.penalty == "l2_sp" else decays[0]
        grid = [
            Setting(learning_rate=rate * factor, weight_decay=decay, penalty_strength=strength)
            for factor, strength in product(rates[:2], strategy.strengths)
        ]
    if trials > len(grid):
        raise ValueError(f"The grid holds {len(grid)} trials, {trials} were asked for.")
    return grid[:trials]
