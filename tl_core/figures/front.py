"""Everything that was measured on one data set: accuracy against forgetting, the front marked."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.curves import MAJORITY_COLOUR, colour
from tl_core.figures.layout import laid_out, literal
from tl_core.marks import mark
from tl_core.measured import Measured
from tl_core.pareto import Placed
from tl_core.stats import Interval
from tl_core.wording import duration, points, spread

FRONT_HEIGHT = 420
_LARGEST, _SMALLEST, _PALE = 26.0, 9.0, 0.35


def front_figure(found: Sequence[Measured], placed: Sequence[Placed]) -> go.Figure:
    """Return the chart: further up and left is better, marks grow with seconds of training.

    The front has intervals and full colour, the rest is pale. `customdata` is a point's place.
    """
    figure = go.Figure()
    there = [place for place, one in enumerate(found) if one.change is not None]
    most = max((found[place].seconds for place in there), default=0.0)
    for name in dict.fromkeys(found[place].strategy for place in there):
        for front in (False, True):
            part = [
                place
                for place in there
                if found[place].strategy == name and (placed[place].standing == "front") == front
            ]
            if part:
                figure.add_trace(_points(found, part, front, most))
    figure.add_vline(0, line_color=MAJORITY_COLOUR, line_width=1, line_dash="dot")
    figure.update_xaxes(title="Forgetting (points of source accuracy lost)", zeroline=False)
    figure.update_yaxes(title="Accuracy on test images (%)", zeroline=False)
    laid_out(figure, FRONT_HEIGHT)
    return figure.update_layout(clickmode="event+select")


def _points(found: Sequence[Measured], part: Sequence[int], front: bool, most: float) -> go.Scatter:
    ones = [found[place] for place in part]
    changes = [one.change for one in ones if one.change is not None]
    shade, opacity = colour(ones[0].strategy), 1.0 if front else _PALE
    return go.Scatter(
        x=[change.value for change in changes],
        y=[one.accuracy.value for one in ones],
        error_x=_bars(changes, shade, front),
        error_y=_bars([one.accuracy for one in ones], shade, front),
        mode="markers",
        marker={
            "color": shade,
            "symbol": mark(ones[0].strategy).symbol,
            "size": [_size(one.seconds, most) for one in ones],
            "line": {"width": 1, "color": "white"},
        },
        opacity=opacity,
        name=f"{ones[0].title}{': front' if front else ''}",
        customdata=[[place] for place in part],
        text=[_said(one) for one in ones],
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": opacity}},
    )


def _bars(intervals: Sequence[Interval], shade: str, visible: bool) -> dict[str, object]:
    return {
        "array": [one.high - one.value for one in intervals],
        "arrayminus": [one.value - one.low for one in intervals],
        "thickness": 1.5,
        "width": 4,
        "color": shade,
        "visible": visible,
    }


def _size(seconds: float, most: float) -> float:
    return _SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(seconds / most if most else 0.0)


def _said(one: Measured) -> str:
    change = one.change
    lost = "" if change is None else f"{points(change.value)} ({spread(change.low, change.high)})"
    setting = f"<br>{literal(one.differs)}" if one.differs else ""
    accuracy = f"{points(one.accuracy.value)}% ({spread(one.accuracy.low, one.accuracy.high)})"
    return (
        f"{literal(one.title)}<br>{literal(one.source.name)}{setting}<br>accuracy {accuracy}<br>"
        f"forgot {lost}<br>{duration(one.seconds)} of training"
    )


def describe_front(found: Sequence[Measured], placed: Sequence[Placed]) -> str:
    """Return the chart in words, for those who cannot see it."""
    said = [
        f"{one.title}{f' ({one.differs})' if one.differs else ''}: {points(one.accuracy.value)}% "
        f"accuracy, {points(one.change.value)} points forgotten, {duration(one.seconds)}"
        for one, stands in zip(found, placed, strict=True)
        if stands.standing == "front" and one.change is not None
    ]
    return f"On the front: {'; '.join(said)}." if said else "Nothing stands on the front."
