"""Distances between sets of features: reference values, what chance gives, what is refused."""

import numpy as np
import pytest

from tl_core.domain import (
    DISTANCES,
    compare_domains,
    frechet_distance,
    maximum_mean_discrepancy,
    mmd_permutation_p,
    proxy_a_distance,
    split_half_null,
)

PAIRS = ("S_T", "S_S2")


def sides(inputs, pair):
    return tuple(inputs[f"dom_{name}"] for name in pair.split("_"))


def drawn(images=200, width=20, shift=0.0, seed=0):
    return np.random.default_rng(seed).normal(size=(images, width)) + shift


# --- reference values


@pytest.mark.parametrize("pair", PAIRS)
def test_golden_frechet(golden, golden_inputs, pair):
    x, y = sides(golden_inputs, pair)
    assert frechet_distance(x, y) == pytest.approx(golden[f"frechet/{pair}"]["value"], rel=1e-6)
    expected = golden[f"frechet/{pair}/diagonal"]["value"]
    assert frechet_distance(x, y, full=False) == pytest.approx(expected, rel=1e-9)
    # 31 images of 16 dimensions: too few for a covariance.
    assert frechet_distance(x[:31], y) == frechet_distance(x[:31], y, full=False)
    assert frechet_distance(x[:32], y) == frechet_distance(x[:32], y, full=True)


@pytest.mark.parametrize("pair", PAIRS)
def test_golden_mmd(golden, golden_inputs, pair):
    x, y = sides(golden_inputs, pair)
    expected = golden[f"mmd/{pair}/unbiased_U"]["value"]
    assert maximum_mean_discrepancy(x, y) == pytest.approx(expected, rel=1e-8)
    expected = golden[f"mmd/{pair}/perm_p_200"]
    assert mmd_permutation_p(x, y) == pytest.approx(expected["value"], rel=expected["rtol"])


@pytest.mark.parametrize("pair", PAIRS)
def test_golden_proxy_a_distance(golden, golden_inputs, pair):
    x, y = sides(golden_inputs, pair)
    folds = tuple(golden_inputs[f"fold_{name}"] for name in pair.split("_"))
    expected = golden[f"pad/{pair}/recipe_cv5"]["value"]
    assert proxy_a_distance(x, y, folds) == pytest.approx(expected, abs=0.05)


# --- what must hold


@pytest.mark.parametrize("name", DISTANCES)
def test_every_distance_is_symmetric_and_grows_with_the_shift(name):
    distance, x = DISTANCES[name].function, drawn()
    values = [distance(x, drawn(shift=shift, seed=1)) for shift in (0.0, 0.2, 0.5)]
    assert values == sorted(values)
    assert values[0] < values[2]
    assert all(type(value) is float for value in values)
    # The classifier's folds are drawn by position.
    tolerance = 0.2 if name == "pad" else 1e-9
    assert distance(drawn(shift=0.2, seed=1), x) == pytest.approx(values[1], abs=tolerance)


@pytest.mark.parametrize("name", DISTANCES)
def test_parts_of_one_set_lie_close(name):
    x, distance = drawn(), DISTANCES[name].function
    null = split_half_null(distance, x, repeats=7, seed=2)
    assert (np.diff(null) >= 0).all()
    assert np.median(null) < 0.25 * distance(x[:100], x[100:] + 0.7)
    again = split_half_null(distance, x, repeats=7, seed=2)
    assert (null == again).all()
    assert (null != split_half_null(distance, x, repeats=7, seed=3)).any()


def test_unbiased_mmd_is_around_zero_and_scale_free():
    null = split_half_null(maximum_mean_discrepancy, drawn(), repeats=40)
    assert null[0] < 0 < null[-1]
    assert abs(np.mean(null)) < 0.001
    x, y = drawn(), drawn(shift=0.3, seed=1)
    assert maximum_mean_discrepancy(7 * x, 7 * y) == pytest.approx(maximum_mean_discrepancy(x, y))


def test_frechet_of_a_known_shift_and_scale():
    x = drawn(400, 5)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + 2) == pytest.approx(5 * 4)
    wider = 3 * (x - x.mean(axis=0))
    expected = (x.mean(axis=0) ** 2).sum() + 4 * x.var(axis=0, ddof=1).sum()
    assert frechet_distance(x, wider) == pytest.approx(expected)
    assert frechet_distance(x, wider, full=False) == pytest.approx(expected)


def test_fewer_images_go_further_by_chance():
    many, few = (
        np.median(split_half_null(frechet_distance, drawn(), 20, sizes=(size, size)))
        for size in (100, 40)
    )
    assert few > 1.5 * many


def test_proxy_a_distance_ends_where_nothing_and_everything_tells():
    x = drawn(60)
    assert proxy_a_distance(x, x + 50) == 2.0
    assert proxy_a_distance(x, x) < 0.3
    assert proxy_a_distance(x, drawn(60, seed=1)) >= 0.0


def test_permutation_p_is_spread_evenly_under_equality():
    values = [
        mmd_permutation_p(drawn(30, 3, seed=s), drawn(30, 3, seed=100 + s)) for s in range(60)
    ]
    assert 0.35 < np.mean(values) < 0.65
    assert np.mean(np.array(values) <= 0.1) < 0.25
    assert mmd_permutation_p(drawn(30), drawn(30, shift=1.0), permutations=99) == 0.01


# --- source against target


def test_comparison_of_equals_and_of_strangers():
    source = drawn(300, 80)
    alike, apart = (compare_domains(source, drawn(150, 80, shift, 1)) for shift in (0.0, 0.5))
    assert [found.name for found in alike] == list(DISTANCES)
    for same, other in zip(alike, apart, strict=True):
        assert (same.source_images, same.target_images) == (150, 150)
        assert same.null_low <= same.value <= same.null_high
        assert same.p > 0.05
        assert other.value > other.null_high == same.null_high
        assert other.p <= 1 / 31
    assert alike == compare_domains(source, drawn(150, 80, 0.0, 1))


@pytest.mark.parametrize(
    ("source", "target", "sizes"),
    [(1300, 700, (500, 500)), (40, 200, (20, 20)), (200, 40, (160, 40))],
)
def test_comparison_keeps_source_images_for_the_null(source, target, sizes):
    found = compare_domains(drawn(source, 3), drawn(target, 3, seed=1))[0]
    assert (found.source_images, found.target_images) == sizes


def test_registry_explains_every_distance():
    assert tuple(DISTANCES) == ("pad", "mmd", "frechet")
    for name, distance in DISTANCES.items():
        assert distance.name == name
        assert distance.meaning.endswith((".", "2."))
        assert distance.caveat.endswith(".")


# --- what is refused


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.ones((30, 3)), "same backbone"),
        (np.ones(20), "same backbone"),
        (np.ones((1, 20)), "images a side"),
        (np.full((30, 20), np.inf), "not finite"),
    ],
)
def test_what_does_not_compare_is_refused(name, y, says):
    with pytest.raises(ValueError, match=says):
        DISTANCES[name].function(drawn(), y)


def test_too_few_or_too_equal_images_are_refused():
    with pytest.raises(ValueError, match="20 source images, there are 19"):
        compare_domains(drawn(19), drawn(40))
    with pytest.raises(ValueError, match="at least 10 images a side"):
        compare_domains(drawn(40), drawn(9))
    with pytest.raises(ValueError, match="repeated images"):
        maximum_mean_discrepancy(np.ones((9, 4)), np.ones((9, 4)))
    with pytest.raises(ValueError, match="do not fit into a set of 200"):
        split_half_null(frechet_distance, drawn(), sizes=(150, 60))
