"""The chart of a sweep while it runs: a Vega-Lite spec that stays as it is while points come in."""

from typing import Any, Final

import pandas as pd

from tl_core import curves, marks
from tl_core.sweep import Sweep
from tl_core.sweep_measures import LOGARITHMIC, TITLES, SweepMeasure, measured

_ROOM: Final = 0.03
COLUMNS: Final = ("strategy", "title", "label", "place", "value", "y", "low", "high")


def sweep_data(frame: pd.DataFrame, measure: SweepMeasure) -> pd.DataFrame:
    """Return what `sweep_spec` draws of a sweep's table."""
    return measured(frame, measure)[list(COLUMNS)]


def sweep_spec(sweep: Sweep, measure: SweepMeasure, axis: str) -> dict[str, Any]:
    """Return the spec: all places of the axis are there before anything is measured."""
    names = list(curves.COLOURS)
    scale = {"domain": names, "range": [curves.colour(name) for name in names]}
    colour = {"field": "strategy", "type": "nominal", "scale": scale, "legend": None}
    dashes = [list(marks.mark(name).dash) or [1, 0] for name in names]
    dash = {**colour, "scale": {"domain": names, "range": dashes}}
    x = _axis(sweep, axis)
    domain = {"domain": [0, 100]} if measure == "accuracy" else {"zero": True}
    title = TITLES[measure]
    y: dict[str, Any] = {"field": "y", "type": "quantitative", "title": title, "scale": domain}
    y["axis"] = {"tickCount": 5}
    places: dict[str, Any] = {"x": x, "color": colour, "detail": {"field": "strategy"}}
    if x["type"] == "ordinal":
        places["xOffset"] = {"field": "strategy", "type": "nominal"}
    tooltip = [
        {"field": "title", "title": "Strategy"},
        {"field": "label", "title": axis},
        *({"field": name, "title": words, "format": ".1f"} for name, words in _ENDS.items()),
    ]
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 1.5, "aria": False},
            "encoding": {**places, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "aria": False},
            "encoding": {**places, "y": y, "tooltip": tooltip},
        },
    ]
    if x["type"] == "quantitative":
        line = {"type": "line", "strokeWidth": 2, "aria": False}
        layers.insert(0, {"mark": line, "encoding": {**places, "y": y, "strokeDash": dash}})
    return {"layer": layers}


_ENDS: Final = {"y": "Measured", "low": "Interval from", "high": "Interval to"}


def _axis(sweep: Sweep, title: str) -> dict[str, Any]:
    values = [point.value for point in sweep.points if point.value is not None]
    if not values:
        labels = [point.label for point in sweep.points]
        scale: dict[str, Any] = {"domain": labels}
        axis: dict[str, Any] = {"labelAngle": 0, "labelLimit": 90}
        return {"field": "label", "type": "ordinal", "title": title, "scale": scale, "axis": axis}
    # A little room at both ends: no point stands on the frame.
    low, high = min(values), max(values)
    if sweep.name in LOGARITHMIC and low > 0:
        room = (high / low) ** _ROOM
        scale = {"domain": [low / room, high * room], "nice": False, "type": "log"}
    else:
        room = (high - low) * _ROOM
        scale = {"domain": [low - room, high + room], "nice": False}
    axis = {"values": values, "format": "~g", "grid": False}
    return {
        "field": "value",
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": axis,
    }
