"""Who trades accuracy for forgetting, who is dominated; only what intervals tell apart counts."""

from itertools import combinations

import numpy as np
import pytest

from tests import scripted, simulated
from tl_core import figures, stats
from tl_core.events import RunEnded
from tl_core.record import record
from tl_core.stats import Interval
from tl_core.tables import rows
from tl_core.tradeoff import dominated, tradeoff, trades

MORE, LESS, SAME = Interval(5, 2, 8), Interval(-5, -8, -2), Interval(1, -2, 4)


def test_one_dominates_if_better_in_one_and_worse_in_none():
    names = ["a", "b"]
    # a is more accurate, and no difference is found in change.
    assert dominated(names, {("a", "b"): MORE}, {("a", "b"): SAME}) == {"b": ("a",)}
    # The same, told the other way round.
    assert dominated(names, {("b", "a"): LESS}, {("b", "a"): SAME}) == {"b": ("a",)}
    # Tied in accuracy, but a forgets more.
    assert dominated(names, {("a", "b"): SAME}, {("a", "b"): MORE}) == {"a": ("b",)}
    assert dominated(names, {("a", "b"): MORE}, {("a", "b"): MORE}) == {}
    assert dominated(names, {("a", "b"): SAME}, {("a", "b"): SAME}) == {}
    assert dominated(names, {}, {}) == {}


def test_a_trade_gains_accuracy_and_pays_with_change():
    names = ["a", "b", "c"]
    accuracy = {("a", "b"): MORE, ("a", "c"): MORE, ("b", "c"): MORE}
    change = {("a", "b"): MORE, ("a", "c"): SAME, ("b", "c"): SAME}
    assert dominated(names, accuracy, change) == {"c": ("a", "b")}
    assert trades(names, accuracy, change) == (("a", "b"),)
    # What is dominated is no part of a trade.
    assert trades(names, accuracy, {**change, ("b", "c"): MORE}) == (("a", "b"),)


def test_domination_is_never_mutual_and_never_a_trade():
    rng = np.random.default_rng(3)
    kinds = (MORE, LESS, SAME)
    names = list("abcd")
    for _ in range(300):
        accuracy, change = (
            {pair: kinds[rng.integers(3)] for pair in combinations(names, 2)} for _ in range(2)
        )
        found = dominated(names, accuracy, change)
        for name, others in found.items():
            assert not any(name in found.get(other, ()) for other in others)
        for pair in trades(names, accuracy, change):
            assert not set(pair) & set(found)


def test_it_stands_on_the_tables_numbers():
    found = record(scripted.events())
    table = rows(found)
    got = tradeoff(found, table)
    assert got.measure == "forgetting"
    for place, row in zip(got.places, table, strict=True):
        assert place.accuracy.value == pytest.approx(100 * row.test_accuracy)
        assert (place.change is None) == (row.forgetting_points is None)
    apart = [place.strategy for place in got.places if place.change is None]
    assert apart == ["from_scratch"]
    # Tied with the probe in accuracy, full fine-tuning forgets 31 points.
    assert "feature_extraction" in got.dominated["full_fine_tuning"]
    assert "feature_extraction" in got.dominated["zero_shot"]
    assert "from_scratch" not in got.dominated


def test_without_labels_it_is_drift_with_wilsons_interval():
    found = record(scripted.events(scripted.Scenario(probe=0)))
    got = tradeoff(found, rows(found))
    assert got.measure == "drift"
    places = {place.strategy: place for place in got.places}
    assert places["feature_extraction"].change == Interval(0.0, 0.0, 0.0)
    drift, images = 31 / 80, 3 * scripted.TEST
    low, high = stats.wilson(drift, images)
    full = places["full_fine_tuning"].change
    assert (full.value, full.low, full.high) == pytest.approx((100 * drift, 100 * low, 100 * high))
    assert places["from_scratch"].change is None
    assert "feature_extraction" in got.dominated["full_fine_tuning"]
    assert "drift" in figures.describe_tradeoff(got)


def test_a_strategy_whose_runs_have_not_ended_is_not_placed():
    script = scripted.events()
    first = next(i for i, e in enumerate(script) if isinstance(e, RunEnded))
    found = record(script[: first + 1])
    assert [place.strategy for place in tradeoff(found, rows(found)).places] == ["zero_shot"]


def test_pairs_are_held_at_holms_level_and_turn_around_with_their_order():
    hits = {
        name: simulated.hits(share, 100 + k)
        for k, (name, share) in enumerate({"a": 0.9, "b": 0.8, "c": 0.5}.items())
    }
    pairs = {pair: (hits[pair[0]], hits[pair[1]]) for pair in combinations("abc", 2)}
    found = stats.holm_pairs(pairs)
    for (one, other), interval in found.items():
        plain = stats.paired_interval(hits[one], hits[other])
        assert interval.value == pytest.approx(plain.value)
        assert interval.low <= plain.low + 1e-9 and interval.high >= plain.high - 1e-9
    others = {name: hits[name] for name in "bc"}
    assert stats.holm_intervals(hits["a"], others) == stats.holm_pairs(
        {name: (values, hits["a"]) for name, values in others.items()}
    )
    nothing = np.full_like(hits["a"], np.nan)
    assert stats.holm_pairs({"ab": (hits["a"], nothing)}) == {}


def test_the_chart_draws_lines_only_for_trades_and_pales_what_is_not_shown():
    found = record(scripted.events())
    got = tradeoff(found, rows(found))
    figure = figures.tradeoff_points(got, ["feature_extraction"])
    marks = {trace.name: trace for trace in figure.data if "markers" in trace.mode}
    assert len(figure.data) - len(marks) == len(got.trades)
    assert marks["Feature extraction"].opacity == 1.0
    assert marks["Full fine-tuning"].opacity < 0.5
    assert marks["Training from scratch"].error_x.array is None
    assert marks["Training from scratch"].x[0] > max(
        trace.x[0] for name, trace in marks.items() if name != "Training from scratch"
    )
    assert marks["Feature extraction"].customdata[0][0] == "feature_extraction"
