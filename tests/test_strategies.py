import pytest

from tl_core.stages import block_factors, frozen_prefix
from tl_core.strategies import STRATEGIES, Stage, custom_strategy
from tl_core.trial_grid import trial_grid


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
def test_contract(strategy):
    assert strategy.title
    assert strategy.summary.endswith(".")
    for field in ("labels_needed", "compute", "overfitting_risk", "flexibility"):
        assert getattr(strategy.textbook, field)
    if strategy.solver == "steps":
        assert sum(stage.share for stage in strategy.stages) == pytest.approx(1.0)
        assert all(stage.head for stage in strategy.stages)
    else:
        assert strategy.stages == ()


def test_block_factors_count_from_the_output():
    assert block_factors(Stage(1.0, 1.0, (0.5, None), 0.1), 4) == [0.1, 0.1, None, 0.5]
    with pytest.raises(ValueError, match="only 1"):
        block_factors(Stage(1.0, 1.0, (0.5, None), 0.1), 1)


def test_custom_strategy_keeps_each_choice():
    strategy = custom_strategy([True, False, True])
    assert block_factors(strategy.stages[0], 3) == [None, 1.0, None]
    assert frozen_prefix(strategy, 3) == 1
    assert frozen_prefix(custom_strategy([True, True]), 2) == 2


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("zero_shot", 9),
        ("feature_extraction", 9),
        ("partial_fine_tuning", 7),
        ("full_fine_tuning", 0),
    ],
)
def test_frozen_prefix(name, prefix):
    assert frozen_prefix(STRATEGIES[name], 9) == prefix


@pytest.mark.parametrize("pretrained", [True, False])
def test_trial_grids_start_with_the_models_own_rate_and_do_not_repeat(pretrained):
    for trials in (1, 3, 6):
        grid = trial_grid(pretrained, 0.01, trials)
        assert grid[0][0] == 0.01
        assert len(set(grid)) == trials
    with pytest.raises(ValueError, match="holds 6"):
        trial_grid(pretrained, 0.01, 7)
