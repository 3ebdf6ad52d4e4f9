"""Accuracy against forgetting or drift, as a chart whose points can be clicked."""

import math
from collections.abc import Collection, Sequence

import plotly.graph_objects as go

from tl_core.curves import MAJORITY_COLOUR, Measure, colour
from tl_core.figures.layout import laid_out
from tl_core.marks import mark
from tl_core.tradeoff import Place, Tradeoff
from tl_core.wording import duration, points, spread

TITLES: dict[Measure, str] = {
    "forgetting": "Forgetting (points of source accuracy lost)",
    "drift": "Drift (source predictions changed, %)",
}
HEIGHT = 380
_LARGEST, _SMALLEST, _PALE = 34.0, 10.0, 0.25


def tradeoff_points(found: Tradeoff, shown: Collection[str] = ()) -> go.Figure:
    """Return the chart: the further up and left the better; marks grow with seconds of training.

    Strategies that are not `shown` (none: all are) are pale. The line joins what is a measurable
    trade. What never had the source skill stands apart, on the right.
    """
    figure = go.Figure()
    known = [place for place in found.places if place.change is not None]
    apart = [place for place in found.places if place.change is None]
    edge = _edge(known)
    for one, other in found.trades:
        figure.add_trace(_line([p for p in known if p.strategy in (one, other)]))
    most = max((place.seconds for place in found.places), default=0.0)
    # The cheaper the smaller, and drawn later: nothing is hidden.
    order = {place.strategy: rank for rank, place in enumerate(found.places)}
    for place in sorted(found.places, key=lambda place: -place.seconds):
        pale = bool(shown) and place.strategy not in shown
        at = place.change.value if place.change is not None else 1.15 * edge
        figure.add_trace(_point(place, at, most, pale).update(legendrank=order[place.strategy]))
    if apart:
        figure.add_vline(1.05 * edge, line_color=MAJORITY_COLOUR, line_dash="dot", line_width=1)
        figure.add_annotation(
            x=1.15 * edge,
            y=1.0,
            yref="paper",
            text="never had it",
            showarrow=False,
            yanchor="bottom",
        )
    low = min((0.0, *(p.change.low for p in known if p.change is not None)))
    figure.update_xaxes(
        title=TITLES[found.measure], range=[low - 0.05 * edge, edge * (1.25 if apart else 1.08)]
    )
    figure.update_yaxes(title="Test accuracy (%)", zeroline=False)
    laid_out(figure, HEIGHT)
    legend = {"orientation": "h", "y": 1.08, "yanchor": "bottom", "x": 0.0}
    legend |= {"itemsizing": "constant", "itemclick": False, "itemdoubleclick": False}
    return figure.update_layout(
        showlegend=True, legend=legend, margin_t=56, clickmode="event+select"
    )


def _edge(known: Sequence[Place]) -> float:
    """Return where the axis of what is known ends."""
    return max((5.0, *(p.change.high for p in known if p.change is not None)))


def _line(ends: Sequence[Place]) -> go.Scatter:
    return go.Scatter(
        x=[place.change.value for place in ends if place.change is not None],
        y=[place.accuracy.value for place in ends],
        mode="lines",
        line={"color": MAJORITY_COLOUR, "width": 2, "dash": "dash"},
        hoverinfo="skip",
        name="A trade",
        showlegend=False,
    )


def _point(place: Place, at: float, most: float, pale: bool) -> go.Scatter:
    accuracy, change = place.accuracy, place.change
    shade = colour(place.strategy)
    said = f"{points(accuracy.value)}% ({spread(accuracy.low, accuracy.high)})"
    lost = "never had the source skill"
    if change is not None:
        lost = f"{points(change.value)} ({spread(change.low, change.high)})"
    size = _SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(place.seconds / most if most else 0.0)
    bars = {"thickness": 1.5, "width": 4, "color": shade}
    return go.Scatter(
        x=[at],
        y=[accuracy.value],
        error_y={
            "array": [accuracy.high - accuracy.value],
            "arrayminus": [accuracy.value - accuracy.low],
            **bars,
        },
        error_x=None
        if change is None
        else {"array": [change.high - change.value], "arrayminus": [change.value - change.low]}
        | bars,
        mode="markers",
        marker={
            "color": shade,
            "symbol": mark(place.strategy).symbol,
            "size": size,
            "line": {"width": 1, "color": "white"},
        },
        opacity=_PALE if pale else 1.0,
        customdata=[[place.strategy]],
        name=place.title,
        hovertemplate=f"{place.title}<br>accuracy {said}<br>{lost}<br>"
        f"{duration(place.seconds)} of training<extra></extra>",
        # A click says what it chose; nothing needs to fade for that.
        unselected={"marker": {"opacity": _PALE if pale else 1.0}},
    )


def describe_tradeoff(found: Tradeoff) -> str:
    """Return the chart in words, for those who cannot see it."""
    said = [
        f"{place.title}: {points(place.accuracy.value)}% accuracy, "
        + (
            "never had the source skill"
            if place.change is None
            else f"{points(place.change.value)} {found.measure}"
        )
        + f", {duration(place.seconds)}"
        for place in found.places
    ]
    return "; ".join(said)
