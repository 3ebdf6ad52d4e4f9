"""A sweep that has ended: its curve, what it says, its table, and what stands behind each point."""

from typing import Any

import pandas as pd
import streamlit as st

from tl_core import columns, figures, sweep_sentences
from tl_core.config import ComparisonConfig
from tl_core.learning_curve import LearningCurve
from tl_core.record import Record
from tl_core.store import Comparison
from tl_core.sweep import Sweep, SweepPoint
from tl_core.sweep_line import sweep_line
from tl_core.sweep_measures import measures
from tl_core.sweep_points import SWEEPS
from tl_core.swept import Swept
from tl_core.wording import duration
from tl_ui import (
    big_screen,
    chart,
    current,
    launch,
    plots,
    range_view,
    strategy_table,
    sweep_jobs,
    sweep_live,
    sweep_table,
    theme,
)
from tl_ui.follow import Followed, bring_up
from tl_ui.sweep_jobs import FollowedSweep
from tl_ui.widgets import plain_label, safe_label

_OPENED = "sweep_opened"


def show(job: Comparison) -> None:
    """Show a sweep, however it ended."""
    opened = st.session_state.pop(_OPENED, None)
    if opened is not None:
        st.switch_page(theme.LAB, query_params={"job": opened})
    sweep = sweep_jobs.sweep_of(job)
    assert sweep is not None and job.config is not None
    followed = sweep_jobs.follow(job.id)
    st.header(SWEEPS[sweep.name].question, anchor=False)
    _head(job)
    frame = followed.frame
    if frame.empty:
        st.info("Nothing was measured before it ended.", icon=":material/info:")
        return
    key = f"{job.id} {followed.after}"
    lines = _sentences(key, followed.found, job.config)
    st.markdown("\n".join(f"- {safe_label(line, 700)}" for line in lines))
    unstable = sweep_sentences.unstable_from(followed.found)
    _chart(job, sweep, frame, _curves(key, followed.found), unstable)
    chart.signs(sweep_live.strategies(sweep))
    st.caption(_reading(sweep))
    sweep_live.notes(followed.found)
    _point(job, sweep, followed)
    with st.expander("All numbers", icon=":material/table:"):
        sweep_table.show(job, frame)
        st.caption("The command that gives the same numbers:")
        st.code(sweep_line(sweep, job.config), language="bash", wrap_lines=True)


def _head(job: Comparison) -> None:
    word, icon, colour = theme.STATUS[job.status]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(word, icon=icon, color=colour)
        if job.status != "done":
            st.badge("partial results", icon=":material/incomplete_circle:", color="orange")
        st.caption(f"{safe_label(job.name)} · {duration(job.seconds)}", width="content")
        if job.status != "done":
            st.button(
                "Go on",
                type="primary",
                icon=":material/play_arrow:",
                on_click=sweep_jobs.resume,
                args=(job.id,),
                help="Goes on where it stopped; what is measured is taken over.",
            )
        st.button("Another question", icon=":material/add:", on_click=launch.leave)
    if job.reason:
        st.error(safe_label(job.reason, 600), icon=":material/error:")


@st.cache_data(max_entries=16, show_spinner="Fitting the curves")
def _curves(key: str, _found: Swept) -> list[LearningCurve]:
    return sweep_sentences.curves_of(_found)


@st.cache_data(max_entries=16, show_spinner="Comparing the points image by image")
def _sentences(key: str, _found: Swept, _base: ComparisonConfig) -> list[str]:
    return sweep_sentences.said(_found, _base)


def _chart(
    job: Comparison,
    sweep: Sweep,
    frame: pd.DataFrame,
    curves: list[LearningCurve],
    unstable: float | None,
) -> None:
    measure = sweep_live.choose_measure(measures(frame))
    figure = figures.sweep_figure(
        frame, sweep.name, measure, SWEEPS[sweep.name].axis, curves, unstable
    )
    key = f"sweep_chart_{job.id[:8]}_{measure}"
    plots.show(
        figure,
        key=key,
        file=f"what-if-{sweep.name}-{measure}",
        alt=figures.describe_sweep(frame, measure),
        on_select=lambda: _take(job, st.session_state[key]["selection"]["points"]),
        selection_mode="points",
    )


def _reading(sweep: Sweep) -> str:
    held = SWEEPS[sweep.name].held
    fit = ""
    if sweep.name == "labels":
        fit = " Lines are fitted power laws, drawn up to twice the largest measured size."
    return (
        f"Test images with 95% intervals; intervals that overlap do not say who wins, the paired "
        f"sentences above do.{fit} Held equal: {held} Click a point to see what it measured."
    )


def _take(job: Comparison, chosen: list[dict[str, Any]]) -> None:
    """Open the point that was clicked."""
    places = [point["customdata"][0] for point in chosen if point.get("customdata")]
    if places:
        st.session_state[_point_key(job)] = int(places[0])


def _point_key(job: Comparison) -> str:
    return f"sweep_point_{job.id[:8]}"


def _point(job: Comparison, sweep: Sweep, followed: FollowedSweep) -> None:
    """Let one point be looked into: all that it measured, and the way to the Lab."""
    there = [place for place, record in followed.found.records.items() if record.ended]
    place = st.pills(
        "What a point measured",
        sorted(there),
        format_func=lambda each: plain_label(sweep.points[each].label, 40),
        key=_point_key(job),
        wrap=True,
    )
    if place is None:
        return
    record, label = followed.found.records[place], sweep.points[place].label
    if sweep.points[place].config.rate_range is not None:
        range_view.section(record)
        return
    one = _brought_up(f"{job.id} {place} {len(record.ended)}", record)
    table = columns.frame(one.found, one.rows, one.said)
    st.dataframe(
        table,
        hide_index=True,
        column_config=strategy_table.header_config(one),
        height=big_screen.scaled(38 + 35 * len(table)),
        placeholder="–",
        key=f"sweep_table_{job.id}_{place}",
        alt=f"Strategy table of the point {plain_label(label, 60)}",
    )
    st.button(
        "Open in the Lab",
        key="sweep_open",
        icon=":material/experiment:",
        on_click=_open,
        args=(job, place, sweep.points[place]),
        help="As a comparison of its own, with every closer look. Its runs are finished: they are "
        "taken over.",
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _brought_up(key: str, _record: Record) -> Followed:
    return bring_up(Followed(_record))


def _open(job: Comparison, place: int, point: SweepPoint) -> None:
    """Make a point a comparison, the same one however often, for the Lab to show."""
    asked = {"point_of": [job.id, place]}
    jobs = current.store().list(limit=sweep_jobs.LOOK_BACK, kind="compare")
    known = next((one.id for one in jobs if one.request == asked), None)
    st.session_state[_OPENED] = known or launch.start(
        point.config, f"{job.name} {point.label}", request=asked
    )
    # The address is this page's until the other one is opened.
    st.query_params["job"] = job.id
