"""What all charts share: size, margins, transparent ground, user text that stays text."""

from html import escape

import plotly.graph_objects as go

from tl_core.labels import plain_label

# Height of a line of dots, and of all else around them.
DOTS_ROW, DOTS_MARGIN = 38, 64


def dots_height(lines: int, line: int = DOTS_ROW) -> int:
    """Return the height of a chart of so many lines; one alone would leave the axis no room."""
    return max(DOTS_MARGIN + line * lines, DOTS_MARGIN + 2 * DOTS_ROW)


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
