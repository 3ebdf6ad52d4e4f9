"""A question as part of a page: a button that asks it, its progress, and at last its answer."""

from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st

from tl_core.answers import AnyAnswer, Question
from tl_core.config import ComparisonConfig, content_hash
from tl_core.events import Answered
from tl_core.evidence import LOOK_BACK
from tl_core.store import Comparison, StoreError
from tl_ui import current, queue_place
from tl_ui.widgets import flash, problem, safe_label


def answer(
    kind: Question,
    config: ComparisonConfig,
    request: Mapping[str, Any] | None = None,
    *,
    label: str,
    help: str,
    primary: bool = False,
    at_once: bool = False,
) -> AnyAnswer | None:
    """Return the answer to a question about these data and this model, if there is one.

    Until then shows the button that asks it, or how far it has come; `at_once` asks without being
    pressed. An answer stays on this machine: the same question is not computed again.
    """
    job = latest(kind, config, request or {})
    if job is None and at_once and not _cancelled(kind, config, request or {}):
        ask(kind, config, dict(request or {}), label)
        job = latest(kind, config, request or {})
    if job is not None and job.status == "done":
        found = answered(job.id)
        if found is not None:
            return found
    if job is not None and job.active:
        st.fragment(_progress, run_every=1.0)(job.id)
        return None
    if job is not None and job.status == "failed":
        problem(job.reason)
    lacks = not config.weights_sha256
    st.button(
        label,
        key=f"ask_{kind}_{_same(config, request or {})[:12]}",
        type="primary" if primary else "secondary",
        icon=":material/search_insights:",
        help="The model's weights are not on this machine yet." if lacks else help,
        disabled=lacks,
        on_click=ask,
        args=(kind, config, dict(request or {}), label),
    )
    return None


def latest(
    kind: Question, config: ComparisonConfig, request: Mapping[str, Any]
) -> Comparison | None:
    """Return the newest job that asks just this, however it stands; a cancelled one is none."""
    jobs = _jobs(kind, config, request)
    return next((job for job in jobs if job.status != "cancelled"), None)


def _cancelled(kind: Question, config: ComparisonConfig, request: Mapping[str, Any]) -> bool:
    """Return whether this was asked for and then cancelled: it is not begun again unasked."""
    return next(_jobs(kind, config, request), None) is not None


def _jobs(
    kind: Question, config: ComparisonConfig, request: Mapping[str, Any]
) -> Iterator[Comparison]:
    """Yield the jobs that ask just this, newest first."""
    wanted = _same(config, request)
    for job in current.store().list(limit=LOOK_BACK, kind=kind):
        if job.config is not None and _same(job.config, job.request) == wanted:
            yield job


@st.cache_data(max_entries=64, show_spinner=False)
def answered(job: str) -> AnyAnswer | None:
    """Return the answer that a finished job gave."""
    events = current.store().events(job)
    return next((event.answer for _, event in events if isinstance(event, Answered)), None)


def _same(config: ComparisonConfig, request: Mapping[str, Any]) -> str:
    """Return a hash of what decides an answer."""
    data = (config.data.fingerprint, config.data.probe)
    model = (config.backbone, config.weights_sha256)
    return content_hash(data, model, config.class_map, config.device, dict(request))


def ask(kind: Question, config: ComparisonConfig, request: dict[str, Any], name: str) -> None:
    """Queue a question under a name; a full queue is told as a notice."""
    try:
        current.store().create(config, f"{name}: {config.data.name}", kind=kind, request=request)
    except StoreError as error:
        flash(safe_label(error, 400), ":material/error:")


def _progress(job_id: str) -> None:
    """Show how far a question has come; when it ended, the whole page shows what is true then."""
    store = current.store()
    job = store.get(job_id)
    if job is None or not job.active:
        st.rerun()
    waits = queue_place.words(job) if job.status == "queued" else "Starting"
    progress = job.progress
    share = (progress.fraction if progress else None) or 0.0
    st.progress(share, text=safe_label(progress.message if progress else waits))
    st.button("Cancel", key=f"cancel_{job.id[:8]}", on_click=store.request_cancel, args=(job.id,))
