"""Values with their intervals as dots, side by side."""

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.curves import MAJORITY_COLOUR, colour
from tl_core.dots import Dot
from tl_core.figures.layout import DOTS_ROW, dots_height, laid_out, literal
from tl_core.labels import plain_label
from tl_core.marks import mark

# Characters of a dot's label on one line; how far apart dots of one label stand, in lines and, at
# least, in pixels; how much of a line they take up together at most.
_LABEL, _APART, _APART_PIXELS, _TOGETHER = 24, 0.3, 16, 0.7


def interval_dots(dots: Sequence[Dot], title: str, shares: bool = False) -> go.Figure:
    """Return values as dots with their intervals, one line for each label.

    The axis holds 0 to 100 for `shares`, else 0 is dotted. Dots of several series stand close
    together on their label's line, with a legend.
    """
    labels = list(dict.fromkeys(dot.label for dot in dots))
    series = list(dict.fromkeys(dot.series for dot in dots))
    figure = go.Figure()
    for place, name in enumerate(series):
        shift = min(_APART, _TOGETHER / len(series)) * (place - (len(series) - 1) / 2)
        part = [dot for dot in dots if dot.series == name]
        for strategy in dict.fromkeys(dot.strategy for dot in part):
            same = [dot for dot in part if dot.strategy == strategy]
            figure.add_trace(_series(same, labels, shift))
    figure.update_xaxes(title=title, zeroline=False, range=[0, 101] if shares else None)
    if not shares:
        figure.add_vline(0, line_color=MAJORITY_COLOUR, line_width=2, line_dash="dot")
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=["<br>".join(map(literal, _lines(label))) for label in labels],
        range=[len(labels) - 0.5, -0.5],
        zeroline=False,
    )
    row = max(DOTS_ROW, _APART_PIXELS * len(series))
    laid_out(figure, dots_height(len(labels), row) + 24 * (len(series) > 1))
    if len(series) > 1:
        legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0}
        figure.update_layout(showlegend=True, legend=legend, margin_t=32)
    return figure


def _lines(label: str) -> list[str]:
    """Return a label, which may be a user's text, on two lines at most."""
    return textwrap.wrap(plain_label(label), _LABEL, max_lines=2, placeholder=" …")


def _series(dots: Sequence[Dot], labels: Sequence[str], shift: float) -> go.Scatter:
    """Return dots of one colour, each on its label's line."""
    strategy = dots[0].strategy
    shade = colour(strategy) if strategy else MAJORITY_COLOUR
    symbol = mark(strategy).symbol if strategy else "circle"
    return go.Scatter(
        x=[d.estimate.value for d in dots],
        y=[labels.index(d.label) + shift for d in dots],
        error_x={
            "array": [d.estimate.high - d.estimate.value for d in dots],
            "arrayminus": [d.estimate.value - d.estimate.low for d in dots],
            "thickness": 2,
            "width": 5,
            "color": shade,
        },
        customdata=[_said(d) for d in dots],
        text=[literal(d.label) for d in dots],
        mode="markers",
        marker={"color": shade, "symbol": symbol, "size": 10},
        name=dots[0].series,
        hovertemplate="%{text}: %{customdata}<extra></extra>",
    )


def _said(dot: Dot) -> str:
    """Return a dot's value, with its interval if it has one, in three digits."""
    one = dot.estimate
    value, low, high = (f"{v:.3g}".replace("-", "\u2212") for v in (one.value, one.low, one.high))
    return value if one.low == one.high else f"{value} ({low} to {high})"


def described(dots: Sequence[Dot]) -> str:
    """Return dots in words, for those who cannot see them."""
    said = [f"{f'{dot.series}, ' if dot.series else ''}{dot.label}: {_said(dot)}" for dot in dots]
    return "; ".join(said)
