"""Charts of sweeps: the finished figure, the live spec, and the words beside them."""

import math
from dataclasses import replace

import pytest

from tests import scripted, scripted_sweeps
from tests.scripted import Scenario
from tl_core import curves, figures, marks, sweep_chart
from tl_core.learning_curve import learning_curves
from tl_core.sweep_frame import sweep_frame
from tl_core.sweep_measures import measures
from tl_core.swept import Swept, swept

SCENARIO = Scenario(seeds=1)
MADE, PARTS = scripted_sweeps.sweep(SCENARIO)
FOUND = swept(scripted_sweeps.events(MADE, PARTS))
FRAME = sweep_frame(FOUND)
FULL = "full_fine_tuning"


def by_name(figure, title: str):
    return next(trace for trace in figure.data if trace.name == title)


def test_a_line_has_its_strategys_colour_dash_and_symbol_and_intervals():
    figure = figures.sweep_figure(FRAME, "steps", "accuracy", "Steps")
    line = by_name(figure, "Full fine-tuning")
    assert line.line.color == curves.colour(FULL)
    assert line.marker.symbol == marks.mark(FULL).symbol
    assert line.mode == "lines+markers"
    assert [tuple(data) for data in line.customdata] == [(place, FULL) for place in range(5)]
    own = FRAME[FRAME["strategy"] == FULL].iloc[0]
    assert line.y[0] == own["test_accuracy"]
    assert line.error_y.array[0] == pytest.approx(own["ci_high"] - own["test_accuracy"])
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["2", "5", "10", "20", "40"]


def test_points_stand_beside_each_other_but_near_their_value():
    figure = figures.sweep_figure(FRAME, "steps", "accuracy", "Steps")
    first = [trace.x[0] for trace in figure.data]
    assert len(set(first)) == len(first)
    assert all(1.8 < x < 2.2 for x in first)


def test_learning_curves_take_the_place_of_lines_and_reach_beyond_what_was_measured():
    figure = figures.sweep_figure(
        FRAME, "labels", "accuracy", "Images", learning_curves(FOUND), unstable_from=None
    )
    assert by_name(figure, "Full fine-tuning").mode == "markers"
    curve = by_name(figure, "Full fine-tuning: learning curve")
    assert max(curve.x) == pytest.approx(80)


def test_without_an_order_dots_stand_by_place_with_their_names():
    frame = FRAME.assign(value=math.nan)
    figure = figures.sweep_figure(frame, "augmentation", "forgetting", "Augmentation")
    dots = by_name(figure, "Full fine-tuning")
    assert dots.mode == "markers"
    assert [round(x) for x in dots.x] == [0, 1, 2, 3, 4]
    assert list(figure.layout.xaxis.tickvals) == [0, 1, 2, 3, 4]


def test_rates_from_which_the_loss_no_longer_falls_are_shaded():
    plain = figures.sweep_figure(FRAME, "rate", "accuracy", "Learning rate")
    shaded = figures.sweep_figure(FRAME, "rate", "accuracy", "Learning rate", unstable_from=15.0)
    assert not plain.layout.shapes
    assert shaded.layout.shapes[0].x0 == 15.0


def test_seconds_have_no_interval_and_begin_at_nought():
    figure = figures.sweep_figure(FRAME, "steps", "seconds", "Steps")
    assert by_name(figure, "Full fine-tuning").error_y.visible is False
    assert figure.layout.yaxis.rangemode == "tozero"


def test_user_text_in_a_label_stays_text():
    frame = FRAME.assign(label="<b>x</b>", value=math.nan)
    figure = figures.sweep_figure(frame, "model", "accuracy", "Model")
    assert set(figure.layout.xaxis.ticktext) == {"&lt;b&gt;x&lt;/b&gt;"}


def test_the_chart_in_words_names_every_point():
    said = figures.describe_sweep(FRAME, "accuracy")
    assert "Full fine-tuning: 2 " in said and ", 40 91.7 (" in said


def test_without_source_images_drift_takes_the_place_of_forgetting():
    assert measures(FRAME) == ["accuracy", "forgetting", "seconds"]
    made, parts = scripted_sweeps.sweep(replace(SCENARIO, probe=0))
    blind = sweep_frame(swept(scripted_sweeps.events(made, parts)))
    assert measures(blind) == ["accuracy", "drift", "seconds"]


def test_the_live_spec_stays_while_points_come_in():
    some = Swept(sweep=MADE, records={0: FOUND.records[0]})
    assert set(sweep_chart.sweep_data(sweep_frame(some), "accuracy")["place"]) == {0}
    spec = sweep_chart.sweep_spec(MADE, "accuracy", "Images")
    assert spec == sweep_chart.sweep_spec(MADE, "accuracy", "Images")
    scale = spec["layer"][0]["encoding"]["x"]["scale"]
    assert scale["type"] == "log"
    assert scale["domain"][0] < 2 and scale["domain"][1] > 40


def test_the_live_chart_without_an_order_has_a_place_for_every_point():
    points = tuple(replace_value(point) for point in MADE.points)
    spec = sweep_chart.sweep_spec(type(MADE)(name="model", points=points), "accuracy", "Model")
    x = spec["layer"][0]["encoding"]["x"]
    assert x["type"] == "ordinal"
    assert x["scale"]["domain"] == ["2", "5", "10", "20", "40"]
    assert all(layer["mark"]["type"] != "line" for layer in spec["layer"])


def replace_value(point):
    return type(point)(label=point.label, value=None, config=point.config)


def test_the_events_are_those_of_comparisons():
    assert FOUND.finished is not None
    assert FOUND.records[4].started.dataset.name == scripted.Scenario().name
