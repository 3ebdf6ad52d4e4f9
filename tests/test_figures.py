"""Charts: one colour a strategy, lines before curves, honest bands, a spec that never changes."""

import subprocess
import sys
from itertools import combinations

import msgspec
import numpy as np
import plotly.graph_objects as go
import pytest

from tests import replies, scripted
from tl_core import curves, figures, marks
from tl_core.dots import Dot, stress_dots
from tl_core.events import ComparisonStarted, EpochEnded, RunEnded
from tl_core.record import Record, add, record
from tl_core.strategies import STRATEGIES
from tl_core.tables import rows

FULL = record(scripted.events())


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def test_every_strategy_has_a_colour_of_its_own() -> None:
    assert {*STRATEGIES, "custom"} == set(curves.COLOURS)
    assert len(set(curves.COLOURS.values())) == len(curves.COLOURS)


# What protanopes and deuteranopes see of linear RGB (Machado et al. 2009), severity 1.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
# Linear RGB to cone responses, their cube roots to OKLab (Ottosson 2020).
CONES = np.array(
    [
        [0.41222147, 0.53633254, 0.05144599],
        [0.2119035, 0.68069955, 0.10739696],
        [0.08830246, 0.28171884, 0.6299787],
    ]
)
OKLAB = np.array(
    [
        [0.21045426, 0.79361779, -0.00407205],
        [1.9779985, -2.42859221, 0.45059371],
        [0.0259040, 0.78277177, -0.80867577],
    ]
)


def seen(colour: str, vision: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return OKLAB @ np.cbrt(CONES @ np.clip(VISIONS[vision] @ linear, 0, 1))


@pytest.mark.parametrize("vision", VISIONS)
def test_two_strategies_differ_in_colour_or_in_dash(vision: str) -> None:
    alike = [
        (one, other)
        for one, other in combinations(curves.COLOURS, 2)
        if np.linalg.norm(seen(curves.COLOURS[one], vision) - seen(curves.COLOURS[other], vision))
        < 0.075
        and (vision == "usual" or marks.mark(one).dash == marks.mark(other).dash)
    ]
    assert alike == []


def test_every_strategy_has_a_symbol_of_its_own() -> None:
    assert set(marks.MARKS) == set(curves.COLOURS)
    assert len({one.symbol for one in marks.MARKS.values()}) == len(marks.MARKS)
    assert len({one.sign for one in marks.MARKS.values()}) == len(marks.MARKS)
    # Plotly refuses a symbol that it does not know.
    go.Scatter(marker={"symbol": [one.symbol for one in marks.MARKS.values()]})


def test_a_line_looks_alike_in_the_live_chart_the_finished_one_and_the_legend() -> None:
    layers = curves.SPECS["accuracy"]["layer"]
    line = next(layer for layer in layers if layer["mark"].get("type") == "line")
    scale = line["encoding"]["strokeDash"]["scale"]
    live = dict(zip(scale["domain"], scale["range"], strict=True))
    assert live["ewc"] == list(marks.mark("ewc").dash) == [9, 3, 2, 3]
    assert marks.plotly_dash(marks.mark("ewc").dash) == "9px,3px,2px,3px"
    assert live["full_fine_tuning"] == [1, 0]
    assert marks.plotly_dash(()) == "solid"
    assert marks.css_line("red", ()) == "red"
    assert marks.css_line("red", (4, 3)) == (
        "repeating-linear-gradient(90deg,red 0px,red 4px,transparent 4px,transparent 7px)"
    )


@pytest.mark.parametrize("name", list(curves.COLOURS))
@pytest.mark.parametrize("background", ["#ffffff", "#0e1117"])
def test_colours_can_be_seen_on_light_and_dark(name: str, background: str) -> None:
    assert contrast(curves.COLOURS[name], background) >= 3


def test_the_floor_is_drawn_before_anything_has_run() -> None:
    found = record(scripted.events()[:1])
    frame = curves.live_frame(found, "accuracy")
    assert frame[["kind", "strategy", "value"]].values.tolist() == [["line", curves.MAJORITY, 10.0]]


def test_lines_without_a_curve_appear_as_soon_as_they_are_known() -> None:
    script = scripted.events()
    found, seen = Record(), []
    for event in script:
        add(found, event)
        seen.append({line.strategy for line in curves.reference_lines(found, "accuracy")})
    ended = [
        place
        for place, event in enumerate(script)
        if isinstance(event, RunEnded) and event.run.strategy.name == "feature_extraction"
    ]
    assert "feature_extraction" not in seen[ended[0] - 1]
    assert "feature_extraction" in seen[ended[0]]
    assert seen[-1] == {curves.MAJORITY, "zero_shot", "feature_extraction"}


def test_lines_stand_at_validation_accuracy_like_the_curves() -> None:
    line = curves.reference_lines(FULL, "accuracy")[-1]
    runs = FULL.final("feature_extraction").values()
    wanted = 100 * np.mean([run.result.validation_accuracy for run in runs])
    assert line.value == pytest.approx(wanted)


def test_the_live_frame_holds_every_measured_point_of_final_runs() -> None:
    frame = curves.live_frame(FULL, "accuracy")
    points = [
        e
        for e in scripted.events()
        if isinstance(e, EpochEnded) and FULL.runs[e.run_id].run.kind == "final"
    ]
    part = frame[frame["kind"] == "curve"]
    assert len(part) == len(points)
    assert part["share"].min() == 0 and part["share"].max() == 100


def test_forgetting_leaves_out_from_scratch_which_never_had_the_skill() -> None:
    frame = curves.measured_curves(FULL, "forgetting")
    assert set(frame["strategy"]) == {"partial_fine_tuning", "full_fine_tuning"}
    last = frame[(frame["strategy"] == "full_fine_tuning") & (frame["share"] == 100)]
    assert last["value"].tolist() == pytest.approx([31.0] * 3)


def test_without_labelled_source_images_the_measure_is_called_drift() -> None:
    found = record(scripted.events(scripted.Scenario(probe=0)))
    assert curves.change_measure(found) == "drift"
    assert "forg" not in curves.TITLES["drift"].lower()
    assert curves.measured_curves(found, "forgetting").empty
    assert not curves.measured_curves(found, "drift").empty


def test_a_probe_too_small_for_a_rate_is_no_forgetting() -> None:
    found = record(scripted.events(scripted.Scenario(probe=19)))
    assert curves.change_measure(found) == "drift"


def test_the_spec_is_constant_while_data_change() -> None:
    before = msgspec.json.encode(curves.SPECS)
    found = Record()
    for event in scripted.events():
        add(found, event)
        if isinstance(event, ComparisonStarted | EpochEnded):
            curves.live_frame(found, "accuracy")
    assert msgspec.json.encode(curves.SPECS) == before


def test_the_spec_knows_every_column_it_draws() -> None:
    fields: set[str] = set()

    def collect(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("field"), str):
                fields.add(node["field"])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    for spec in curves.SPECS.values():
        collect(spec)
    assert fields <= set(curves.LIVE_COLUMNS)


def test_finished_curves_have_band_mean_and_best_step_in_the_strategys_colour() -> None:
    figure = figures.accuracy_curves(FULL)
    names = [trace.name for trace in figure.data]
    assert names[:3] == [
        "partial_fine_tuning range",
        "Partial fine-tuning",
        "Partial fine-tuning: best step",
    ]
    band, mean, star = figure.data[:3]
    assert mean.line.color == star.marker.color == curves.COLOURS["partial_fine_tuning"]
    frame = curves.measured_curves(FULL, "accuracy")
    part = frame[frame["strategy"] == "partial_fine_tuning"]
    assert max(band.y) == pytest.approx(part["value"].max())
    assert min(band.y) == pytest.approx(part["value"].min())
    by_step = part.groupby("step")["value"].mean()
    assert star.y[0] == pytest.approx(by_step[by_step.index > 0].max())
    assert figure.layout.height == curves.CHART_HEIGHT


def test_one_seed_has_no_band() -> None:
    found = record(scripted.events(scripted.Scenario(seeds=1)))
    assert not [t for t in figures.accuracy_curves(found).data if t.fill == "toself"]


def test_dots_carry_the_rows_intervals() -> None:
    measured = rows(FULL)
    figure = figures.accuracy_dots(FULL, measured)
    assert len(figure.data) == len(measured)
    for trace, row in zip(figure.data, measured, strict=True):
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(100 * row.ci_high)
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(100 * row.ci_low)


def test_nothing_measured_gives_empty_charts_and_says_so() -> None:
    found = record(scripted.events()[:1])
    assert not figures.forgetting_curves(found, "forgetting").data
    assert not figures.accuracy_dots(found, rows(found)).data
    assert figures.describe(found, rows(found)) == "Nothing measured yet."


def test_charts_are_drawn_without_torch() -> None:
    code = "import sys, tl_core.figures, tl_core.estimate, tl_core.csv_export; " + (
        "sys.exit('torch' in sys.modules or 'streamlit' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_cut_short_has_no_best_step() -> None:
    script = scripted.events(scripted.Scenario(fails="full_fine_tuning", seeds=1))
    names = [trace.name for trace in figures.accuracy_curves(record(script)).data]
    assert "Full fine-tuning" in names
    assert "Full fine-tuning: best step" not in names
    assert "Partial fine-tuning: best step" in names


def test_dots_reach_as_far_as_their_intervals() -> None:
    dots = [Dot("a", replies.estimate(3.0)), Dot("b", replies.estimate(-1.0, 0.5))]
    (trace,) = figures.interval_dots(dots, "Points").data
    assert list(trace.x) == [3.0, -1.0]
    assert list(trace.error_x.array) == [2.0, 0.5]
    assert list(trace.error_x.arrayminus) == [2.0, 0.5]
    assert figures.described(dots) == "a: 3 (1 to 5); b: −1 (−1.5 to −0.5)"


def test_dots_of_one_label_stand_on_its_line_side_by_side() -> None:
    figure = figures.interval_dots(stress_dots(replies.stress()), "Points lost")
    probe, source = figure.data
    assert figure.layout.showlegend
    labels = len(figure.layout.yaxis.ticktext)
    assert len(probe.y) == len(source.y) == labels
    assert [round(y) for y in probe.y] == [round(y) for y in source.y] == list(range(labels))
    assert all(a != b for a, b in zip(probe.y, source.y, strict=True))
    assert probe.marker.color == probe.error_x.color == curves.colour("feature_extraction")


def test_dots_of_shares_stand_between_0_and_100() -> None:
    dots = [Dot("a", replies.estimate(50.0), strategy="zero_shot"), Dot("b", replies.estimate(9.0))]
    figure = figures.interval_dots(dots, "Accuracy (%)", shares=True)
    assert tuple(figure.layout.xaxis.range) == (0, 101)
    assert [trace.marker.color for trace in figure.data] == [
        curves.colour("zero_shot"),
        curves.MAJORITY_COLOUR,
    ]
    assert not figure.layout.showlegend


def test_users_text_on_dots_stays_text() -> None:
    figure = figures.interval_dots([Dot("<a href='x'>b</a>" * 9, replies.estimate(1.0))], "Points")
    (label,) = figure.layout.yaxis.ticktext
    assert "<a" not in label and label.count("<br>") == 1


def test_users_text_on_dots_is_what_they_wrote() -> None:
    named = Dot('\u202e5" & <b>\n&amp;', replies.estimate(1.0))
    figure = figures.interval_dots([named], "Points")
    assert list(figure.layout.yaxis.ticktext) == ['5" &amp; &lt;b&gt; &amp;amp;']
    assert list(figure.data[0].text) == ['5" &amp; &lt;b&gt; &amp;amp;']


def test_without_source_images_only_the_probes_losses_are_drawn() -> None:
    dots = stress_dots(replies.stress(source=False))
    assert len(figures.interval_dots(dots, "Points lost").data) == 1
