"""The front across everything that was measured on one data set, and the way to each point."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tl_core import figures, measured, pareto
from tl_core.config import DataConfig
from tl_core.measured import Measured, Source
from tl_core.pareto import Placed
from tl_core.record import Record, record
from tl_core.store import Comparison
from tl_core.swept import swept
from tl_core.wording import duration, number_of, points, spread
from tl_ui import chart, current, launch, plots, theme
from tl_ui.state import choice
from tl_ui.widgets import plain_label, safe_label

# The newest jobs that are looked through, and the points that a chart can hold.
_LOOK_BACK, _MOST = 40, 120

WORDS = {
    "front": "on the front",
    "dominated": "dominated",
    "alike": "not distinguishable",
    "apart": "stands apart",
}


def section(job: Comparison | None) -> None:
    """Show the front on a sweep's data, else on those that the Lab has chosen."""
    config = job.config if job is not None else None
    data = config.data if config is not None else launch.prepared(choice()).config.data
    st.subheader("Everything measured on these data", anchor=False)
    jobs = _jobs(data)
    found, placed = _front(tuple(one.id for one in jobs))
    if sum(one.change is not None for one in found) < 2:
        st.caption(
            "Here all comparisons and sweeps on these data stand in one chart: accuracy, "
            "forgetting and time. It needs two strategies with measured forgetting."
        )
        return
    _words(found, placed, len(jobs))
    key = "front_chart"
    plots.show(
        figures.front_figure(found, placed),
        key=key,
        file="everything-measured",
        alt=figures.describe_front(found, placed),
        on_select=lambda: _take(st.session_state[key]["selection"]["points"]),
        selection_mode="points",
    )
    strategies = {s.name: s for one in found for s in one.config.strategies}
    drawn = {one.strategy for one in found if one.change is not None}
    chart.signs([s for name, s in strategies.items() if name in drawn])
    st.caption(
        "Further up and left is better; marks grow with seconds of training. Strong: the front. "
        "Dominated: another is measurably better in accuracy or forgetting, measurably worse in "
        "neither and not slower, by paired 95% intervals where both tested the same images. Click "
        "a mark to open what it belongs to."
    )
    _opened(found)
    with st.expander("As a table, with a way to each", icon=":material/table:"):
        _table(found, placed)


def _jobs(data: DataConfig) -> list[Comparison]:
    """Return the finished jobs on a data set that measured forgetting on the same images."""
    store = current.store()
    jobs = [
        job
        for kind in ("compare", "sweep")
        for job in store.list(limit=_LOOK_BACK, kind=kind)
        if job.status == "done"
        and job.config is not None
        and (job.config.data.fingerprint, job.config.data.probe) == (data.fingerprint, data.probe)
    ]
    return sorted(jobs, key=lambda job: -job.created)


@st.cache_resource(max_entries=8, show_spinner="Holding everything against everything")
def _front(jobs: tuple[str, ...]) -> tuple[list[Measured], list[Placed]]:
    found = measured.everything(part for job in jobs for part in _records(job))[:_MOST]
    return found, pareto.placed(found)


def _records(job_id: str) -> list[tuple[Source, Record]]:
    """Return the comparison of a job, or those of a sweep's points."""
    store = current.store()
    job = store.get(job_id)
    if job is None:
        return []
    events = (event for _, event in store.events(job_id))
    if job.kind == "compare":
        return [(Source(job_id, None, plain_label(job.name, 60)), record(events))]
    found = swept(events)
    labels = [point.label for point in found.sweep.points] if found.sweep else []
    return [
        (Source(job_id, place, plain_label(f"{job.name} {labels[place]}", 80)), one)
        for place, one in found.records.items()
    ]


def _words(found: Sequence[Measured], placed: Sequence[Placed], jobs: int) -> None:
    counts = {word: sum(p.standing == word for p in placed) for word in WORDS}
    said = [
        f"**{counts['front']} of {len(found)}** stand on the front",
        f"{counts['dominated']} are dominated" if counts["dominated"] else "",
        f"{counts['alike']} cannot be told from something faster" if counts["alike"] else "",
        f"{counts['apart']} never had the source skill and stand apart" if counts["apart"] else "",
    ]
    total = number_of(jobs, "comparison or sweep", "comparisons and sweeps")
    st.markdown(f"{'; '.join(filter(None, said))} (from {total}).")


def _take(chosen: list[dict[str, Any]]) -> None:
    places = [point["customdata"][0] for point in chosen if point.get("customdata")]
    st.session_state["front_point"] = int(places[0]) if places else None


def _opened(found: Sequence[Measured]) -> None:
    """Say what was clicked, with the way to it."""
    place = st.session_state.get("front_point")
    if place is None or place >= len(found):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(_line(found[place]), width="content")
        _link(found[place], "Open")


def _line(one: Measured) -> str:
    change = one.change
    lost = "" if change is None else f", forgot {points(change.value)} points"
    setting = f" ({safe_label(one.differs, 200)})" if one.differs else ""
    return (
        f"**{safe_label(one.title)}**{setting}: {points(one.accuracy.value)}%{lost}, "
        f"{duration(one.seconds)}"
    )


def _link(one: Measured, label: str) -> None:
    page = theme.LAB if one.source.place is None else theme.WHAT_IF
    st.page_link(
        page,
        label=label,
        icon=":material/arrow_forward:",
        query_params={"job": one.source.job},
        help=safe_label(one.source.name, 120),
    )


def _table(measured_here: Sequence[Measured], places: Sequence[Placed]) -> None:
    """Show all of it, the front first; a ticked line leads to where it was measured."""
    words = list(WORDS)
    order = sorted(
        range(len(places)),
        key=lambda i: (words.index(places[i].standing), -measured_here[i].accuracy.value),
    )
    found, placed = [measured_here[i] for i in order], [places[i] for i in order]
    picked = st.dataframe(
        {
            "Strategy": [one.title for one in found],
            "Settings": [plain_label(one.differs, 200) if one.differs else None for one in found],
            "Standing": [_standing(measured_here, stands) for stands in placed],
            "Accuracy (%)": [_told(one.accuracy) for one in found],
            "Forgetting (points)": [_told(one.change) if one.change else None for one in found],
            "Seconds": [round(one.seconds, 1) for one in found],
            "Measured in": [one.source.name for one in found],
        },
        hide_index=True,
        height=38 + 35 * min(len(found), 14),
        column_config={"Strategy": st.column_config.TextColumn(pinned=True)},
        placeholder="–",
        key="front_table",
        on_select="rerun",
        selection_mode="single-row",
        alt="Everything measured on these data: standing, accuracy, forgetting, seconds",
    )
    rows = [place for place in picked.selection.rows if place < len(found)]
    if not rows:
        st.caption("Tick a line to open the comparison or sweep that it belongs to.")
        return
    _link(found[rows[0]], f"Open {safe_label(found[rows[0]].source.name, 80)}")


def _told(interval: Any) -> str:
    return f"{points(interval.value)} ({spread(interval.low, interval.high)})"


def _standing(found: Sequence[Measured], stands: Placed) -> str:
    word = WORDS[stands.standing]
    if not stands.by:
        return word
    other = found[stands.by[0]]
    more = f" and {len(stands.by) - 1} more" if len(stands.by) > 1 else ""
    name = f"{other.title}{f' ({other.differs})' if other.differs else ''}"
    link = "by" if stands.standing == "dominated" else "from"
    return plain_label(f"{word} {link} {name}{more}", 200)
