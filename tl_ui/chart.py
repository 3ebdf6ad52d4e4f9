"""The one chart slot: floor before a run, live curves during it, the finished figure after it."""

from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import Literal, get_args

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from tl_core import curves, figures, marks
from tl_core.curves import CHART_HEIGHT, SPECS, Line, Measure
from tl_core.record import Record
from tl_core.strategies import Strategy
from tl_ui import big_screen, plots

View = Literal["accuracy", "change", "both"]
_EMPTY: dict[Measure, str] = {
    "accuracy": "No training step has been measured yet.",
    "forgetting": "Nothing here yet: forgetting is measured while a pretrained backbone trains. "
    "Frozen backbones forget nothing, and training from scratch never had the skill.",
    "drift": "Nothing here yet: drift is measured while a pretrained backbone trains. "
    "A frozen backbone cannot drift, and training from scratch has nothing to drift from.",
}


def view(found: Record) -> View:
    """Show the toggle and return what is wanted; it stays when a run ends."""
    names = {
        "accuracy": "Accuracy",
        "change": "Forgetting" if curves.has_probe(found) else "Drift",
        "both": "Both",
    }
    chosen: View = st.segmented_control(
        "Chart",
        get_args(View),
        default="accuracy",
        required=True,
        format_func=lambda name: names[name],
        key="chart_view",
        persist_state="session",
        label_visibility="collapsed",
    )
    return chosen


def before(line: Line) -> None:
    """Show the empty chart with its floor, so that the slot is known before anything runs."""
    st.vega_lite_chart(
        curves.lines_frame([line]),
        SPECS["accuracy"],
        height=big_screen.scaled(CHART_HEIGHT),
        width="stretch",
        key="chart_before",
        alt=f"Empty accuracy chart; always guessing the largest class reaches {line.value:.0f}%",
    )


def live(
    found: Record,
    wanted: View,
    expected: Sequence[Line] = (),
    recorded: Record | None = None,
    without: Collection[str] = (),
    mark: tuple[str, int] | None = None,
) -> None:
    """Show the curves so far; only data change from look to look, so nothing flickers.

    `expected` are lines to draw until the comparison has reported its own. A `recorded` comparison
    is drawn pale beneath, without some of its strategies. `mark`: the comparison and its last
    event, or what else decides all of this; what was made of it serves every viewer.
    """
    shown = found if found.started or recorded is None else recorded
    make = _frame if mark is None else _shared_frame
    for place, measure in _slots(shown, wanted):
        frame = make((mark, measure, tuple(sorted(without))), found, list(expected), recorded)
        with place:
            if measure != "accuracy" and frame.empty:
                _nothing(measure)
                continue
            st.vega_lite_chart(
                frame,
                SPECS[measure],
                height=big_screen.scaled(CHART_HEIGHT),
                width="stretch",
                key=f"chart_live_{measure}",
                alt=_described(found, measure, recorded),
            )


def _frame(
    of: tuple[tuple[str, int] | None, Measure, tuple[str, ...]],
    _found: Record,
    _expected: list[Line],
    _recorded: Record | None,
) -> pd.DataFrame:
    """Return what a measure's chart draws; all else belongs to the comparison that `of` names."""
    mark, measure, without = of
    frame = curves.live_frame(_found, measure)
    if _found.started is None and measure == "accuracy":
        frame = curves.lines_frame(_expected)
    if _recorded is not None and measure in ("accuracy", curves.change_measure(_recorded)):
        # A replay, which has no mark, shows a part of a recording, another one at every look.
        started = None if mark is None else _recorded.started
        pale = (
            curves.pale_frame(_recorded, measure, without)
            if started is None
            else _kept_pale(
                (started.dataset.fingerprint, started.command, measure, without), _recorded
            )
        )
        frame = pd.concat([frame, pale], ignore_index=True)
    return frame


@st.cache_data(max_entries=64, show_spinner=False)
def _kept_pale(of: tuple[str, str, Measure, tuple[str, ...]], _recorded: Record) -> pd.DataFrame:
    return curves.pale_frame(_recorded, of[-2], of[-1])


_shared_frame = st.cache_data(max_entries=64, show_spinner=False)(_frame)


def _described(found: Record, measure: Measure, recorded: Record | None) -> str:
    if recorded is None:
        return f"{curves.TITLES[measure]} by strategy while training"
    if found.started is None:
        return f"{curves.TITLES[measure]} by strategy, recorded earlier, not measured here"
    return f"{curves.TITLES[measure]} by strategy while training; pale what was recorded earlier"


def finished(found: Record, wanted: View) -> None:
    """Show the finished figure in the live chart's slot and height."""
    for place, measure in _slots(found, wanted):
        with place:
            if measure == "accuracy":
                figure = figures.accuracy_curves(found)
            else:
                figure = figures.forgetting_curves(found, measure)
            if not figure.data and not (measure == "accuracy" and found.started):
                _nothing(measure)
                continue
            plots.show(
                figure,
                key=f"chart_finished_{measure}",
                file=f"{measure}-while-training",
                alt=f"{curves.TITLES[measure]} by strategy, finished",
            )


def _slots(found: Record, wanted: View) -> list[tuple[DeltaGenerator, Measure]]:
    change = curves.change_measure(found)
    if wanted == "both":
        left, right = st.columns(2)
        return [(left, "accuracy"), (right, change)]
    return [(st.container(), "accuracy" if wanted == "accuracy" else change)]


def _nothing(measure: Measure) -> None:
    with st.container(
        height=big_screen.scaled(CHART_HEIGHT), vertical_alignment="center", border=True
    ):
        st.caption(_EMPTY[measure], text_alignment="center")


def legend(
    strategies: Iterable[Strategy], lines: Sequence[Line] = (), recorded: bool = False
) -> None:
    """Show which colour is which strategy, the reference lines with their values, what is pale."""
    drawn = {line.strategy for line in lines}
    entries = [
        _entry(curves.colour(s.name), marks.mark(s.name).dash, s.title)
        for s in strategies
        if s.name not in drawn
    ]
    entries += [_entry(line.colour, line.dash, f"{line.title} {line.value:.0f}%") for line in lines]
    if recorded:
        entries.append(_entry(f"rgba(128,128,128,{curves.PALE})", (), "Pale: recorded"))
    _listed(entries)


def signs(strategies: Iterable[Strategy]) -> None:
    """Show which sign is which strategy, for charts of points."""
    entries = [
        f'<span><span aria-hidden="true" style="color:{curves.colour(s.name)}">'
        f"{marks.mark(s.name).sign}</span> {escape(s.title)}</span>"
        for s in strategies
    ]
    _listed(entries)


def _listed(entries: Sequence[str]) -> None:
    st.html(
        '<div style="display:flex;flex-wrap:wrap;gap:2px 16px;font-size:0.85rem">'
        f"{''.join(entries)}</div>"
    )


def _entry(colour: str, dash: marks.Dash, text: str) -> str:
    return (
        '<span style="display:inline-flex;align-items:center;gap:6px">'
        f'<span style="width:30px;height:3px;background:{marks.css_line(colour, dash)}"></span>'
        f"{escape(text)}</span>"
    )
