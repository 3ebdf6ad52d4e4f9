"""A sweep as a chart: one line for each strategy, or dots side by side where there is no order."""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from tl_core.curves import MAJORITY_COLOUR, colour
from tl_core.figures.layout import laid_out, literal
from tl_core.learning_curve import LearningCurve
from tl_core.marks import mark, plotly_dash
from tl_core.sweep import SweepName
from tl_core.sweep_measures import LOGARITHMIC, TITLES, SweepMeasure, has_order, measured
from tl_core.wording import points, spread

SWEEP_HEIGHT = 400
# How far dots of one point stand apart, all strategies together, in shares of a place, and of the
# whole axis where it has an order.
_TOGETHER, _BESIDE = 0.6, 0.04


def sweep_figure(
    frame: pd.DataFrame,
    name: SweepName,
    measure: SweepMeasure,
    axis: str,
    fits: Sequence[LearningCurve] = (),
    unstable_from: float | None = None,
) -> go.Figure:
    """Return a measure over the points of a sweep, with 95% intervals where it has some.

    `frame`: as `sweep_frame` makes it; `axis`: what is varied, in words. `fits`: learning curves to
    draw through the accuracies. From `unstable_from` on learning rates are shaded.
    """
    shown, figure = measured(frame, measure), go.Figure()
    ordered = has_order(shown)
    if ordered:
        shown = shown[shown["value"].notna()].sort_values("value")
    strategies = list(dict.fromkeys(shown["strategy"]))
    fitted = {one.strategy for one in fits if one.fit} if measure == "accuracy" else set()
    for place, strategy in enumerate(strategies):
        part = shown[shown["strategy"] == strategy]
        at = _beside(part, shown, (place + 0.5) / len(strategies) - 0.5, name)
        figure.add_trace(_series(part, at, lines=ordered and strategy not in fitted))
    for curve in fits:
        if curve.strategy in fitted and curve.strategy in strategies:
            figure.add_trace(_fit(curve))
    if unstable_from is not None and ordered:
        _shade(figure, unstable_from, float(shown["value"].max()))
    _axes(figure, shown, name, measure, axis)
    laid_out(figure, SWEEP_HEIGHT)
    return figure.update_layout(clickmode="event+select")


def _beside(part: pd.DataFrame, shown: pd.DataFrame, shift: float, name: SweepName) -> pd.Series:
    """Return where a strategy's points stand: a little beside those of the others."""
    if not has_order(shown):
        return part["place"].astype(float) + _TOGETHER * shift
    values, own = shown["value"].astype(float), part["value"].astype(float)
    if _logarithmic(name, values):
        return own * math.pow(values.max() / values.min(), _BESIDE * shift)
    return own + float(values.max() - values.min()) * _BESIDE * shift


def _logarithmic(name: SweepName, values: pd.Series) -> bool:
    return name in LOGARITHMIC and bool((values > 0).all())


def _axes(
    figure: go.Figure, shown: pd.DataFrame, name: SweepName, measure: SweepMeasure, axis: str
) -> None:
    if has_order(shown):
        ticks = shown.drop_duplicates("value")
        kind = "log" if _logarithmic(name, ticks["value"]) else "linear"
        places = {"tickvals": ticks["value"], "ticktext": [literal(t) for t in ticks["label"]]}
        figure.update_xaxes(title=axis, type=kind, zeroline=False, **places)
    else:
        names = shown.drop_duplicates("place")
        words = [literal(label).replace(" ", "<br>") for label in names["label"]]
        edges = [names["place"].min() - 0.5, names["place"].max() + 0.5] if len(names) else None
        figure.update_xaxes(
            tickvals=names["place"], ticktext=words, range=edges, zeroline=False, showgrid=False
        )
    figure.update_yaxes(title=TITLES[measure], zeroline=False)
    if measure == "seconds":
        figure.update_yaxes(rangemode="tozero")


def _series(part: pd.DataFrame, at: pd.Series, lines: bool) -> go.Scatter:
    """Return a strategy's points; `customdata`: (place, strategy) of each."""
    strategy, title = part["strategy"].iloc[0], part["title"].iloc[0]
    own, shade = mark(strategy), colour(strategy)
    return go.Scatter(
        x=at,
        y=part["y"],
        error_y={
            "array": part["high"] - part["y"],
            "arrayminus": part["y"] - part["low"],
            "thickness": 1.5,
            "width": 4,
            "color": shade,
            "visible": bool((part["high"] > part["low"]).any()),
        },
        mode="lines+markers" if lines else "markers",
        line={"color": shade, "width": 2.5, "dash": plotly_dash(own.dash)},
        marker={"color": shade, "symbol": own.symbol, "size": 10},
        name=title,
        text=[f"{literal(title)}, {literal(label)}: {_said(row)}" for label, row in _rows(part)],
        customdata=[[int(place), strategy] for place in part["place"]],
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": 1.0}},
    )


def _fit(curve: LearningCurve) -> go.Scatter:
    """Return a learning curve, beyond the largest measured size too."""
    assert curve.fit is not None
    return go.Scatter(
        x=[size for size, _ in curve.fit.band],
        y=[100 * accuracy.value for _, accuracy in curve.fit.band],
        mode="lines",
        line={
            "color": colour(curve.strategy),
            "width": 2,
            "dash": plotly_dash(mark(curve.strategy).dash),
        },
        opacity=0.7,
        hoverinfo="skip",
        name=f"{curve.title}: learning curve",
    )


def _shade(figure: go.Figure, start: float, end: float) -> None:
    if start < end:
        figure.add_vrect(
            x0=start,
            x1=2 * end,
            fillcolor=MAJORITY_COLOUR,
            opacity=0.18,
            line_width=0,
            annotation_text="loss no longer falls",
            annotation_position="top left",
        )


def _rows(part: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    return [(str(row["label"]), row) for _, row in part.iterrows()]


def _said(row: pd.Series) -> str:
    if row["low"] == row["high"]:
        return points(row["y"])
    return f"{points(row['y'])} ({spread(row['low'], row['high'])})"


def describe_sweep(frame: pd.DataFrame, measure: SweepMeasure) -> str:
    """Return the chart in words, for those who cannot see it."""
    shown = measured(frame, measure)
    said = [
        f"{title}: {', '.join(f'{label} {_said(row)}' for label, row in _rows(part))}"
        for title, part in shown.groupby("title", sort=False)
    ]
    return f"{TITLES[measure]}. {'; '.join(said)}." if said else "Nothing measured yet."
