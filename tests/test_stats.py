import numpy as np
import pytest
from scipy.stats import binomtest

from tl_core import stats


def test_wilson_matches_scipy():
    for hits, images in ((60, 60), (0, 9), (143, 153), (1, 2)):
        expected = binomtest(hits, images).proportion_ci(method="wilson")
        assert stats.wilson(hits / images, images) == pytest.approx(
            (expected.low, expected.high), abs=1e-12
        )


def test_perfect_small_test_part_is_not_certain():
    interval = stats.accuracy_interval(np.ones((3, 60)))
    assert (round(interval.low, 3), interval.high) == (0.940, pytest.approx(1.0))


def test_seeds_on_the_same_images_do_not_narrow_wilson():
    one = stats.accuracy_interval(np.array([[1.0, 0.0] * 30]))
    three = stats.accuracy_interval(np.array([[1.0, 0.0] * 30] * 3))
    assert three.high - three.low >= one.high - one.low - 1e-12


def test_folds_pool_their_images():
    folds = np.full((2, 40), np.nan)
    folds[0, :20], folds[1, 20:] = 1.0, 0.0
    interval = stats.accuracy_interval(folds)
    assert interval.value == 0.5
    assert interval.low <= stats.wilson(0.5, 40)[0]


def test_identical_strategies_tie_exactly():
    rng = np.random.default_rng(0)
    right = (rng.random((3, 100)) < 0.9).astype(float)
    interval = stats.paired_interval(right, right)
    assert (interval.value, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_pairing_finds_what_separate_intervals_hide():
    """8 points apart on 153 images: separate intervals overlap, the paired one excludes 0."""
    better = np.ones((1, 153))
    better[0, :12] = 0
    worse = better.copy()
    worse[0, 12:24] = 0
    a, b = stats.accuracy_interval(better), stats.accuracy_interval(worse)
    assert b.high > a.low
    assert stats.paired_interval(better, worse).low > 0


def test_paired_interval_covers_the_truth():
    """Coverage of the 95% interval at n = 150, one seed, over 200 simulated comparisons."""
    rng, covered = np.random.default_rng(1), 0
    for _ in range(200):
        common = rng.random(150)
        a = (common < 0.90).astype(float)[None]
        b = ((common + rng.normal(0, 0.03, 150)) < 0.86).astype(float)[None]
        truth = 0.90 - np.mean((np.linspace(0, 1, 4000)[:, None] + _NOISE) < 0.86)
        interval = stats.paired_interval(a, b)
        covered += interval.low <= truth <= interval.high
    assert 180 <= covered <= 199


_NOISE = np.random.default_rng(2).normal(0, 0.03, (1, 500))


def test_holm_is_wider_than_single_and_agrees_with_its_decision():
    rng = np.random.default_rng(3)
    best = (rng.random((1, 200)) < 0.92).astype(float)
    others = {str(i): best * (rng.random((1, 200)) < 1 - 0.01 * i) for i in range(1, 6)}
    adjusted = stats.holm_intervals(best, others)
    single = {name: stats.paired_interval(values, best) for name, values in others.items()}
    for name, interval in adjusted.items():
        assert interval.low <= single[name].low + 1e-12
        assert interval.high >= single[name].high - 1e-12
    rejected = [name for name, interval in adjusted.items() if not interval.contains_zero]
    assert "5" in rejected
    assert "1" not in rejected


def test_holm_of_one_is_the_plain_interval():
    rng = np.random.default_rng(4)
    best, other = np.ones((1, 80)), (rng.random((1, 80)) < 0.9).astype(float)
    assert stats.holm_intervals(best, {"x": other})["x"] == stats.paired_interval(other, best)


def test_unpaired_interval_covers_the_difference_and_knows_its_sign():
    rng = np.random.default_rng(6)
    covered, wide = 0, stats.unpaired_interval(np.ones((1, 50)), np.zeros((1, 80)))
    assert (wide.value, wide.low, wide.high) == (1.0, 1.0, 1.0)
    for _ in range(100):
        a, b = rng.random((1, 100)) < 0.9, rng.random((1, 300)) < 0.7
        found = stats.unpaired_interval(a.astype(float), b.astype(float))
        covered += found.low <= 0.2 <= found.high
    assert covered >= 88


@pytest.mark.parametrize(("images", "gap"), [(60, 8.77), (180, 5.06), (153, 5.49)])
def test_smallest_visible_gap(images, gap):
    assert 100 * stats.smallest_visible_gap(images) == pytest.approx(gap, abs=0.005)


def test_golden_paired_mean(golden, golden_inputs):
    a, b = golden_inputs["paired_a"], golden_inputs["paired_b"]
    expected = golden["stats/paired_mean_diff"]["value"]
    assert stats.paired_interval(a[None], b[None]).value == pytest.approx(expected, rel=1e-6)


def test_sums_of_resamples_give_the_means():
    rng = np.random.default_rng(8)
    values = rng.random((3, 40))
    total, weight = stats.bootstrap_sums(np.stack([values, np.ones_like(values)])).T
    assert weight == pytest.approx(3 * 40)
    assert total / weight == pytest.approx(stats.bootstrap_means(values))


def test_a_seed_that_measured_nothing_is_no_draw():
    values = np.vstack([np.random.default_rng(9).random((2, 30)), np.full((1, 30), np.nan)])
    assert stats.bootstrap_means(values) == pytest.approx(stats.bootstrap_means(values[:2]))
    assert stats.accuracy_interval(values) == stats.accuracy_interval(values[:2])


def test_difference_of_independent_shares_matches_newcombe():
    """Newcombe 1998, Statistics in Medicine 17, table II, method 10: 56/70 - 48/80."""
    a, b = (stats.Interval(h / n, *stats.wilson(h / n, n)) for h, n in ((56, 70), (48, 80)))
    found = stats.difference_interval(a, b)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("truth", [0.0, 0.1, 0.4])
def test_an_interval_of_what_noise_raises_covers_where_percentiles_do_not(truth):
    """Sum of ten absolute means: the percentile interval misses the truth, this one finds it."""
    rng, covered, percentile = np.random.default_rng(11), 0, 0
    means = np.full(10, truth / 10)
    # What ten pure-noise means add up to in 95 of 100 cases.
    null = float(np.quantile(np.abs(rng.normal(0, 0.1, (4000, 10))).sum(axis=1), 0.95))
    for _ in range(200):
        seen = rng.normal(means, 0.1)
        value = float(np.abs(seen).sum())
        samples = np.abs(rng.normal(seen, 0.1, (1000, 10))).sum(axis=1)
        found = stats.raised_interval(value, samples, null)
        assert 0 <= found.low <= found.value <= found.high
        covered += found.low <= truth <= found.high
        percentile += stats.ends(samples)[0] <= truth <= stats.ends(samples)[1]
    assert covered >= 180
    assert percentile < 20


def test_stepping_down_widens_only_until_the_first_tie():
    levels = {}

    def interval(name: str, level: float) -> stats.Interval:
        levels[name] = level
        return stats.Interval(1.0, 0.5, 2.0) if name in "ab" else stats.Interval(0.0, -1.0, 1.0)

    found = stats.step_down(["a", "b", "c", "d"], interval)
    assert list(found) == ["a", "b", "c", "d"]
    assert levels == pytest.approx(
        {"a": 1 - 0.05 / 4, "b": 1 - 0.05 / 3, "c": 1 - 0.05 / 2, "d": 1 - 0.05 / 2}
    )


def test_paired_shares_of_few_images_are_not_certain():
    agreeing = stats.paired_share_interval(np.zeros((3, 9)))
    assert agreeing.value == 0
    assert agreeing.low == pytest.approx(-agreeing.high)
    assert agreeing.high == pytest.approx(1.959964 / 11, rel=1e-5)


def test_paired_shares_follow_agresti_and_min():
    """Agresti and Min 2005: 0.5 added to each cell of the table of paired outcomes."""
    differences = np.array([[1.0] * 12 + [-1.0] * 4 + [0.0] * 34])
    found = stats.paired_share_interval(differences)
    better, worse, images = 12.5, 4.5, 52
    centre = (better - worse) / images
    error = np.sqrt((better + worse) - (better - worse) ** 2 / images) / images
    assert found.value == pytest.approx(8 / 50)
    assert (found.low, found.high) == pytest.approx(
        (centre - 1.959964 * error, centre + 1.959964 * error), abs=1e-6
    )


def test_seeds_on_the_same_images_do_not_narrow_paired_shares():
    one = np.array([[1.0] * 6 + [-1.0] * 2 + [0.0] * 32])
    assert stats.paired_share_interval(np.vstack([one] * 3)) == stats.paired_share_interval(one)


def test_paired_shares_cover_the_truth():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(200):
        drawn = rng.choice([1.0, 0.0, -1.0], p=[0.2, 0.7, 0.1], size=(1, 20))
        found = stats.paired_share_interval(drawn)
        covered += found.low <= 0.1 <= found.high
    assert covered >= 186
