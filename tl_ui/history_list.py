"""The list of comparisons: a page of rows, and what can be done with each."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from tl_core import deletion, summaries
from tl_core.catalog import catalog
from tl_core.store import Comparison, StoreError
from tl_core.summaries import Summary
from tl_core.wording import duration, megabytes, number_of, percent
from tl_ui import current, queue_place, theme
from tl_ui.widgets import flash, plain_label, safe_label

ROWS_PER_PAGE = 12
MOST = 5000
FILL_SECONDS = 0.2


def section() -> None:
    """Show the comparisons, newest first, a page at a time."""
    jobs = current.store().list(limit=MOST, kind="compare")
    if not jobs:
        st.info("Nothing has been compared yet. The first comparison will be listed here.")
        st.page_link(theme.LAB, label="Go to the Lab", icon=":material/experiment:")
        return
    shown = _filtered(jobs)
    pages = max(1, -(-len(shown) // ROWS_PER_PAGE))
    slot = st.container()
    page = st.pagination(pages, key="history_page") if pages > 1 else 1
    start = (page - 1) * ROWS_PER_PAGE
    with slot:
        visible = shown[start : start + ROWS_PER_PAGE]
        sizes = current.store().bytes_of([job.id for job in visible])
        results = [_row(job, sizes[job.id]) for job in visible]
    _fill([(j, r) for j, r in zip(visible, results, strict=True) if j.status == "done"])


def _fill(shown: Sequence[tuple[Comparison, Any]]) -> None:
    """Work out what is not known yet, after every row is on the screen.

    Intervals take a moment, once for each comparison: a few at a time, so that no click has to
    wait for a page full of them.
    """
    started, kept = time.monotonic(), False
    for job, result in shown:
        if summaries.known(job) is None:
            # Where nothing can be kept, the next run would not get any further.
            if kept and time.monotonic() - started > FILL_SECONDS:
                st.rerun()
            _show_result(result, summaries.compute(current.store(), job))
            kept = summaries.known(job) is not None


def _filtered(jobs: Sequence[Comparison]) -> list[Comparison]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(
            "Search",
            key="history_search",
            placeholder="name, data or model",
            icon=":material/search:",
            type="search",
        )
        statuses = st.pills(
            "Status",
            list(theme.STATUS),
            selection_mode="multi",
            format_func=lambda status: theme.STATUS[status][0],
            key="history_status",
        )
    found = [job for job in jobs if matches(job, wanted or "", statuses)]
    taken = megabytes(_taken(current.store().owner, jobs[0].id, len(jobs), jobs))
    st.caption(f"{len(found):,} of {number_of(len(jobs), 'comparison')}, {taken} in all")
    return found


@st.cache_data(show_spinner=False, max_entries=32, ttl=60)
def _taken(owner: str, newest: str, count: int, _jobs: Sequence[Comparison]) -> int:
    """Return what the results of these comparisons take; going through thousands takes a moment."""
    return sum(current.store().bytes_of([job.id for job in _jobs]).values())


def matches(job: Comparison, wanted: str, statuses: Sequence[str] = ()) -> bool:
    """Return whether a job has every word that is searched for, and one of the statuses."""
    text = f"{job.name} {_data(job)} {_model(job)}".casefold()
    return all(word in text for word in wanted.casefold().split()) and (
        not statuses or job.status in statuses
    )


def _data(job: Comparison) -> str:
    return job.config.data.name if job.config else "configuration of another version"


def _model(job: Comparison) -> str:
    if job.config is None:
        return "unknown model"
    row = catalog().get(job.config.backbone)
    return row.title if row else job.config.backbone


def _row(job: Comparison, size: int) -> Any:
    """Show one comparison; return the slot of its result."""
    word, icon, colour = theme.STATUS[job.status]
    with st.container(border=True, key=f"row_{job.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(
                theme.LAB,
                label=f"**{safe_label(job.name, 80)}**",
                query_params={"job": job.id},
                icon=":material/arrow_forward:",
                width="stretch",
                help="Open this comparison in the Lab",
            )
            if job.config is not None and job.config.data.fingerprint in current.superseded():
                st.badge(
                    theme.STALE, icon=":material/history:", color="orange", help=theme.STALE_HELP
                )
            st.badge(word, icon=icon, color=colour)
            _actions(job)
        result = st.empty()
        if job.status == "done":
            _show_result(result, summaries.known(job))
        elif job.status == "failed":
            result.markdown(safe_label(job.reason, 400))
        elif job.active:
            with result.container():
                st.fragment(_progress, run_every=2.0)(job.id, job.status)
        st.caption(_facts(job, size))
    return result


def _progress(job_id: str, status: str) -> None:
    """Show how far an active job is; a change of its status concerns the whole page."""
    job = current.store().get(job_id)
    if job is None or job.status != status:
        st.rerun()
    if job.status == "queued":
        st.markdown(queue_place.words(job))
    elif job.progress is not None:
        st.progress(job.progress.fraction or 0.0, text=safe_label(job.progress.message))
    else:
        st.markdown("Running")


def _show_result(slot: Any, summary: Summary | None) -> None:
    if summary is None:
        slot.markdown("Reading the result …")
    elif summary.strategy is None:
        slot.markdown("No recommendation: fewer than two strategies were measured.")
    else:
        slot.markdown(
            f"Recommended: **{safe_label(summary.strategy)}**, {percent(summary.accuracy)} "
            f"({percent(summary.low)} to {percent(summary.high)})"
        )


def _facts(job: Comparison, size: int) -> str:
    parts = [safe_label(_data(job), 60), safe_label(_model(job), 60)]
    if job.config is not None:
        parts.append(number_of(len(job.config.strategies), "strategy", "strategies"))
        steps = job.config.steps
        budget = job.config.budget if steps is None else number_of(steps, "step")
        parts.append(f"{budget}, {number_of(job.config.seeds, 'seed')}")
    parts.append(
        f"started {_when(job.started)}" if job.started else f"asked for {_when(job.created)}"
    )
    if job.seconds:
        parts.append(f"took {duration(job.seconds)}")
    parts.append(megabytes(size))
    return " · ".join(parts)


def _when(moment: float) -> str:
    """Return a local time; the year only where it is another one."""
    then = datetime.fromtimestamp(moment)
    year = "" if then.year == datetime.fromtimestamp(time.time()).year else " %Y"
    return then.strftime(f"%d %b{year}, %H:%M")


def _actions(job: Comparison) -> None:
    store = current.store()
    if job.active:
        st.button("Cancel", key=f"cancel_{job.id}", on_click=store.request_cancel, args=(job.id,))
    elif job.status in ("failed", "cancelled"):
        st.button(
            "Continue",
            key=f"resume_{job.id}",
            icon=":material/play_arrow:",
            help="Goes on where it stopped: finished trainings are kept.",
            on_click=_resume,
            args=(job,),
        )
    with st.popover("More", help="Rename or delete", type="tertiary"):
        st.text_input(
            "Name",
            value=plain_label(job.name),
            key=f"rename_{job.id}",
            max_chars=120,
            on_change=_rename,
            args=(job,),
        )
        st.button(
            "Delete for good",
            key=f"delete_{job.id}",
            icon=":material/delete:",
            disabled=job.status == "running",
            on_click=_delete,
            args=(job,),
        )
        st.caption(
            "It is running: cancel it first."
            if job.status == "running"
            else "Its results and models are lost, and their room on the disk is free again; data "
            "sets and weights stay."
        )


def _resume(job: Comparison) -> None:
    try:
        current.store().resume(job.id)
    except StoreError as error:
        flash(safe_label(error, 500), ":material/error:")
    else:
        flash(f"{safe_label(job.name)} is in the queue again.")


def _rename(job: Comparison) -> None:
    name = plain_label(st.session_state[f"rename_{job.id}"])
    if not name or name == job.name:
        return
    current.store().rename(job.id, name)
    flash(
        f"Renamed to {safe_label(name)}.",
        undo=lambda: current.store().rename(job.id, job.name),
    )


def _delete(job: Comparison) -> None:
    try:
        deletion.delete_job(current.store(), job.id)
    except StoreError as error:
        flash(safe_label(error, 500), ":material/error:")
    else:
        flash(f"{safe_label(job.name)} is deleted.", ":material/delete:")
