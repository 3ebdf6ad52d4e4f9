"""Models between a linear probe and a fine-tuned one: target accuracy against source accuracy."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tl_core.curves import MAJORITY_COLOUR, colour
from tl_core.figures.layout import laid_out
from tl_core.interpolated import Path, Point
from tl_core.stats import Interval
from tl_core.wording import points, spread

HEIGHT = 380


def path_points(found: Path, strategy: str, marked: int) -> go.Figure:
    """Return the way as a line in the strategy's colour, the `marked` point with its intervals.

    The further up and right the better. Without a rate of source images the share takes their axis.
    """
    shade, figure = colour(strategy), go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[_across(found, point) for point in found.points],
            y=[point.target.value for point in found.points],
            mode="lines+markers",
            line={"color": shade, "width": 2},
            marker={"color": shade, "size": 8},
            customdata=[[_said(point)] for point in found.points],
            hovertemplate="%{customdata[0]}<extra></extra>",
            name="Models between",
        )
    )
    figure.add_trace(_marked(found, found.points[marked], shade))
    if found.best is not None:
        figure.add_trace(_best(found, found.points[found.best]))
    for place, text in ((0, "linear probe"), (-1, "fine-tuned")):
        figure.add_annotation(
            x=_across(found, found.points[place]),
            y=found.points[place].target.value,
            text=text,
            showarrow=True,
            arrowhead=0,
            arrowcolor=MAJORITY_COLOUR,
            ax=0,
            ay=34,
        )
    title = "Source accuracy (%)" if found.shows_source else "Share of the way (%)"
    # Wide enough for every point's intervals: nothing moves but the mark.
    across = [point.source for point in found.points if point.source is not None]
    figure.update_xaxes(title=title, zeroline=False, range=_range(across) if across else [-4, 104])
    reach = _range([point.target for point in found.points])
    figure.update_yaxes(title="Test accuracy (%)", zeroline=False, range=reach)
    laid_out(figure, HEIGHT)
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0.0}
    legend |= {"itemclick": False, "itemdoubleclick": False}
    return figure.update_layout(showlegend=True, legend=legend, margin_t=36)


def _across(found: Path, point: Point) -> float:
    if found.shows_source and point.source is not None:
        return point.source.value
    return 100 * point.share


def _marked(found: Path, point: Point, shade: str) -> go.Scatter:
    bars = {"thickness": 2, "width": 6, "color": shade}
    return go.Scatter(
        x=[_across(found, point)],
        y=[point.target.value],
        error_y=_bar(point.target) | bars,
        error_x=_bar(point.source) | bars if point.source is not None else None,
        mode="markers",
        marker={"color": shade, "size": 18, "line": {"width": 2, "color": "white"}},
        hovertemplate=f"{_said(point)}<extra></extra>",
        name="Looked at",
    )


def _best(found: Path, point: Point) -> go.Scatter:
    return go.Scatter(
        x=[_across(found, point)],
        y=[point.target.value],
        mode="markers",
        marker={"color": "white", "size": 11, "symbol": "star", "line": {"width": 1.5}},
        hoverinfo="skip",
        name="Chosen",
    )


def _range(of: Sequence[Interval]) -> list[float]:
    low, high = min(one.low for one in of), max(one.high for one in of)
    margin = 0.05 * max(high - low, 1.0)
    return [low - margin, high + margin]


def _bar(of: Interval) -> dict[str, object]:
    return {"array": [of.high - of.value], "arrayminus": [of.value - of.low]}


def _said(point: Point) -> str:
    target = f"{points(point.target.value)}% ({spread(point.target.low, point.target.high)})"
    said = f"{point.share:.0%} of the way<br>target {target}"
    if point.source is None:
        return said
    ends = spread(point.source.low, point.source.high)
    return f"{said}<br>source {points(point.source.value)}% ({ends})"


def describe_path(found: Path) -> str:
    """Return the chart in words, for those who cannot see it."""
    said = []
    for point in found.points:
        source = "" if point.source is None else f", source {points(point.source.value)}%"
        said.append(f"{point.share:.0%}: target {points(point.target.value)}%{source}")
    return "; ".join(said)
