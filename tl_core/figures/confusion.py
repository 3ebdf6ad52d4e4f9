"""A confusion matrix as a Vega-Lite spec, whose cells can be clicked."""

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# The name of the selection in the spec; what is selected are cells, as numbers of classes.
CELL: Final = "cell"

_RIGHT, _WRONG = "#4f5d75", "#a83a06"
_FAINT, _CELL_HEIGHT, _AROUND = 0.08, 30, 110
# From this share on white is easier to read on a cell than what the page writes in.
_WHITE_FROM: Final = {"light": 0.675, "dark": 0.0}
_LABEL: Final = 22


def confusion_frame(counts: NDArray[np.int64]) -> pd.DataFrame:
    """Return a line for each cell: classes by number, count, share of its row, and its words."""
    rows, columns = np.indices(counts.shape).reshape(2, -1)
    tested = counts.sum(axis=1)
    shares = counts / np.maximum(tested, 1)[:, None]
    return pd.DataFrame(
        {
            "label": rows,
            "predicted": columns,
            "count": counts.ravel(),
            "share": shares.ravel(),
            "words": [str(count) if count else "" for count in counts.ravel()],
        }
    )


def confusion_height(classes: int) -> int:
    """Return a chart's height in pixels."""
    return _CELL_HEIGHT * classes + _AROUND


def confusion_spec(
    names: Sequence[str], dark: bool, chosen: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Return the chart of `confusion_frame` for classes of these names, as plain text.

    `chosen` is the cell (class, prediction) that is selected to begin with.
    """
    shown = _short(names)
    x = {**_axis("predicted", "Predicted class", shown), "axis": _labels(shown, -45)}
    y = {**_axis("label", "True class", shown), "axis": _labels(shown, 0)}
    cells = {
        "x": x,
        "y": y,
        "color": {
            "condition": {"test": "datum.label === datum.predicted", "value": _RIGHT},
            "value": _WRONG,
        },
        "fillOpacity": {
            "field": "share",
            "type": "quantitative",
            # By the root: mistakes are mostly small shares, and they are what is looked for.
            "scale": {"type": "sqrt", "domain": [0, 1], "range": [_FAINT, 1.0]},
            "legend": None,
        },
        "stroke": {"condition": {"param": CELL, "empty": False, "value": "#e0a000"}, "value": None},
        "strokeWidth": {"value": 3},
        "tooltip": [
            {"field": "count", "title": "Test images", "type": "quantitative"},
            {"field": "share", "title": "Share of the true class", "format": ".0%"},
        ],
    }
    limit = _WHITE_FROM["dark" if dark else "light"]
    words = {
        "x": x,
        "y": y,
        "text": {"field": "words"},
        "color": {
            "condition": {"test": f"datum.share >= {limit}", "value": "#ffffff"},
            "value": "#000000",
        },
    }
    select: dict[str, Any] = {
        "name": CELL,
        "select": {"type": "point", "fields": ["label", "predicted"], "toggle": False},
    }
    if chosen is not None:
        select["value"] = [{"label": chosen[0], "predicted": chosen[1]}]
    return {
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 2, "aria": False, "cursor": "pointer"},
                "params": [select],
                "encoding": cells,
            },
            {
                # The cell below is what is clicked.
                "mark": {"type": "text", "fontSize": 12, "aria": False, "interactive": False},
                "encoding": words,
            },
        ]
    }


def _axis(field: str, title: str, shown: Sequence[str]) -> dict[str, Any]:
    places = list(range(len(shown)))
    return {
        "field": field,
        "type": "ordinal",
        "title": title,
        "scale": {"domain": places, "paddingInner": 0.06},
    }


def _labels(shown: Sequence[str], angle: int) -> dict[str, Any]:
    # A literal list in Vega's expression language: class names stay data.
    return {
        "labelExpr": f"{json.dumps(list(shown))}[datum.value]",
        "labelAngle": angle,
        "labelLimit": 120,
        "labelOverlap": False,
        "ticks": False,
        "domain": False,
    }


def _short(names: Sequence[str]) -> list[str]:
    return [name if len(name) <= _LABEL else name[: _LABEL - 1] + "…" for name in names]
