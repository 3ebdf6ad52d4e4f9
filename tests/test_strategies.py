from pathlib import Path

import pytest

from tl_core.stages import block_factors, frozen_prefix, passes, stage_ends, stages_of
from tl_core.strategies import STRATEGIES, Stage, custom_strategy
from tl_core.trial_grid import trial_grid

TRAINED = [strategy for strategy in STRATEGIES.values() if strategy.solver == "steps"]


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


@pytest.mark.parametrize("strategy", TRAINED, ids=lambda s: s.name)
def test_trial_grids_start_with_the_models_own_rate_and_do_not_repeat(strategy):
    for trials in (1, 3, 6):
        grid = trial_grid(strategy, 0.01, trials)
        assert grid[0].learning_rate == 0.01
        assert len(set(grid)) == trials
        assert grid[0].penalty_strength == next(iter(strategy.strengths), None)
    with pytest.raises(ValueError, match="holds 6"):
        trial_grid(strategy, 0.01, 7)


def test_trials_of_a_penalty_try_its_strengths_first():
    for name in ("l2_sp", "ewc", "lwf", "rehearsal"):
        grid = trial_grid(STRATEGIES[name], 0.01, 3)
        assert {setting.learning_rate for setting in grid} == {0.01}
        assert tuple(s.penalty_strength for s in grid) == STRATEGIES[name].strengths
    assert all(s.weight_decay == 0 for s in trial_grid(STRATEGIES["l2_sp"], 0.01, 6))


def test_discriminative_rates_equal_the_reference(golden):
    """Head to stem, 1e-3 at the head."""
    stage = stages_of(STRATEGIES["discriminative_rates"], 4)[0]
    found = [stage.head, *block_factors(stage, 4)[::-1]]
    wanted = golden["disc_lr/ulmfit_5groups"]["value"]
    assert [1e-3 * factor / stage.head for factor in found] == pytest.approx(wanted, rel=1e-9)


def test_gradual_unfreezing_follows_the_reference_schedule(golden):
    """Four blocks over ten steps of unfreezing, which are a third of thirty."""
    strategy = STRATEGIES["gradual_unfreezing"]
    ends, stages = stage_ends(strategy, 4, 30), stages_of(strategy, 4)
    frozen = []
    for step in range(10):
        stage = next(i for i, end in enumerate(ends) if end > step)
        frozen.append(sum(factor is None for factor in block_factors(stages[stage], 4)))
    assert frozen == golden["gradual_unfreeze/frozen_blocks_4blocks_10steps"]["value"]
    assert ends[-1] == 30


def test_gradual_unfreezing_opens_the_last_block_first_and_ends_with_all():
    stages = stages_of(STRATEGIES["gradual_unfreezing"], 3)
    trained = [[f is not None for f in block_factors(stage, 3)] for stage in stages]
    assert trained == [
        [False, False, False],
        [False, False, True],
        [False, True, True],
        [True, True, True],
    ]
    assert stage_ends(STRATEGIES["gradual_unfreezing"], 13, 4)[-1] == 4


def test_a_chosen_block_trains_alone():
    surgical = STRATEGIES["surgical"]
    for chosen in range(4):
        factors = block_factors(stages_of(surgical, 4, chosen)[0], 4)
        assert [f is not None for f in factors] == [place == chosen for place in range(4)]
        assert frozen_prefix(surgical, 4, chosen) == chosen
    assert frozen_prefix(surgical, 4) == 0


def test_passes_count_gradients_the_teacher_and_what_is_practised():
    assert passes(STRATEGIES["full_fine_tuning"], 4) == [3, 3, 3, 3]
    assert passes(STRATEGIES["partial_fine_tuning"], 4) == [1, 1, 3, 3]
    assert passes(STRATEGIES["surgical"], 4, 1) == [1, 3, 2, 2]
    assert passes(STRATEGIES["norm_only"], 4) == [2, 2, 2, 2]
    assert passes(STRATEGIES["lwf"], 4) == [4, 4, 4, 4]
    assert passes(STRATEGIES["rehearsal"], 4) == [6, 6, 6, 6]


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))
def test_every_strategy_is_documented_with_its_strengths(strategy):
    text = (Path(__file__).parents[1] / "docs" / "strategies.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {strategy.title} (`")]
    assert f"(`{strategy.name}`)" in row
    if strategy.strengths:
        first, *others = (f"{value:g}" for value in strategy.strengths)
        assert f" {first}, trials try {' and '.join(others)} " in row
