"""A sweep while it waits or runs: its points appear as they are measured."""

import streamlit as st

from tl_core import sweep_chart
from tl_core.remaining import current as current_run
from tl_core.store import Comparison
from tl_core.strategies import Strategy
from tl_core.sweep import Sweep
from tl_core.sweep_measures import SweepMeasure, measures
from tl_core.sweep_points import SWEEPS
from tl_core.swept import Swept
from tl_core.wording import duration
from tl_ui import big_screen, chart, current, live, queue_place, sweep_jobs
from tl_ui.sweep_jobs import FollowedSweep
from tl_ui.widgets import safe_label

HEIGHT = 400
NAMES: dict[SweepMeasure, str] = {
    "accuracy": "Accuracy",
    "forgetting": "Forgetting",
    "drift": "Drift",
    "seconds": "Seconds",
}


def show(job: Comparison) -> None:
    """Show a sweep until it ends; then the page is drawn anew."""
    every = live.RUNNING_SECONDS if job.status == "running" else live.QUEUED_SECONDS
    st.fragment(_look, run_every=every)(job.id, job.status)


def _look(job_id: str, status: str) -> None:
    job = current.store().get(job_id)
    if job is None or job.status != status:
        st.rerun()  # the interval, and what there is to show, belong to the whole page
    sweep = sweep_jobs.sweep_of(job)
    assert sweep is not None
    followed = sweep_jobs.follow(job_id)
    st.header(SWEEPS[sweep.name].question, anchor=False)
    _controls(job)
    _progress(job, sweep, followed.found)
    measure = choose_measure(measures(followed.frame) if len(followed.frame) else ["accuracy"])
    _chart(sweep, followed, measure)
    chart.legend(strategies(sweep))
    st.caption(
        "Dots are test images with their 95% intervals, drawn as soon as a strategy has finished "
        "at a point. You may leave this page: it goes on, and the address leads back."
    )
    notes(followed.found)


def notes(found: Swept) -> None:
    """Say what was left out of a sweep, and how it was run."""
    said = found.sweep.notes if found.sweep is not None else ()
    if said:
        st.caption(" ".join(safe_label(note, 300) for note in said))


def unit(sweep: Sweep, label: str) -> str:
    """Return what follows a label: a unit where it counts something, nothing after a name."""
    found = SWEEPS[sweep.name].unit
    return f" {found}" if found and (label[:1].isdigit() or label == "all") else ""


def strategies(sweep: Sweep) -> list[Strategy]:
    """Return all strategies of a sweep, each once."""
    found = {s.name: s for point in sweep.points for s in point.config.strategies}
    return list(found.values())


def choose_measure(known: list[SweepMeasure]) -> SweepMeasure:
    """Show what the chart can measure and return what is wanted; it stays when a sweep ends."""
    chosen: SweepMeasure = st.segmented_control(
        "Chart",
        known,
        default=known[0],
        required=True,
        format_func=NAMES.__getitem__,
        key=f"sweep_measure_{'_'.join(known)}",
        persist_state="session",
        label_visibility="collapsed",
    )
    return chosen


def _chart(sweep: Sweep, followed: FollowedSweep, measure: SweepMeasure) -> None:
    axis = SWEEPS[sweep.name].axis
    st.vega_lite_chart(
        sweep_chart.sweep_data(followed.frame, measure),
        sweep_chart.sweep_spec(sweep, measure, axis),
        height=big_screen.scaled(HEIGHT),
        width="stretch",
        key=f"sweep_live_{measure}",
        alt=f"{NAMES[measure]} over {axis}, so far",
    )


def _controls(job: Comparison) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        live.status(job, "Stops the sweep. What is measured is kept, and Go on takes it up again.")


def _progress(job: Comparison, sweep: Sweep, found: Swept) -> None:
    if job.status == "queued":
        st.progress(0.0, text=queue_place.words(job))
        return
    share = sweep_jobs.share(found, len(sweep.points))
    st.progress(share, text=_doing(job, sweep, found))
    st.caption(f"{duration(round(live.elapsed(job)))} so far")


def _doing(job: Comparison, sweep: Sweep, found: Swept) -> str:
    if found.place is None:
        return safe_label(job.progress.message if job.progress else "Starting")
    # The first of them, while another may have begun: a name that changes to and fro says less.
    place = min(sweep_jobs.unfinished(found), default=found.place)
    point, record = sweep.points[place], found.records[place]
    label = f"{safe_label(point.label, 80)}{unit(sweep, point.label)}"
    said = f"Point {place + 1} of {len(sweep.points)}: {label}"
    run_id = current_run(record) if record.runs else None
    if run_id is None:
        return said
    run = record.runs[run_id].run
    return f"{said} · {safe_label(run.strategy.title)}, seed {run.seed + 1}"
