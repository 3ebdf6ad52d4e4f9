"""What all charts share: size, margins, transparent ground, user text that stays text."""

from html import escape

import plotly.graph_objects as go

from tl_core.labels import plain_label

# Height of a line of dots, and of all else around them.
DOTS_ROW, DOTS_MARGIN = 38, 64


# Plotly's own size of text, in pixels.
_TEXT = 12


def enlarged(figure: go.Figure, scale: float) -> go.Figure:
    """Return the figure with text, marks and height made larger by a factor."""
    if scale == 1:
        return figure
    size = scale * _TEXT
    figure.update_layout(height=round(scale * figure.layout.height), font_size=size)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(tickfont_size=size, title_font_size=size)
    figure.update_traces(marker_size=10 * scale, selector={"mode": "markers"})
    return figure


def laid_out(figure: go.Figure, height: int) -> go.Figure:
    """Return the figure in the layout of all charts."""
    figure.update_layout(
        height=height,
        showlegend=False,
        hovermode="closest",
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def literal(text: object) -> str:
    """Return user text as a chart shows it literally, on one line.

    Charts read a few tags and entities in every text. Quotation marks are none of them: escaped,
    they would be shown as `&quot;`.
    """
    return escape(plain_label(text), quote=False)
