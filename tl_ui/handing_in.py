"""Uploads handed to a process that reads them: on disk at once, out of memory, then followed."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tl_core.intake.messages import Request, Spooled
from tl_core.intake.process import Intake
from tl_core.intake.spool import Spool
from tl_ui.widgets import safe_label

# How often progress is drawn.
_SECONDS = 0.25


def begin(
    slot: str, files: Sequence[Any], wanted: Callable[[tuple[Spooled, ...]], Request]
) -> None:
    """Let an upload be read, to be followed in this slot; raises BadInput beyond the limits."""
    spool = Spool()
    try:
        spooled = spool.add_all([(file.name, file) for file in files])
    finally:
        release(files)
    st.session_state[slot] = Intake(wanted(spooled), spool)


def release(files: Sequence[Any]) -> None:
    """Return the memory of uploads that are on disk now.

    An emptied uploader keeps them until the session ends; Streamlit's own chat input ends that so.
    """
    context = get_script_run_ctx()
    if context is None or not isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        return
    for file in files:
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)


def followed(slot: str) -> Intake | None:
    """Show what a slot's upload is at until it has ended, and return it; None if there is none.

    Another click on the page interrupts this, not the reading: the next run goes on to follow it.
    """
    intake: Intake | None = st.session_state.get(slot)
    if intake is None:
        return None
    with st.status("Reading the files", expanded=True):
        bar = st.progress(0.0, text="Starting")
        st.button(
            "Stop reading", key=f"{slot}_stop", icon=":material/stop:", on_click=intake.cancel
        )
        while not intake.wait(_SECONDS):
            text, share = intake.progress
            bar.progress(min(max(share or 0.0, 0.0), 1.0), text=safe_label(text))
    del st.session_state[slot]
    return intake
