"""The Lab while a comparison waits or runs: progress, cards and curves, looked at regularly."""

import time

import streamlit as st

from tl_core import curves, estimate, remaining
from tl_core.catalog import Model, catalog
from tl_core.record import Record
from tl_core.store import Comparison
from tl_core.strategies import Strategy
from tl_core.wording import duration, number_of
from tl_ui import chart, current, follow, launch, queue_place, recorded, scoreboard, theme
from tl_ui.lab_setup import COLUMNS, majority
from tl_ui.recorded import Recorded
from tl_ui.widgets import safe_label

RUNNING_SECONDS, QUEUED_SECONDS = 1.5, 2.0
_PAUSE = "live_paused"


def show(job: Comparison) -> None:
    """Show a waiting or running comparison until it ends; then the page is drawn anew."""
    every = RUNNING_SECONDS if job.status == "running" else QUEUED_SECONDS
    paused = bool(st.session_state.get(_PAUSE))
    st.fragment(_look, run_every=None if paused else every)(job.id, job.status)


def _look(job_id: str, status: str) -> None:
    job = current.store().get(job_id)
    if job is None or job.status != status:
        st.rerun()  # the interval, and what there is to show, belong to the whole page
    followed = follow.follow(job_id)
    found, row = followed.found, _row(job)
    title = number_of(len(_strategies(job)), "strategy", "strategies")
    verb = "Comparing" if job.status == "running" else "Waiting to compare"
    st.header(f"{verb} {title} on {safe_label(_data_name(job), 60)}", anchor=False)
    _controls(job)
    earlier = recorded.of_job(job.config)
    left, right = st.columns(COLUMNS, gap="medium")
    with left:
        _progress(job, found)
        cards = st.container()
    with right:
        _curves(job, found, earlier, followed.after)
    below = earlier.followed if earlier else None
    with st.container() if scoreboard.stands_below(len(_strategies(job))) else cards:
        if found.started is None:
            scoreboard.waiting(_strategies(job), row, below)
        else:
            scoreboard.show(found, followed.rows, row, below)


def _curves(job: Comparison, found: Record, earlier: Recorded | None, after: int) -> None:
    below = earlier.followed.found if earlier else None
    wanted = chart.view(found if found.started or below is None else below)
    lines = curves.reference_lines(found, "accuracy") or _expected(job)
    known = {strategy.name for strategy in below.strategies} if below else set()
    pale = (known & {strategy.name for strategy in _strategies(job)}) - curves.settled(found)
    chart.live(found, wanted, lines, below, known - pale, (job.id, after))
    chart.legend(_strategies(job), lines, recorded=bool(pale))
    if earlier is not None and pale:
        st.caption(
            f":material/history: Pale: {earlier.label}. Each strategy's own numbers take its "
            "place as they come."
        )
    if st.session_state.get(_PAUSE):
        st.caption(":material/pause: Updates are paused; the training goes on.")
    st.caption(
        "Curves show validation images while training; the result is measured afterwards on test "
        "images that nothing was chosen on. Dashed: strategies without a training loop."
    )


def _expected(job: Comparison) -> list[curves.Line]:
    """Return the floor as the data set has it, before the comparison reports its own."""
    data = current.load(job.config.data.fingerprint) if job.config else None
    return [curves.floor(majority(data, job.config.seeds))] if data and job.config else []


def _row(job: Comparison) -> Model | None:
    return catalog().get(job.config.backbone) if job.config else None


def _strategies(job: Comparison) -> tuple[Strategy, ...]:
    return job.config.strategies if job.config else ()


def _data_name(job: Comparison) -> str:
    return job.config.data.name if job.config else job.name


def _progress(job: Comparison, found: Record) -> None:
    """Say what is happening, which run of how many, how long so far and to go."""
    if job.status == "queued":
        st.progress(0.0, text=queue_place.words(job))
        notice = current.store().notice()
        st.caption(
            safe_label(notice, 300) if notice else "It starts by itself. You may leave this page."
        )
        return
    if found.started is None:
        said = job.progress.message if job.progress else "Starting the training process"
        st.progress(job.progress.fraction or 0.0 if job.progress else 0.0, text=safe_label(said))
        st.caption(_times(job, found, None))
        return
    over = len(found.ended) + len(found.failed)
    planned = max(found.started.planned_runs, 1)
    run_id = remaining.current(found)
    share = 0.0
    said = "Preparing the next run"
    if run_id is not None:
        run = found.runs[run_id].run
        share = max(found.curves.get(run_id, {}), default=0) / max(run.steps, 1)
        said = f"{run.strategy.title}, seed {run.seed + 1} of {found.started.config.seeds}"
    if job.progress is not None and run_id is None:
        said = job.progress.message
    number = min(over + 1, planned)
    st.progress(
        min((over + share) / planned, 1.0), text=f"Run {number} of {planned}: {safe_label(said)}"
    )
    st.caption(_times(job, found, launch_plan(job, found)))


def launch_plan(job: Comparison, found: Record) -> estimate.Plan | None:
    """Return the plan of a comparison that has started."""
    if found.started is None or job.config is None:
        return None
    return launch.plan(job.config, estimate.counts_of(found.started))


def _times(job: Comparison, found: Record, planned: estimate.Plan | None) -> str:
    so_far = f"{duration(round(elapsed(job)))} so far"
    if planned is None:
        return so_far
    left = remaining.remaining_seconds(planned, found)
    to_go = "a few seconds" if left < 10 else f"about {duration(round(left))}"
    return f"{so_far} · {to_go} to go"


def elapsed(job: Comparison) -> float:
    """Return seconds of computing: of earlier slices, and since this one was first seen."""
    now = time.time()
    if job.attempts <= 1 and job.seconds == 0 and job.started is not None:
        return max(0.0, now - job.started)
    seen = st.session_state.setdefault("live_seen", {})
    return job.seconds + now - seen.setdefault((job.id, job.attempts, job.seconds), now)


def status(job: Comparison, help: str) -> None:
    """Show how a running job stands and what it is called, with the button that cancels it."""
    cancelling = current.store().cancel_requested(job.id)
    word, icon, colour = theme.STATUS[job.status]
    st.badge(word, icon=icon, color=colour)
    st.caption(safe_label(job.name), width="content")
    st.button(
        "Cancelling…" if cancelling else "Cancel",
        icon=":material/cancel:",
        key="live_cancel",
        disabled=cancelling,
        on_click=current.store().request_cancel,
        args=(job.id,),
        help=help,
    )


def _controls(job: Comparison) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        status(job, "Stops the training. What is finished is kept.")
        st.toggle(
            "Pause updates",
            key=_PAUSE,
            on_change=_rerun_all,
            help="Holds the view still, to zoom or read. The training goes on.",
        )
    if st.session_state.pop("_live_all", False):
        st.rerun()


def _rerun_all() -> None:
    # The interval is part of the fragment's registration: only the whole page can change it.
    st.session_state["_live_all"] = True
