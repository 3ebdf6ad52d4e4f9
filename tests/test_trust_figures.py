"""Charts of trust: the strategy's colour, honest bars, words for those who cannot see them."""

import numpy as np
import pytest

from tests import replies, scripted
from tl_core import curves, figures
from tl_core.calibration import ReliabilityBin
from tl_core.confidence import diagram
from tl_core.dots import Dot
from tl_core.outside import confidences
from tl_core.record import record

FOUND = record(scripted.events())
FULL = "full_fine_tuning"


def test_reliability_has_a_dot_for_each_bin_with_its_interval() -> None:
    before, after = diagram(FOUND, FULL), diagram(FOUND, FULL, scaled=True)
    hollow, filled = figures.reliability_diagram(before, after, FULL).data
    assert filled.marker.color == hollow.marker.line.color == curves.colour(FULL)
    assert list(filled.x) == pytest.approx([100 * one.confidence for one in before])
    assert list(hollow.y) == pytest.approx([100 * one.accuracy.value for one in after])
    for one, top, bottom in zip(
        before, filled.error_y.array, filled.error_y.arrayminus, strict=True
    ):
        assert 100 * one.accuracy.value + top == pytest.approx(100 * one.accuracy.high)
        assert 100 * one.accuracy.value - bottom == pytest.approx(100 * one.accuracy.low)


def test_the_area_of_a_dot_is_its_number_of_images() -> None:
    accuracy = replies.estimate(0.5, 0.1)
    bins = [ReliabilityBin(0.4, 0.5, 0.45, accuracy, images) for images in (100, 25)]
    filled = figures.reliability_diagram(bins, bins, FULL).data[1]
    large, small = filled.marker.size
    assert large**2 / small**2 == pytest.approx(4)
    assert "45.0% sure, 50.0% right" in figures.describe_reliability(bins)


def test_no_bins_is_an_empty_diagram() -> None:
    assert [len(trace.x) for trace in figures.reliability_diagram([], [], FULL).data] == [0, 0]


def test_the_histogram_shows_shares_of_each_kind() -> None:
    inside, others = confidences(FOUND, FULL)
    figure = figures.confidence_histogram(inside, others, 0.6, FULL)
    mine, strangers = figure.data
    assert mine.marker.color == curves.colour(FULL)
    assert strangers.marker.color == curves.MAJORITY_COLOUR
    assert sum(mine.y) == pytest.approx(100) and sum(strangers.y) == pytest.approx(100)
    assert figure.layout.shapes[0].x0 == pytest.approx(60)


def test_unmeasured_images_are_not_drawn() -> None:
    values = np.array([[0.9, np.nan], [np.nan, 0.1]])
    mine = figures.confidence_histogram(values, values, 0.5, FULL).data[0]
    assert sorted(np.asarray(mine.y)[np.asarray(mine.y) > 0]) == [50.0, 50.0]


def test_shares_stand_on_an_axis_of_percents_without_a_zero_line() -> None:
    figure = figures.share_dots([Dot("a", replies.estimate(90.0), strategy=FULL)], "Accuracy (%)")
    assert list(figure.layout.xaxis.range) == [0, 101]
    assert not figure.layout.shapes
