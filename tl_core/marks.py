"""What tells strategies apart beside their colour: the dash of a line, the symbol of a point.

Eighteen colours cannot all be told apart by everybody. Strategies of one kind share a dash, and
their colours differ for colour-blind people too; a symbol belongs to one strategy alone.
"""

from dataclasses import dataclass
from typing import Final

Dash = tuple[int, ...]

# Pixels drawn and left out, in turn. What has no curve, what trains in turns or at different
# speeds, what trains few numbers, what is held back while it trains, one's own layers.
_SOLID: Final[Dash] = ()
_LEVEL: Final[Dash] = (8, 5)
_TIMED: Final[Dash] = (13, 3)
_FEW: Final[Dash] = (4, 3)
_HELD: Final[Dash] = (9, 3, 2, 3)
_OWN: Final[Dash] = (2, 2)
FLOOR: Final[Dash] = (2, 3)


@dataclass(frozen=True)
class Mark:
    """`symbol`: Plotly's name of it; `sign`: the character that looks like it."""

    dash: Dash
    symbol: str
    sign: str


MARKS: Final[dict[str, Mark]] = {
    "zero_shot": Mark(_LEVEL, "circle", "●"),
    "feature_extraction": Mark(_LEVEL, "square", "■"),
    "partial_fine_tuning": Mark(_SOLID, "diamond", "◆"),
    "full_fine_tuning": Mark(_SOLID, "triangle-up", "▲"),
    "from_scratch": Mark(_SOLID, "x", "✕"),
    "gradual_unfreezing": Mark(_TIMED, "triangle-right", "►"),
    "discriminative_rates": Mark(_TIMED, "triangle-down", "▼"),
    "lp_ft": Mark(_TIMED, "pentagon", "⬟"),
    "wise_ft": Mark(_TIMED, "hexagon", "⬢"),
    "norm_only": Mark(_FEW, "circle-open", "○"),
    "bias_only": Mark(_FEW, "square-open", "□"),
    "surgical": Mark(_FEW, "triangle-up-open", "△"),
    "lora": Mark(_FEW, "diamond-open", "◇"),
    "l2_sp": Mark(_HELD, "cross", "✚"),
    "ewc": Mark(_HELD, "star-diamond", "✦"),
    "lwf": Mark(_HELD, "triangle-left", "◄"),
    "rehearsal": Mark(_HELD, "circle-open-dot", "◉"),
    "custom": Mark(_OWN, "star", "★"),
}


def mark(strategy: str) -> Mark:
    """Return a strategy's mark; strategies of the user's own share one."""
    return MARKS.get(strategy, MARKS["custom"])


def plotly_dash(dash: Dash) -> str:
    """Return a dash as Plotly takes it."""
    return ",".join(f"{length}px" for length in dash) or "solid"


def css_line(colour: str, dash: Dash) -> str:
    """Return a dashed line as the CSS background of a flat box."""
    if not dash:
        return colour
    stops, at = [], 0
    for place, length in enumerate(dash):
        shade = "transparent" if place % 2 else colour
        stops += [f"{shade} {at}px", f"{shade} {at + length}px"]
        at += length
    return f"repeating-linear-gradient(90deg,{','.join(stops)})"
