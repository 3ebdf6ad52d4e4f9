"""A finished comparison as charts: curves, accuracies. The live spec is in `curves.py`."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from tl_core.curves import (
    CHART_HEIGHT,
    TITLES,
    Measure,
    colour,
    floor,
    measured_curves,
    reference_lines,
)
from tl_core.figures.layout import dots_height, laid_out
from tl_core.marks import mark, plotly_dash
from tl_core.record import Record
from tl_core.tables import StrategyRow
from tl_core.wording import percent, points, spread

_BAND_OPACITY = 0.18


def accuracy_curves(found: Record) -> go.Figure:
    """Return validation accuracy over training: mean over seeds, range as a band, best step."""
    figure = _curves(found, "accuracy")
    figure.update_yaxes(range=[0, 101])
    for line in reference_lines(found, "accuracy"):
        figure.add_hline(
            line.value,
            line_color=line.colour,
            line_width=2,
            line_dash=plotly_dash(line.dash),
            name=line.title,
            showlegend=True,
        )
    return figure


def forgetting_curves(found: Record, measure: Measure) -> go.Figure:
    """Return source accuracy lost (`forgetting`) or predictions changed (`drift`) in training."""
    figure = _curves(found, measure)
    figure.update_yaxes(rangemode="tozero")
    return figure


def _curves(found: Record, measure: Measure) -> go.Figure:
    frame = measured_curves(found, measure)
    figure = go.Figure()
    for strategy in found.strategies:
        part = frame[frame["strategy"] == strategy.name]
        if part.empty:
            continue
        steps = part.groupby("step", sort=True).agg(
            share=("share", "mean"),
            value=("value", "mean"),
            low=("value", "min"),
            high=("value", "max"),
        )
        if part["seed"].nunique() > 1:
            figure.add_trace(_band(steps, strategy.name))
        figure.add_trace(_mean_line(steps, strategy.name, strategy.title))
        # What was cut short has no best step yet.
        if measure == "accuracy" and found.final(strategy.name):
            figure.add_trace(_best_step(steps, strategy.name, strategy.title))
    figure.update_xaxes(title="Share of the run's training (%)", range=[0, 101], zeroline=False)
    figure.update_yaxes(title=TITLES[measure], zeroline=False)
    return laid_out(figure, CHART_HEIGHT)


def _band(steps: pd.DataFrame, strategy: str) -> go.Scatter:
    around = pd.concat([steps["high"], steps["low"][::-1]])
    return go.Scatter(
        x=pd.concat([steps["share"], steps["share"][::-1]]),
        y=around,
        fill="toself",
        fillcolor=_transparent(colour(strategy)),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        name=f"{strategy} range",
    )


def _mean_line(steps: pd.DataFrame, strategy: str, title: str) -> go.Scatter:
    return go.Scatter(
        x=steps["share"],
        y=steps["value"],
        customdata=steps.index,
        mode="lines",
        line={
            "color": colour(strategy),
            "width": 2.5,
            "dash": plotly_dash(mark(strategy).dash),
        },
        name=title,
        hovertemplate="step %{customdata}: %{y:.1f}",
    )


def _best_step(steps: pd.DataFrame, strategy: str, title: str) -> go.Scatter:
    """Mark the best step; step 0, before training, is no candidate."""
    trained = steps[steps.index > 0] if (steps.index > 0).any() else steps
    best = trained.loc[[trained["value"].idxmax()]].iloc[0]
    return go.Scatter(
        x=[best["share"]],
        y=[best["value"]],
        mode="markers",
        marker={
            "symbol": "star",
            "size": 13,
            "color": colour(strategy),
            "line": {"width": 1, "color": "white"},
        },
        name=f"{title}: best step",
        showlegend=False,
        hovertemplate=f"best step {best.name}: %{{y:.1f}} (only marked: the last one is reported)",
    )


def accuracy_dots(found: Record, rows: Sequence[StrategyRow]) -> go.Figure:
    """Return test accuracies as dots with 95% intervals, in the order of `rows`; floor dotted."""
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    figure = go.Figure()
    measured = [row for row in rows if row.test_accuracy is not None]
    for row in measured:
        figure.add_trace(_dot(row, titles[row.strategy]))
    if found.started is not None:
        line = floor(found.started.majority_accuracy)
        figure.add_vline(line.value, line_color=line.colour, line_width=2, line_dash="dot")
    figure.update_xaxes(title="Accuracy on test images (%)", range=[0, 101], zeroline=False)
    figure.update_yaxes(
        categoryorder="array", categoryarray=[titles[row.strategy] for row in measured][::-1]
    )
    return laid_out(figure, dots_height(len(measured)))


def _dot(row: StrategyRow, title: str) -> go.Scatter:
    value, low, high = (100 * (v or 0.0) for v in (row.test_accuracy, row.ci_low, row.ci_high))
    return go.Scatter(
        x=[value],
        y=[title],
        error_x={"array": [high - value], "arrayminus": [value - low], "thickness": 2, "width": 6},
        mode="markers",
        marker={"color": colour(row.strategy), "symbol": mark(row.strategy).symbol, "size": 12},
        name=title,
        hovertemplate=f"{percent(row.test_accuracy)} ({spread(low, high)})<extra></extra>",
    )


def describe(found: Record, rows: Sequence[StrategyRow]) -> str:
    """Return the result chart in words, for those who cannot see it."""
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    said = [
        f"{titles[row.strategy]} {percent(row.test_accuracy)}"
        + (
            ""
            if row.forgetting_points is None
            else f", forgot {points(row.forgetting_points)} points"
        )
        for row in rows
        if row.test_accuracy is not None
    ]
    return f"Test accuracy by strategy: {'; '.join(said)}." if said else "Nothing measured yet."


def _transparent(hexadecimal: str) -> str:
    red, green, blue = (int(hexadecimal[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{_BAND_OPACITY})"
