"""Where a waiting job stands in the queue, and when it will start, in words."""

import time

import streamlit as st

from tl_core import job_time, waiting_time
from tl_core.home import home
from tl_core.job_time import Planned
from tl_core.leases import SLICE_SECONDS
from tl_core.store import Comparison, Store
from tl_core.waiting_time import Work
from tl_ui import current

# Everybody's waiting view asks for the same answer: it is worked out this often, in seconds.
KEPT_SECONDS = 2.0
# Jobs of a kind that are looked at to say how long it takes.
LOOK_BACK = 20


def words(job: Comparison) -> str:
    """Return the place of a waiting job and its estimated start; nothing in it is user text."""
    place = current.store().position(job.id)
    if place is None:  # it has just left the queue
        return "Starting"
    held = current.whole_store().held()
    return waiting_time.said(place, starts().get(job.leader or job.id), held=held)


def brief(job: Comparison) -> str:
    """Return when a waiting job starts in a few words, empty where nobody knows."""
    if current.whole_store().held():
        return "queue paused"
    return waiting_time.brief(starts().get(job.leader or job.id))


def starts() -> dict[str, float | None]:
    """Return in how many seconds each job of the queue starts, None where nobody knows."""
    return _starts(str(home()))


@st.cache_data(ttl=KEPT_SECONDS, max_entries=4, show_spinner=False)
def _starts(data: str) -> dict[str, float | None]:
    store = current.whole_store()
    waiting = store.waiting()
    if not waiting:
        return {}
    return waiting_time.starts(
        [_work(job) for job in running(store)],
        [_work(job) for job in waiting],
        slice_seconds=SLICE_SECONDS,
        most_at_once=store.limits().active_per_person,
    )


def running(store: Store) -> list[Comparison]:
    """Return the jobs that run, each once: of jobs that follow another, that other one."""
    found: dict[str, Comparison] = {}
    for job in store.list(limit=500, active=True):
        led = store.get(job.leader) if job.leader else job
        if led is not None and led.status == "running":
            found[led.id] = led
    return list(found.values())


def _work(job: Comparison) -> Work:
    plan = _planned(str(home()), job.id, job)
    slice_now = time.time() - job.slice_started if job.slice_started else 0.0
    left = waiting_time.expected(plan.seconds, job.seconds + slice_now)
    return Work(job.id, job.owner, left, plan.run, slice_now)


# Only numbers are kept, and nothing of what they are of: it may be anybody's.
@st.cache_data(ttl=120.0, max_entries=512, show_spinner=False)
def _planned(data: str, job: str, _job: Comparison) -> Planned:
    store = current.whole_store()
    plan = job_time.planned(_job, store.device(), store.speeds())
    if plan.seconds is None and _job.kind not in ("compare", "sweep"):
        return job_time.of_kind(store.list(limit=LOOK_BACK, kind=_job.kind))
    return plan
