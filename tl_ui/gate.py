"""The door of a room: its code and a nickname, before any page runs."""

import hmac
import time

import streamlit as st

from tl_core import lesson_links
from tl_core.store import StoreError
from tl_ui import current, identity, shell
from tl_ui.widgets import safe_label

_DOOR = ":material/meeting_room:"
# After so many wrong codes a session has to wait, each time as long.
WRONG_CODES, WAIT_SECONDS = 5, 30.0
_CODE, _NAME, _SAID, _WRONG = "gate_code", "gate_name", "_gate_said", "_gate_wrong"


def pass_or_stop() -> None:
    """Go on for whoever is known here; ask everybody else who they are, and run no page."""
    identity.recognise()
    if identity.is_known():
        return
    # Else Streamlit would list the files of `pages/` and run them by itself.
    st.navigation(shell.pages(), position="hidden")
    st.title("Transfer Lab", anchor=False)
    if identity.logs_in():
        _login()
    elif current.whole_store().room() is None:
        st.info(
            "This room is not open yet. Reload this page in a moment.",
            icon=":material/meeting_room:",
        )
    else:
        _door()
    identity.remember()
    st.stop()


def _login() -> None:
    st.markdown("Log in to compare models on images of your own.")
    providers = [name for name, value in st.secrets["auth"].items() if hasattr(value, "to_dict")]
    for name in providers or [""]:
        st.button(
            f"Log in with {safe_label(name.capitalize())}" if name else "Log in",
            key=f"login_{name}",
            type="primary",
            on_click=st.login,
            args=(name,) if name else (),
        )


def _door() -> None:
    st.markdown(
        "This is a room: everyone in it works on one machine. Nobody else in it sees images that "
        "you bring. **Nicknames and results are visible to everyone here**, so any name will do."
    )
    given = st.query_params.get("room", "")
    with st.form("gate", width=420):
        st.text_input(
            "Code of the room",
            value=given,
            key=_CODE,
            max_chars=32,
            help="It is part of the link, and stands on the teacher's screen.",
        )
        st.text_input("Your nickname", key=_NAME, max_chars=lesson_links.MOST_NAME)
        st.form_submit_button("Come in", type="primary", on_click=_come_in)
    said = st.session_state.pop(_SAID, "")
    if said:
        st.error(said, icon=":material/error:")


def _come_in() -> None:
    said = _refused(st.session_state[_CODE].strip())
    if not said:
        try:
            identity.enter(lesson_links.nickname(st.session_state[_NAME]))
        except ValueError as wanted:
            said = f"A nickname is {safe_label(wanted)}."
        except StoreError as error:
            said = safe_label(error, 400)
    st.session_state[_SAID] = said


def _refused(code: str) -> str:
    """Return why a code lets nobody in, empty if it does; wrong ones are counted."""
    count, until = st.session_state.get(_WRONG, (0, 0.0))
    if time.monotonic() < until:
        return f"Too many wrong codes. Wait {WAIT_SECONDS:.0f} seconds, then try again."
    room = current.whole_store().room()
    given, wanted = (text.casefold().encode() for text in (code, room.code if room else ""))
    if room is not None and hmac.compare_digest(given, wanted):
        st.session_state.pop(_WRONG, None)
        return ""
    count += 1
    until = time.monotonic() + WAIT_SECONDS if count % WRONG_CODES == 0 else 0.0
    st.session_state[_WRONG] = (count, until)
    return "That is not the code of this room. It stands on the teacher's screen and in the link."
