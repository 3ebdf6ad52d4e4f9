"""Who is in the room, and what each has under way."""

import time
from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from tl_core.store import Comparison, Person, StoreError
from tl_core.wording import duration, number_of
from tl_ui import big_screen, current
from tl_ui.widgets import flash, plain_label, safe_label, show_flash

PLACE = "room_people"
# Whoever was not seen for so many seconds has probably closed the page.
HERE_SECONDS = 90.0
_SECONDS, _CHOSEN = 5.0, "room_person"


def section() -> None:
    """Show everybody, and a way to remove what somebody has waiting."""
    st.fragment(_look, run_every=_SECONDS)()


def _look() -> None:
    store = current.whole_store()
    people = store.people()
    if not people:
        st.info("Nobody has come in yet.", icon=":material/group:")
        return
    active = store.list(limit=500, active=True)
    here = sum(time.time() - person.seen < HERE_SECONDS for person in people)
    st.caption(f"{number_of(len(people), 'person', 'people')} came in, {here} seen just now")
    _table(people, active)
    _remove(people, [job for job in active if job.status == "queued"])
    show_flash(PLACE)


def _table(people: Sequence[Person], active: Sequence[Comparison]) -> None:
    jobs = Counter(job.owner for job in active)
    lines = [
        {
            "Nickname": plain_label(person.name, 40),
            "Last seen": _ago(time.time() - person.seen),
            "Under way": jobs[person.owner],
        }
        for person in sorted(people, key=lambda one: one.name.casefold())
    ]
    st.dataframe(
        pd.DataFrame(lines),
        hide_index=True,
        height=big_screen.scaled(min(38 + 35 * len(lines), 320)),
        alt="People of the room: nickname, when last seen, jobs under way",
    )


def _ago(seconds: float) -> str:
    return "just now" if seconds < HERE_SECONDS else f"{duration(seconds)} ago"


def _remove(people: Sequence[Person], waiting: Sequence[Comparison]) -> None:
    counts = Counter(job.owner for job in waiting)
    names = {person.owner: person.name for person in people if counts[person.owner]}
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        owner = st.selectbox(
            "Jobs that wait",
            list(names),
            format_func=lambda one: f"{plain_label(names[one], 40)}: {counts[one]}",
            key=_CHOSEN,
            width=300,
        )
        st.button(
            "Remove them",
            key="room_remove",
            icon=":material/playlist_remove:",
            on_click=remove,
            args=(owner, names[owner]),
        )


def remove(owner: str, name: str) -> None:
    """Cancel what a person has waiting, and say how many; they can be put back."""
    store = current.whole_store()
    gone = [job.id for job in store.list(500, owner=owner, active=True) if job.status == "queued"]
    for job in gone:
        store.request_cancel(job)

    def back() -> None:
        try:
            for job in gone:
                store.resume(job)
        except StoreError as error:
            flash(safe_label(error, 400), ":material/error:", place=PLACE)

    flash(
        f"{number_of(len(gone), 'waiting job')} of {safe_label(name)} removed.",
        ":material/playlist_remove:",
        undo=back,
        place=PLACE,
    )
