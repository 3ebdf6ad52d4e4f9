"""How far a strategy can be trusted, as charts: reliability, and confidence inside and outside."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from tl_core.calibration import ReliabilityBin
from tl_core.curves import CHART_HEIGHT, MAJORITY_COLOUR, colour
from tl_core.dots import Dot
from tl_core.figures.intervals import interval_dots
from tl_core.figures.layout import laid_out
from tl_core.stats import Matrix
from tl_core.wording import percent

_LARGEST, _SMALLEST = 22.0, 6.0
_BINS = 20


def reliability_diagram(
    before: Sequence[ReliabilityBin], after: Sequence[ReliabilityBin], strategy: str
) -> go.Figure:
    """Return confidence against accuracy: filled as it is, hollow after the temperature.

    The dotted diagonal is a model whose confidence is its chance of being right; dots below it are
    too sure. A dot's area is the number of images.
    """
    figure = go.Figure()
    figure.add_shape(
        type="line", x0=0, y0=0, x1=100, y1=100, line={"color": MAJORITY_COLOUR, "dash": "dot"}
    )
    figure.add_trace(_hollow(after, strategy))
    figure.add_trace(_filled(before, strategy))
    figure.update_xaxes(title="Confidence (%)", range=[0, 102], zeroline=False)
    figure.update_yaxes(title="Right (%)", range=[0, 102], zeroline=False)
    laid_out(figure, CHART_HEIGHT)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0}
    legend |= {"itemsizing": "constant", "traceorder": "reversed"}
    return figure.update_layout(showlegend=True, legend=legend, margin_t=32)


def _filled(bins: Sequence[ReliabilityBin], strategy: str) -> go.Scatter:
    found = [one.accuracy for one in bins]
    return go.Scatter(
        x=[100 * one.confidence for one in bins],
        y=[100 * accuracy.value for accuracy in found],
        error_y={
            "array": [100 * (accuracy.high - accuracy.value) for accuracy in found],
            "arrayminus": [100 * (accuracy.value - accuracy.low) for accuracy in found],
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[one.images for one in bins],
        mode="markers",
        marker={"color": colour(strategy), "size": _sizes(bins)},
        name="As it is",
        hovertemplate="%{x:.0f}% sure, %{y:.0f}% right (%{customdata} images)<extra></extra>",
    )


def _hollow(bins: Sequence[ReliabilityBin], strategy: str) -> go.Scatter:
    return go.Scatter(
        x=[100 * one.confidence for one in bins],
        y=[100 * one.accuracy.value for one in bins],
        customdata=[one.images for one in bins],
        mode="markers",
        marker={
            "color": "rgba(0,0,0,0)",
            "size": _sizes(bins),
            "line": {"color": colour(strategy), "width": 2},
        },
        name="After the temperature",
        hovertemplate="%{x:.0f}% sure, %{y:.0f}% right (%{customdata} images)<extra></extra>",
    )


def _sizes(bins: Sequence[ReliabilityBin]) -> list[float]:
    most = max((one.images for one in bins), default=1)
    return [max(_SMALLEST, _LARGEST * float(np.sqrt(one.images / most))) for one in bins]


def describe_reliability(bins: Sequence[ReliabilityBin]) -> str:
    """Return the diagram in words, for those who cannot see it."""
    said = [f"{percent(one.confidence)} sure, {percent(one.accuracy.value)} right" for one in bins]
    return f"Confidence and accuracy by bin: {'; '.join(said)}."


def confidence_histogram(
    inside: Matrix, outside: Matrix, threshold: float, strategy: str
) -> go.Figure:
    """Return how sure a strategy is of test images and of images that are none of its classes.

    Shares of each kind by bin of confidence; the threshold dotted.
    """
    figure = go.Figure()
    edges = np.linspace(0, 1, _BINS + 1)
    for values, name, drawn in (
        (inside, "Your test images", colour(strategy)),
        (outside, "None of your classes", MAJORITY_COLOUR),
    ):
        known = values[~np.isnan(values)]
        counts = np.histogram(known, edges)[0]
        figure.add_trace(
            go.Bar(
                x=100 * (edges[1:] + edges[:-1]) / 2,
                y=100 * counts / max(len(known), 1),
                marker_color=drawn,
                name=name,
                hovertemplate=f"about %{{x:.0f}}% sure: %{{y:.0f}}% of {name.lower()}"
                "<extra></extra>",
            )
        )
    figure.add_vline(100 * threshold, line_color=MAJORITY_COLOUR, line_width=2, line_dash="dot")
    figure.update_xaxes(title="Confidence (%)", range=[0, 102], zeroline=False)
    figure.update_yaxes(title="Share of the images (%)", zeroline=False)
    laid_out(figure, CHART_HEIGHT)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0}
    return figure.update_layout(barmode="group", showlegend=True, legend=legend, margin_t=32)


def share_dots(dots: Sequence[Dot], title: str) -> go.Figure:
    """Return percentages as dots with their intervals on an axis from 0 to 100."""
    return interval_dots(dots, title, shares=True)
