"""Points between two models, judged: what dominates, and what is chosen by which images."""

import dataclasses

import msgspec
import numpy as np
import pytest

from tests import replies, scripted, simulated
from tl_core import figures, interpolated
from tl_core.answer_text import text
from tl_core.interpolated import candidates, chosen, first_choice, path
from tl_core.record import record
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES
from tl_core.tables import rows

replace = msgspec.structs.replace


def test_accuracies_and_paired_differences_are_those_of_the_images():
    found = replies.interpolation()
    judged = path(found)
    labels, last = np.array(found.test_labels), found.points[-1]
    for one, point in zip(found.points, judged.points, strict=True):
        hits = np.array(one.test_predictions) == labels
        assert point.target.value == pytest.approx(100 * hits.mean())
        gap = hits.mean() - (np.array(last.test_predictions) == labels).mean()
        assert point.target_difference.value == pytest.approx(100 * gap, abs=1e-9)
        for interval in (point.target, point.source, point.target_difference):
            assert interval.low <= interval.value <= interval.high
    end = judged.points[-1]
    assert (end.target_difference.low, end.target_difference.high) == (0, 0)
    assert not end.dominates


def test_a_point_dominates_that_keeps_more_and_loses_nothing():
    found = replies.interpolation()
    kept = [point.share for point in path(found).points if point.dominates]
    # The made-up target falls measurably only at the probe's end; the source falls all along.
    assert kept and 1.0 not in kept and 0.0 not in kept
    same = replace(
        found,
        points=tuple(
            replace(point, source_predictions=found.points[-1].source_predictions)
            for point in found.points
        ),
    )
    assert not any(point.dominates for point in path(same).points)


def with_figures(found, validation, learning):
    points = [
        replace(point, validation_accuracy=v, learning_accuracy=s)
        for point, v, s in zip(found.points, validation, learning, strict=True)
    ]
    return replace(found, points=tuple(points))


def test_the_choice_keeps_validation_accuracy_and_most_of_the_source():
    found = replace(replies.interpolation(), validation_images=100)
    # One standard error of 0.9 on 100 images is 0.03.
    validation = [0.5, 0.86, 0.869, 0.871, 0.88, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    learning = [0.99, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert chosen(with_figures(found, validation, learning)) == 3


def test_ties_go_to_the_point_nearer_the_fine_tuned_model():
    found = replies.interpolation()
    learning = [0.5, 0.8, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert chosen(with_figures(found, [0.9] * 11, learning)) == 3
    assert chosen(with_figures(found, [0.9] * 11, [0.8] * 11)) == 10


def test_the_images_that_measure_have_no_part_in_the_choice():
    found = replies.interpolation()
    other = replace(
        found,
        points=tuple(
            replace(
                point,
                source_predictions=tuple(reversed(found.points[10 - place].source_predictions)),
                test_predictions=tuple(reversed(found.points[10 - place].test_predictions)),
            )
            for place, point in enumerate(found.points)
        ),
    )
    assert chosen(found) == chosen(other) is not None


def test_without_images_to_choose_by_none_is_chosen():
    found = replies.interpolation(learning=False)
    judged = path(found)
    assert judged.best is None
    assert "none is left to learn from" in judged.why_none
    assert judged.shows_source
    assert "No point is chosen." in text(found)
    assert "Chosen:" in text(replies.interpolation())


def test_few_source_images_give_no_rate():
    judged = path(replies.interpolation(source=12, learning=False))
    assert not judged.shows_source
    assert all(point.source is None and not point.dominates for point in judged.points)
    figure = figures.path_points(judged, "full_fine_tuning", 5)
    assert list(figure.data[0].x) == pytest.approx([10 * place for place in range(11)])
    assert "Share" in figure.layout.xaxis.title.text
    assert "source" not in figures.describe_path(judged)


def test_the_chart_marks_the_point_with_both_intervals_and_the_choice():
    judged = path(replies.interpolation())
    line, marked, best = figures.path_points(judged, "lp_ft", 4).data
    point = judged.points[4]
    assert len(line.x) == 11
    assert (marked.x[0], marked.y[0]) == (point.source.value, point.target.value)
    assert marked.error_y.array[0] == pytest.approx(point.target.high - point.target.value)
    assert marked.error_x.arrayminus[0] == pytest.approx(point.source.value - point.source.low)
    assert best.y[0] == judged.points[judged.best].target.value
    assert "40%: target" in figures.describe_path(judged)


def test_the_axes_hold_every_interval_and_stay_while_the_mark_moves():
    judged = path(replies.interpolation())
    layouts = [figures.path_points(judged, "lp_ft", place).layout for place in range(11)]
    for axis, intervals in (
        ("xaxis", [point.source for point in judged.points]),
        ("yaxis", [point.target for point in judged.points]),
    ):
        (low, high), *others = [layout[axis].range for layout in layouts]
        assert all(other == (low, high) for other in others)
        assert low < min(one.low for one in intervals)
        assert high > max(one.high for one in intervals)


def test_neighbouring_points_that_dominate_are_named_as_a_stretch():
    found = replies.interpolation()
    judged = path(found)
    spots = {0: False, 1: True, 2: True, 3: True, 4: False, 5: True}
    points = tuple(
        dataclasses.replace(point, dominates=spots.get(place, False))
        for place, point in enumerate(judged.points)
    )
    assert dataclasses.replace(judged, points=points).dominating == ["10% to 30%", "50%"]


def test_only_what_was_fine_tuned_from_the_source_model_is_a_candidate():
    found = record(scripted.events())
    names = candidates(found)
    assert names == ["partial_fine_tuning", "full_fine_tuning"]
    assert first_choice(names, rows(found)) == "full_fine_tuning"
    assert first_choice([*names, "lp_ft"], rows(found)) == "lp_ft"
    assert first_choice([], rows(found)) is None
    assert interpolated.FIRST_CHOICE in STRATEGIES
    assert set(names) < set(TEXTBOOK_STRATEGIES)


def test_without_labels_the_one_that_drifted_most_comes_first():
    right = np.ones((1, 20))
    found = simulated.comparison({"partial_fine_tuning": right, "full_fine_tuning": right})
    changed = {"partial_fine_tuning": 0.4, "full_fine_tuning": 0.9}
    table = [replace(row, agreement=changed[row.strategy]) for row in rows(found)]
    assert first_choice(candidates(found), table) == "partial_fine_tuning"


def test_a_model_that_is_a_point_on_a_way_itself_is_no_candidate():
    right = np.ones((1, 20))
    found = simulated.comparison({"lp_ft": right, "wise_ft": right})
    assert candidates(found) == ["lp_ft"]
