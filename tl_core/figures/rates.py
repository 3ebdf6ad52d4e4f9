"""Range tests: training loss against a learning rate that rises."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.curves import colour
from tl_core.figures.layout import laid_out
from tl_core.marks import mark, plotly_dash
from tl_core.range_test import Found

HEIGHT = 340


def rate_curves(found: Sequence[Found]) -> go.Figure:
    """Return the chart, rates on a logarithmic axis; a mark where each loss falls fastest.

    A loss far above what all began with is cut off: where it explodes is to be seen, not how far.
    """
    figure = go.Figure()
    starts = [one.points[0][1] for one in found if one.points and math.isfinite(one.points[0][1])]
    for one in found:
        own, points = colour(one.strategy), [p for p in one.points if math.isfinite(p[1])]
        rates, losses = [rate for rate, _ in points], [loss for _, loss in points]
        line = {"color": own, "width": 2.5, "dash": plotly_dash(mark(one.strategy).dash)}
        figure.add_trace(
            go.Scatter(x=rates, y=losses, mode="lines", line=line, name=one.title, hoverinfo="skip")
        )
        figure.add_trace(
            go.Scatter(
                x=rates,
                y=losses,
                mode="markers",
                marker={
                    "color": own,
                    "symbol": mark(one.strategy).symbol,
                    "size": [13 if rate == one.steepest else 5 for rate in rates],
                },
                name=one.title,
                showlegend=False,
                hovertemplate=f"{one.title}<br>rate %{{x:.2g}}<br>loss %{{y:.2f}}<extra></extra>",
            )
        )
    figure.update_xaxes(
        title="Learning rate of the backbone", type="log", dtick=1, exponentformat="power"
    )
    figure.update_yaxes(title="Training loss (nats)")
    if starts:
        figure.update_yaxes(range=[0, 2 * max(starts)])
    laid_out(figure, HEIGHT)
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0.0, "itemclick": False}
    return figure.update_layout(showlegend=True, legend=legend, margin_t=40)


def describe_rates(found: Sequence[Found]) -> str:
    """Return what the chart shows, in words."""
    said = []
    for one in found:
        falls = "never falls" if one.steepest is None else f"falls fastest at {one.steepest:.2g}"
        ends = (
            "still falls at the end"
            if one.unstable_from is None
            else f"no longer falls from {one.unstable_from:.2g}"
        )
        said.append(f"{one.title}: the loss {falls} and {ends}.")
    return " ".join(["Training loss against the learning rate.", *said])
