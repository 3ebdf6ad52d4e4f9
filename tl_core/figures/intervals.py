"""Values with their intervals as dots, side by side."""

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.curves import MAJORITY_COLOUR, colour
from tl_core.dots import Dot
from tl_core.figures.layout import DOTS_MARGIN, DOTS_ROW, laid_out
from tl_core.wording import points, spread

# Characters of a dot's label on one line, and how far apart dots of one label stand.
_LABEL, _APART = 24, 0.3


def interval_dots(dots: Sequence[Dot], title: str) -> go.Figure:
    """Return values as dots with their intervals, one line for each label, 0 dotted.

    Dots of several series stand close together on their label's line, with a legend.
    """
    labels = list(dict.fromkeys(dot.label for dot in dots))
    series = list(dict.fromkeys(dot.series for dot in dots))
    figure = go.Figure()
    for place, name in enumerate(series):
        shift = _APART * (place - (len(series) - 1) / 2)
        figure.add_trace(_series([d for d in dots if d.series == name], labels, shift))
    figure.add_vline(0, line_color=MAJORITY_COLOUR, line_width=2, line_dash="dot")
    figure.update_xaxes(title=title, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=["<br>".join(textwrap.wrap(label, _LABEL)) for label in labels],
        range=[len(labels) - 0.5, -0.5],
        zeroline=False,
    )
    laid_out(figure, DOTS_MARGIN + DOTS_ROW * max(len(labels), 1) + 24 * (len(series) > 1))
    if len(series) > 1:
        legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0}
        figure.update_layout(showlegend=True, legend=legend, margin_t=32)
    return figure


def _series(dots: Sequence[Dot], labels: Sequence[str], shift: float) -> go.Scatter:
    """Return the dots of one series, each on its label's line; colours may differ."""
    colours = [colour(d.strategy) if d.strategy else MAJORITY_COLOUR for d in dots]
    return go.Scatter(
        x=[d.estimate.value for d in dots],
        y=[labels.index(d.label) + shift for d in dots],
        error_x={
            "array": [d.estimate.high - d.estimate.value for d in dots],
            "arrayminus": [d.estimate.value - d.estimate.low for d in dots],
            "thickness": 2,
            "width": 5,
            "color": colours[0] if len(set(colours)) == 1 else MAJORITY_COLOUR,
        },
        customdata=[_ends(d) for d in dots],
        text=[d.label for d in dots],
        mode="markers",
        marker={"color": colours, "size": 10},
        name=dots[0].series,
        hovertemplate="%{text}: %{x:.1f} (%{customdata})<extra></extra>",
    )


def _ends(dot: Dot) -> str:
    return spread(dot.estimate.low, dot.estimate.high)


def described(dots: Sequence[Dot]) -> str:
    """Return dots in words, for those who cannot see them."""
    said = [
        f"{f'{dot.series}, ' if dot.series else ''}{dot.label}: "
        f"{points(dot.estimate.value)} ({_ends(dot)})"
        for dot in dots
    ]
    return "; ".join(said)
