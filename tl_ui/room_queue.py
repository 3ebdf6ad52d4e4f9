"""The room's queue as its teacher sees and steers it."""

from collections.abc import Mapping

import streamlit as st

from tl_core import waiting_time
from tl_core.store import Comparison, Limits, Store
from tl_core.wording import number_of
from tl_ui import current, identity, queue_place, theme
from tl_ui.widgets import flash, safe_label, show_flash

PLACE = "room_queue"
ROWS = 10
_SECONDS, _MOST = 2.0, "room_most"
_LIMITS = (1, 2, 3, 5, 0)


def section() -> None:
    """Show what runs and waits, with what can be done about it."""
    st.fragment(_look, run_every=_SECONDS)()


def _look() -> None:
    store = current.whole_store()
    _controls(store)
    show_flash(PLACE)
    running, waiting = queue_place.running(store), store.waiting()
    if not running and not waiting:
        st.info("Nothing runs and nothing waits.", icon=":material/hourglass_empty:")
        return
    names = _names(store)
    for job in running:
        _row(job, names, "running", "", waits=False)
    pages = max(1, -(-len(waiting) // ROWS))
    slot = st.container(gap="small")
    page = st.pagination(pages, key="room_queue_page") if pages > 1 else 1
    first = (page - 1) * ROWS
    starts = {} if store.held() else queue_place.starts()
    with slot:
        for number, job in enumerate(waiting[first : first + ROWS], first + 1):
            when = waiting_time.brief(starts.get(job.id))
            _row(job, names, f"place {number}", when, waits=True)


def _controls(store: Store) -> None:
    held, most = store.held(), store.limits().active_per_person
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if held:
            st.badge("paused", icon=":material/pause:", color="orange")
        st.button(
            "Continue the queue" if held else "Pause the queue",
            key="room_hold",
            icon=":material/play_arrow:" if held else ":material/pause:",
            help="What runs goes on; nothing that waits is started until you continue.",
            on_click=hold,
            args=(not held,),
        )
        st.session_state[_MOST] = most or 0
        st.selectbox(
            "Comparisons that one person may have under way",
            sorted({*_LIMITS, most or 0}, key=lambda one: one or 1000),
            format_func=lambda one: str(one) if one else "no limit",
            key=_MOST,
            on_change=lambda: limit(st.session_state[_MOST] or None),
            width=330,
        )


def _names(store: Store) -> Mapping[str, str]:
    """Return what to call the owner of a job: by nickname, and those who share one together."""
    people = {person.owner: person.name for person in store.people()}
    shared: dict[str, list[str]] = {}
    for job in store.list(limit=500, active=True):
        if job.leader:
            shared.setdefault(job.leader, []).append(people.get(job.owner, identity.TEACHER))
    together = {job: _together(names) for job, names in shared.items()}
    return people | together


def _together(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {number_of(len(names) - 1, 'other')}"


def _row(
    job: Comparison, names: Mapping[str, str], standing: str, when: str, *, waits: bool
) -> None:
    who = names.get(job.id) or names.get(job.owner) or identity.TEACHER
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key=f"room_row_{job.id}",
        border=True,
    ):
        with st.container(gap=None, width="stretch"):
            word = ":material/keyboard_double_arrow_up: front" if waits and job.front else standing
            st.markdown(f"**{word}** · {safe_label(who, 60)}{' · ' if when else ''}{when}")
            st.caption(_what(job))
        with st.container(horizontal=True, width="content", gap="small"):
            if waits and not job.front:
                st.button(
                    "To the front",
                    key=f"room_front_{job.id}",
                    icon=":material/keyboard_double_arrow_up:",
                    on_click=to_front,
                    args=(job.id, job.name),
                )
            st.button(
                "Cancel", key=f"room_cancel_{job.id}", on_click=cancel, args=(job.id, job.name)
            )


def _what(job: Comparison) -> str:
    kind = theme.KINDS.get(job.kind, job.kind)
    doing = "" if job.progress is None else f" · {safe_label(job.progress.message, 80)}"
    return f"{kind}: {safe_label(job.name, 80)}{doing}"


def hold(wanted: bool) -> None:
    """Pause or continue the queue, and say so."""
    current.whole_store().hold(wanted)
    said = "The queue is paused: what runs goes on." if wanted else "The queue goes on."
    icon = ":material/pause:" if wanted else ":material/play_arrow:"
    flash(said, icon, undo=lambda: current.whole_store().hold(not wanted), place=PLACE)


def limit(most: int | None) -> None:
    """Say how many comparisons one person may have under way; the earlier limit can come back."""
    store = current.whole_store()
    before = store.limits()
    store.set_limits(Limits(active_per_person=most, waiting_per_person=before.waiting_per_person))
    said = "as many comparisons as they like" if most is None else number_of(most, "comparison")
    flash(
        f"Everybody may now have {said} under way.",
        undo=lambda: store.set_limits(before),
        place=PLACE,
    )


def to_front(job: str, name: str) -> None:
    """Have a job start next, and say so."""
    store = current.whole_store()
    store.to_front(job)
    flash(
        f"{safe_label(name, 80)} is next.",
        ":material/keyboard_double_arrow_up:",
        undo=lambda: store.back_in_line(job),
        place=PLACE,
    )


def cancel(job: str, name: str) -> None:
    """Cancel a job, and say so; its owner can continue it from the history."""
    current.whole_store().request_cancel(job)
    flash(
        f"{safe_label(name, 80)} is cancelled. Its owner can continue it from the history.",
        ":material/cancel:",
        place=PLACE,
    )
