"""Equal trials for all points of a sweep: every trained strategy's setting, fixed beforehand."""

from collections.abc import Mapping, Sequence

import msgspec

from tl_core.catalog import Model
from tl_core.config import ComparisonConfig, Setting
from tl_core.record import Record
from tl_core.strategies import Strategy
from tl_core.trial_grid import trial_grid


def settings_of(found: Record) -> dict[str, Setting]:
    """Return what the trials of a finished comparison chose, by the name of the strategy.

    Strategies that are not trained step by step have no setting.
    """
    finals = (ended.run for ended in found.ended.values() if ended.run.kind == "final")
    return {
        run.strategy.name: Setting(
            learning_rate=run.learning_rate,
            weight_decay=run.weight_decay,
            penalty_strength=run.penalty_strength,
        )
        for run in finals
        if run.strategy.solver == "steps"
    }


def own_settings(
    strategies: Sequence[Strategy], row: Model, rate: float | None = None
) -> dict[str, Setting]:
    """Return the setting with which a model trains each strategy before anything is tried.

    `rate`: instead of the model's own, for all that train.
    """
    own = {True: row.recipe.rate, False: row.recipe.scratch_rate}
    return {
        strategy.name: trial_grid(strategy, rate or own[strategy.pretrained], 1)[0]
        for strategy in strategies
        if strategy.solver == "steps"
    }


def settled(
    config: ComparisonConfig, row: Model, chosen: Mapping[str, Setting] | None = None
) -> ComparisonConfig:
    """Return a comparison in which nothing is tried: as `chosen`, else as it says, else own rates.

    `row`: the comparison's model.
    """
    own = own_settings(config.strategies, row, config.learning_rate)
    known = {**own, **config.settings, **(chosen or {})}
    return msgspec.structs.replace(
        config, settings={name: known[name] for name in own}, learning_rate=None
    )
