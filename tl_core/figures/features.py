"""Images in feature space, before and after training."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tl_core.figures.layout import laid_out

_HEIGHT = 340
# After Paul Tol's schemes, apart from the strategies' colours; classes differ by sign as well.
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#997700", "#5aa0c8", "#8a7fd1", "#888888")
_SIGNS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
_MOST_NAMED = 24


def feature_map(
    points: NDArray[np.float64], labels: Sequence[int], classes: Sequence[str]
) -> go.Figure:
    """Return images (N x 2) as dots in their class's colour and sign."""
    figure = go.Figure()
    given = np.asarray(labels)
    for label, name in enumerate(classes):
        chosen = points[given == label]
        if not len(chosen):
            continue
        figure.add_trace(
            go.Scatter(
                x=chosen[:, 0],
                y=chosen[:, 1],
                mode="markers",
                name=escape(name[:_MOST_NAMED]),
                marker={
                    "color": _COLOURS[label % len(_COLOURS)],
                    "symbol": _SIGNS[(label // len(_COLOURS) + label) % len(_SIGNS)],
                    "size": 7,
                    "opacity": 0.8,
                },
                hovertemplate=f"{escape(name)}<extra></extra>",
            )
        )
    figure.update_xaxes(showticklabels=False, title="first component", zeroline=False)
    figure.update_yaxes(showticklabels=False, title="second component", zeroline=False)
    laid_out(figure, _HEIGHT)
    legend = {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0.0}
    return figure.update_layout(showlegend=len(classes) <= _MOST_NAMED, legend=legend)
