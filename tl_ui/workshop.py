"""Who is at work in a class: its code and a nickname, kept in the session."""

import streamlit as st

from tl_core import lesson_links
from tl_core.store import StoreError, Tags
from tl_ui import current, identity
from tl_ui.widgets import flash, safe_label

_KEY, _NAME, _OWN = "workshop", "workshop_name", "own_name"
VISIBLE = "Everyone on this server can see it, with your results."


def code() -> str:
    """Return the class code, in a room the room's; empty outside of a class."""
    return _both()[0]


def tags(guess: str = "") -> Tags:
    """Return what jobs of this session are marked with."""
    own, name = _both()
    return Tags(class_code=own, participant=name if own else "", guess=guess)


def join(code: str | None = None, name: str | None = None) -> None:
    """Set the class code or the nickname; None leaves it, an empty text takes it back.

    In a room both are known.
    """
    if identity.in_room():
        return
    old_code, old_name = _both()
    st.session_state[_KEY] = (
        old_code if code is None else code,
        old_name if name is None else name,
    )


def banner() -> None:
    """Say who this is where several people are; in a class ask for a nickname."""
    if identity.nickname():
        _who()
    own, name = _both()
    if not own or identity.in_room():
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="class_line"):
        st.caption(f":material/groups: Class **{safe_label(own)}**", width="content")
        st.session_state[_NAME] = name
        st.text_input(
            "Nickname",
            key=_NAME,
            max_chars=lesson_links.MOST_NAME,
            placeholder="Your nickname",
            label_visibility="collapsed",
            width=200,
            on_change=_rename,
        )
        st.caption(VISIBLE, width="content")
        st.button("Leave the class", type="tertiary", key="class_leave", on_click=_leave)


def _who() -> None:
    """Show the room's code, and the nickname, which can be changed or forgotten."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="who_line"):
        if identity.in_room():
            st.caption(f":material/groups: Room **{safe_label(code())}**", width="content")
        with st.popover(safe_label(identity.nickname()), icon=":material/person:"):
            _person()
        if identity.in_room():
            st.caption("Names and results are visible to everyone here.", width="content")
        # Before the page, which may take a moment: whoever reloads it meanwhile is known.
        identity.remember()


def _person() -> None:
    if identity.is_teacher():
        st.markdown("You see and steer what everybody does here.")
    else:
        st.session_state[_OWN] = identity.nickname()
        most = lesson_links.MOST_NAME
        st.text_input("Nickname", key=_OWN, max_chars=most, on_change=_rename_person)
    if identity.logs_in() and not identity.is_teacher():
        st.button("Log out", key="log_out", icon=":material/logout:", on_click=st.logout)
        return
    st.caption("On a computer that others use after you, end with this:")
    st.button(
        "Forget me on this computer",
        key="forget_me",
        icon=":material/logout:",
        help="Your images and results stay on the server, and nobody else sees them; from here "
        "they cannot be opened again.",
        on_click=identity.forget,
    )


def _rename_person() -> None:
    try:
        identity.rename(lesson_links.nickname(st.session_state[_OWN]))
    except ValueError as wanted:
        flash(f"A nickname is {safe_label(wanted)}.", ":material/error:")
    except StoreError as error:
        flash(safe_label(error, 400), ":material/error:")


def _both() -> tuple[str, str]:
    if identity.in_room():
        room = current.whole_store().room()
        return (room.code if room is not None else ""), identity.nickname()
    both: tuple[str, str] = st.session_state.get(_KEY, ("", ""))
    return both


def _rename() -> None:
    given = st.session_state[_NAME]
    try:
        join(name=lesson_links.nickname(given) if given.strip() else "")
    except ValueError as wanted:
        flash(f"A nickname is {safe_label(wanted)}.", ":material/error:")


def _leave() -> None:
    own, name = _both()
    st.session_state.pop(_KEY, None)
    flash(
        f"You left class {safe_label(own)}: what you start now is not listed there.",
        undo=lambda: join(own, name),
    )
