"""Taking pictures with the browser's camera: a held button records a burst of one class."""

from pathlib import Path

import streamlit as st

from tl_core.ingest import WaitingRoom
from tl_core.intake import asking
from tl_core.limits import FRAME_SIDE, MAX_BURST, MAX_IMAGE_BYTES, MB, MIN_GROUPS, BadInput
from tl_ui import staging, waiting_list
from tl_ui.widgets import plain_label

_HERE = Path(__file__).parent
_CAMERA = st.components.v2.component(
    "transfer_lab_camera",
    html=(_HERE / "camera.html").read_text(),
    css=(_HERE / "camera.css").read_text(),
    js=(_HERE / "camera.js").read_text(),
)
_KEY, _ANSWER, _NEW = "camera", "camera_answer", "camera_class"


def section() -> None:
    """Show the form that names classes, the camera, and a picker for browsers without one."""
    room = staging.room()
    _naming(room)
    if not room.classes:
        st.caption("What should be told apart? Name the first class, then the second.")
        return
    st.caption(
        f"A **burst** (a button held, up to {MAX_BURST} pictures) is never divided between "
        f"training and testing: its pictures are too much alike. Take at least {MIN_GROUPS} bursts "
        "per class; before each, move the camera, change the background, take another object."
    )
    blocked = _camera(room)
    with st.expander("Picture files instead", icon=":material/image:", expanded=blocked):
        _files(room)


def _naming(room: WaitingRoom) -> None:
    with (
        st.form("camera_naming", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input("Name of a class", key=_NEW, max_chars=120, placeholder="cup", width=220)
        st.form_submit_button("Add class", icon=":material/add:", on_click=_add, args=(room,))
    waiting_list.say_fault()


def _add(room: WaitingRoom) -> None:
    waiting_list.attempt(lambda: room.add_class(str(st.session_state[_NEW])))


def _camera(room: WaitingRoom) -> bool:
    """Show the camera; return whether the browser gives none."""
    received, said = st.session_state.get(_ANSWER, ("", ""))
    found = _CAMERA(
        key=_KEY,
        data={
            "classes": [
                {
                    "name": name,
                    "shown": plain_label(name, 60),
                    "count": waiting_list.counts(room, name),
                }
                for name in room.classes
            ],
            "received": received,
            "said": plain_label(said, 400),
            "most": MAX_BURST,
            "side": FRAME_SIDE,
        },
        on_burst_change=_take,
        on_blocked_change=lambda: None,
    )
    return bool(found.blocked)


def _take() -> None:
    """Keep the burst that has just arrived; its answer tells the browser that it did."""
    message = st.session_state[_KEY].get("burst")
    try:
        said = staging.room().take_burst(message, asking.keep_burst)
    except BadInput as error:
        said = str(error)
    sent = message.get("id") if isinstance(message, dict) else ""
    st.session_state[_ANSWER] = (sent, said)


def _files(room: WaitingRoom) -> None:
    """Offer a picker for images of one class: every phone's opens its camera."""
    label = st.selectbox(
        "Class of the pictures", list(room.classes), format_func=plain_label, width=260
    )
    turn = int(st.session_state.setdefault("camera_turn", 0))
    files = st.file_uploader(
        "Take or choose pictures",
        # As a media type, so that phones offer their camera.
        type="image",
        accept_multiple_files=True,
        max_upload_size=MAX_IMAGE_BYTES // MB,
        key=f"camera_files_{turn}",
    )
    st.caption(
        "On a phone, *Browse files* offers the camera. Each file is taken as a picture of its own, "
        "not as part of a burst."
    )
    if files:
        waiting_list.take_files(label, files)
        st.session_state["camera_turn"] = turn + 1
        st.rerun()
