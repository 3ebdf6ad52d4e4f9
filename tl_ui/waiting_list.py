"""What waits, class by class: counts, pictures, renaming, removing, and making a data set of it."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from tl_core.ingest import BadInput, WaitingRoom
from tl_core.ingest.waiting import Waiting
from tl_core.intake import asking
from tl_core.intake.messages import Collected
from tl_core.wording import number_of
from tl_ui import handing_in, staging
from tl_ui.widgets import flash, listed, plain_label, safe_label, show_flash

_SHOWN, _WIDTH = 4, 56
_FAULT, _PLACE = "class_fault", "waiting"

Make = Callable[[Collected], None]


def section(make: Make) -> None:
    """Show the classes with their pictures; `make` has a data set made of them."""
    room = staging.room()
    show_flash(_PLACE)
    for label in list(room.classes):
        with st.container(border=True, gap="small"):
            _class(room, label)
    if room.refused:
        lines = [f"{file.name}: {file.reason}" for file in room.refused]
        listed("Files that were not taken", lines)
    _make(room, make)


def counts(room: WaitingRoom, label: str) -> str:
    """Return how many pictures of a class there are, as plain text."""
    found = room.bursts(label)
    loose = len(found.pop(0, []))
    taken = sum(map(len, found.values()))
    parts = [f"{number_of(taken, 'picture')} in {number_of(len(found), 'burst')}"] if found else []
    parts += [number_of(loose, "file")] if loose else []
    return ", ".join(parts) or "no pictures yet"


def say_fault() -> None:
    """Show why a name of a class was not taken, once."""
    fault = st.session_state.pop(_FAULT, None)
    if fault:
        st.caption(f":material/error: {safe_label(fault, 300)}")


def attempt(change: Callable[[], object]) -> None:
    """Change the classes, or keep the reason why not for `say_fault`."""
    try:
        change()
    except BadInput as error:
        st.session_state[_FAULT] = str(error)


def take_files(label: str, files: Sequence[Any]) -> None:
    """Copy uploads to disk as pictures of a class, and say how many were taken."""
    room = staging.room()

    def take() -> None:
        pairs = [(file.name, file) for file in files]
        taken = room.take_files(label, pairs, asking.keep_files)
        left = len(files) - taken
        more = f"; {number_of(left, 'other file')} left out" if left else ""
        flash(f"{safe_label(label)}: {number_of(taken, 'picture')} added{more}.", place=_PLACE)

    with st.spinner("Copying the files"):
        attempt(take)
    handing_in.release(files)


def _class(room: WaitingRoom, label: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{safe_label(label)}**: {counts(room, label)}", width="content")
        with st.popover("Rename", type="tertiary", icon=":material/edit:"):
            key = f"rename_{label}"
            st.text_input("New name", value=label, max_chars=120, key=key)
            st.button("Rename", key=f"{key}_go", on_click=_rename, args=(room, label, key))
        st.button(
            "Remove",
            key=f"unstage_{label}",
            type="tertiary",
            icon=":material/close:",
            help=f"Remove {safe_label(label, 40)} with its pictures. It can be undone.",
            on_click=_remove,
            args=(room, label),
        )
    found = {burst: pictures for burst, pictures in room.bursts(label).items() if burst}
    if found:
        with st.container(horizontal=True, gap="small"):
            for place, (burst, pictures) in enumerate(found.items(), start=1):
                _burst(room, label, burst, place, pictures)


def _burst(room: WaitingRoom, label: str, burst: int, place: int, pictures: list[Waiting]) -> None:
    step = max(1, -(-len(pictures) // _SHOWN))
    with st.container(border=True, width="content", gap="xxsmall"):
        with st.container(horizontal=True, gap="xxsmall", width="content"):
            for picture in pictures[::step]:
                words = f"{plain_label(label, 60)}, burst {place}, {picture.name}"
                if picture.thumbnail.exists():
                    st.image(picture.thumbnail.read_bytes(), width=_WIDTH, alt=words)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"Burst {place}: {number_of(len(pictures), 'picture')}", width="content")
            st.button(
                f"Remove burst {place}",
                key=f"unstage_burst_{burst}",
                type="tertiary",
                icon=":material/close:",
                on_click=_remove,
                args=(room, label, burst, place),
            )


def _rename(room: WaitingRoom, label: str, key: str) -> None:
    new = str(st.session_state[key])

    def change() -> None:
        named = room.rename(label, new)
        if named != label:
            flash(
                f"{safe_label(label)} is now called {safe_label(named)}.",
                undo=lambda: attempt(lambda: room.rename(named, label)),
                place=_PLACE,
            )

    attempt(change)


def _remove(room: WaitingRoom, label: str, burst: int | None = None, number: int = 0) -> None:
    at = list(room.classes).index(label) if label in room.classes else None
    gone = room.remove(label, burst)
    what = safe_label(label) if burst is None else f"Burst {number} of {safe_label(label)}"
    flash(
        f"{what} removed, {number_of(len(gone), 'picture')}.",
        ":material/delete:",
        undo=lambda: room.put_back(label, gone, at),
        place=_PLACE,
    )


def _make(room: WaitingRoom, make: Make) -> None:
    if not room.classes:
        return
    lacking = room.shortfall()
    name = st.text_input(
        "Name of the data set",
        value="My images",
        key="staged_name",
        max_chars=120,
        width=360,
        persist_state="session",
    )
    st.button(
        "Make the data set",
        type="primary",
        disabled=bool(lacking),
        key="make_staged",
        on_click=lambda: st.session_state.update(make_staged_asked=True),
    )
    if st.session_state.pop("make_staged_asked", False):
        make(Collected(name or "My images", room))
    if lacking:
        st.caption(f"Still missing: {safe_label(' '.join(lacking), 600)}")
    else:
        st.caption("What is collected stays here: add more and make it again.")
