"""What curves show: colours, reference lines, and the live chart as a constant Vega-Lite spec.

The spec never changes while a comparison runs, only its data do: a chart that keeps its spec is
updated in place, without flicker. What comes from a recording is pale, wherever it is drawn.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

from tl_core import marks
from tl_core.marks import Dash
from tl_core.record import Record
from tl_core.tables import curve_frame

Measure = Literal["accuracy", "forgetting", "drift"]

CHART_HEIGHT: Final = 340

# Okabe & Ito's palette, some tones shifted, and further ones in between: at least 3:1 on white and
# on the dark background. `marks` tells apart what colour alone cannot.
COLOURS: Final[dict[str, str]] = {
    "zero_shot": "#7f7f7f",
    "feature_extraction": "#0072b2",
    "partial_fine_tuning": "#009e73",
    "full_fine_tuning": "#d55e00",
    "from_scratch": "#cc79a7",
    "gradual_unfreezing": "#bf4da8",
    "discriminative_rates": "#a05ef7",
    "lp_ft": "#835c48",
    "wise_ft": "#ae8a6d",
    "norm_only": "#4f82f5",
    "bias_only": "#747323",
    "surgical": "#6b9aaf",
    "lora": "#6b5e84",
    "l2_sp": "#853fd8",
    "ewc": "#ba4e61",
    "lwf": "#867fc2",
    "rehearsal": "#7b9e1c",
    "custom": "#a87900",
}
MAJORITY: Final = "majority_class"
MAJORITY_COLOUR: Final = "#7f7f7f"

TITLES: Final[dict[Measure, str]] = {
    "accuracy": "Accuracy on validation images (%)",
    "forgetting": "Source accuracy lost (points)",
    "drift": "Drift: source predictions changed (%)",
}

# How much of its colour is left to what is recorded, not measured here.
PALE: Final = 0.6

LIVE_COLUMNS: Final = ("kind", "strategy", "title", "series", "seed", "step", "share", "value")


@dataclass(frozen=True)
class Line:
    """A horizontal reference line; `value` in percent, `strategy` a name or MAJORITY."""

    strategy: str
    title: str
    value: float

    @property
    def colour(self) -> str:
        """The line's colour."""
        return colour(self.strategy)

    @property
    def dash(self) -> Dash:
        """The line's dash; the floor is dotted."""
        return _dash(self.strategy)


def colour(strategy: str) -> str:
    """Return a strategy's one colour; strategies of the user's own share one."""
    if strategy == MAJORITY:
        return MAJORITY_COLOUR
    return COLOURS.get(strategy, COLOURS["custom"])


def has_probe(found: Record) -> bool:
    """Return whether forgetting is measured; otherwise only drift can be shown."""
    return bool(found.started and found.started.source and found.started.source.rated)


def change_measure(found: Record) -> Measure:
    """Return the measure of what training did to the source skill: forgetting needs labels."""
    return "forgetting" if has_probe(found) else "drift"


def floor(share: float) -> Line:
    """Return the floor: always guessing the most frequent class."""
    return Line(MAJORITY, "Always guessing the largest class", 100 * share)


def reference_lines(found: Record, measure: Measure) -> list[Line]:
    """Return the lines known so far; none for forgetting, whose floor is the axis.

    Zero-shot and the convex probe have no curve. Their lines are accuracies on validation images,
    like the curves, so that nothing on the chart is a test result.
    """
    if found.started is None or measure != "accuracy":
        return []
    lines = [floor(found.started.majority_accuracy)]
    for strategy in found.strategies:
        if strategy.solver == "steps":
            continue
        runs = found.final(strategy.name).values()
        known = [r.result.validation_accuracy for r in runs]
        values = [value for value in known if value is not None]
        if values:
            lines.append(Line(strategy.name, strategy.title, 100 * sum(values) / len(values)))
    return lines


def measured_curves(found: Record, measure: Measure) -> pd.DataFrame:
    """Return the curves with one `value` column, in percent or points; unmeasured points are gone.

    `share` is the percentage of the run's training, so that runs of any length share an axis.
    """
    frame = curve_frame(found)
    if measure == "accuracy":
        frame["value"] = 100 * frame["validation_accuracy"].astype(float)
    elif measure == "forgetting":
        frame["value"] = frame["forgetting_points"].astype(float)
    else:
        frame["value"] = 100 * (1 - frame["agreement"].astype(float))
    frame["share"] = 100 * frame["share"].astype(float)
    frame["kind"] = "curve"
    frame["series"] = frame["strategy"].astype(str) + " " + frame["seed"].astype(str)
    return frame.loc[frame["value"].notna(), list(LIVE_COLUMNS)]


def live_frame(found: Record, measure: Measure) -> pd.DataFrame:
    """Return curves and reference lines as one frame, for SPECS[measure]."""
    return pd.concat(
        [measured_curves(found, measure), lines_frame(reference_lines(found, measure))],
        ignore_index=True,
    )


def pale_frame(recorded: Record, measure: Measure, without: Collection[str] = ()) -> pd.DataFrame:
    """Return a recording's curves and lines, those of some strategies (`settled`) left out.

    The floor needs no training, so it is never taken from a recording.
    """
    frame = live_frame(recorded, measure)
    frame = frame[~frame["strategy"].isin([MAJORITY, *without])]
    return frame.assign(kind="recorded " + frame["kind"])


def settled(found: Record) -> set[str]:
    """Return the strategies that a recording has nothing more to say of.

    Their own numbers are known, or will not come: a run failed, or zero-shot cannot be applied.
    """
    names = {run.run.strategy.name for run in found.ended.values() if run.run.kind == "final"}
    names |= {run.run.strategy.name for run in found.failed.values()}
    if found.started is not None and not found.started.zero_shot_applicable:
        names |= {strategy.name for strategy in found.strategies if strategy.solver == "none"}
    return names


def lines_frame(lines: list[Line]) -> pd.DataFrame:
    """Return reference lines in the columns of the live chart."""
    frame = pd.DataFrame(
        {
            "kind": ["line"] * len(lines),
            "strategy": [line.strategy for line in lines],
            "title": [line.title for line in lines],
            "value": [line.value for line in lines],
        }
    )
    frame["series"] = frame["strategy"]
    for column in ("seed", "step", "share"):
        frame[column] = pd.Series([0.0] * len(lines), dtype=float)
    return frame[list(LIVE_COLUMNS)]


def _dash(name: str) -> Dash:
    return marks.FLOOR if name == MAJORITY else marks.mark(name).dash


def _spec(measure: Measure, domain: list[float] | None) -> dict[str, Any]:
    scale: dict[str, Any] = {"zero": True} if domain is None else {"domain": domain}
    names = [*COLOURS, MAJORITY]
    y = {"field": "value", "type": "quantitative", "title": TITLES[measure], "scale": scale}
    y["axis"] = {"tickCount": 5}
    colour_of = {
        "field": "strategy",
        "type": "nominal",
        "scale": {"domain": names, "range": [colour(name) for name in names]},
        "legend": None,
    }
    x = {
        "field": "share",
        "type": "quantitative",
        "title": "Share of the run's training (%)",
        "scale": {"domain": [0, 100]},
        "axis": {"tickCount": 5, "grid": False},
    }
    tooltip = [
        {"field": "title", "title": "Strategy"},
        {"field": "seed", "title": "Seed"},
        {"field": "step", "title": "Step"},
        {"field": "value", "title": TITLES[measure], "format": ".1f"},
    ]
    dash_of = {
        "field": "strategy",
        "type": "nominal",
        "scale": {"domain": names, "range": [list(_dash(name)) or [1, 0] for name in names]},
        "legend": None,
    }
    point = {"x": x, "y": y, "color": colour_of, "detail": {"field": "series"}}
    curve = {**point, "strokeDash": dash_of}
    rule = {"y": y, "color": colour_of, "strokeDash": dash_of}
    recorded = [{**tooltip[0], "title": "Recorded"}, *tooltip[1:]]

    def layer(kind: str, mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
        return {
            "transform": [{"filter": f"datum.kind === '{kind}'"}],
            # The chart has one description; an empty layer would announce nameless marks.
            "mark": {"aria": False, **mark},
            "encoding": encoding,
        }

    line = {"type": "line", "strokeWidth": 2.5, "strokeJoin": "round"}
    dot = {"type": "point", "filled": True, "size": 28}
    return {
        "layer": [
            layer(
                "recorded line",
                {"type": "rule", "strokeWidth": 2, "opacity": PALE},
                {**rule, "tooltip": [recorded[0], recorded[3]]},
            ),
            layer("recorded curve", {**line, "opacity": PALE}, curve),
            # Nothing to see, something to point at.
            layer("recorded curve", {**dot, "opacity": 0}, {**point, "tooltip": recorded}),
            layer(
                "line",
                {"type": "rule", "strokeWidth": 2, "aria": True},
                {**rule, "tooltip": [tooltip[0], tooltip[3]]},
            ),
            layer("curve", line, curve),
            layer("curve", {**dot, "opacity": 1}, {**point, "tooltip": tooltip}),
        ]
    }


SPECS: Final[dict[Measure, dict[str, Any]]] = {
    "accuracy": _spec("accuracy", [0.0, 100.0]),
    "forgetting": _spec("forgetting", None),
    "drift": _spec("drift", None),
}
