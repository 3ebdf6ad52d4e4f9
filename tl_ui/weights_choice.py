"""Weights of the chosen model: the files that are here, a download, a file of one's own."""

from datetime import datetime

import streamlit as st

from tl_core import weights
from tl_core.catalog import Model
from tl_core.intake import asking
from tl_core.limits import MAX_WEIGHTS_BYTES, MB, BadInput
from tl_core.store import Comparison, StoreError
from tl_core.weights import Origin, WeightsFile
from tl_ui import current, handing_in, queue_place
from tl_ui.state import choice, choose
from tl_ui.widgets import flash, plain_label, problem, safe_label

_FAULT = "weights_fault"
_ORIGINS: dict[Origin, str] = {
    "torchvision": "from torchvision",
    "own file": "own file",
    "bundled": "comes with the app",
}


def section(row: Model) -> None:
    """Show which weights are used, and the ways to get others."""
    files = weights.available(row.name)
    job = latest_download(row.name)
    if files:
        _files(files)
    elif not row.weights.url:
        problem(weights.missing(row))
    elif job is None or job.status not in ("queued", "running", "failed"):
        st.warning(
            f"The weights of {row.title} are not on this machine yet. Two ways to get them: "
            f"download {row.weights.megabytes:.0f} MB once (needs an internet connection), or "
            "bring a .safetensors file.",
            icon=":material/cloud_download:",
        )
    if job is not None and job.active:
        _watch(job.id)
    elif row.weights.url and not any(file.origin == "torchvision" for file in files):
        _offer_download(row, job)
    _own_file(row, expanded=not files)


def latest_download(model: str) -> Comparison | None:
    """Return the newest download job of a model."""
    jobs = current.store().list(limit=50, kind="download")
    return next((job for job in jobs if job.request.get("model") == model), None)


def _files(files: list[WeightsFile]) -> None:
    chosen = current.weights_file()
    by_sha = {file.sha256: file for file in files}
    if len(files) == 1:
        st.markdown(f":material/check_circle: On this machine: {safe_label(_shown(files[0]))}")
        return
    st.session_state["weights_sha"] = chosen.sha256 if chosen else files[0].sha256
    st.selectbox(
        "Weights file",
        list(by_sha),
        key="weights_sha",
        format_func=lambda sha: _shown(by_sha[sha]),
        on_change=lambda: _use(by_sha[st.session_state["weights_sha"]]),
    )


def _use(file: WeightsFile) -> None:
    before = choice().weights
    choose(weights=file.sha256)
    flash(
        f"Now used: {safe_label(_shown(file))}.",
        undo=lambda: choose(weights=before) and None,
    )


def _shown(file: WeightsFile) -> str:
    facts = [plain_label(file.name, 60), f"{file.megabytes:.0f} MB", _ORIGINS[file.origin]]
    if file.added:
        day = datetime.fromisoformat(file.added).astimezone()
        facts.append(f"added {day.strftime('%d %b %Y')}")
    return ", ".join([*facts, f"SHA-256 {file.sha256[:8]}"])


def _offer_download(row: Model, last: Comparison | None) -> None:
    if last is not None and last.status == "failed":
        problem(last.reason)
    st.button(
        f"Download {row.weights.megabytes:.0f} MB from torchvision",
        key="download",
        icon=":material/download:",
        type="secondary" if weights.available(row.name) else "primary",
        on_click=_start,
        args=(row,),
    )


def _start(row: Model) -> None:
    try:
        current.store().create(
            None, f"Weights of {row.title}", kind="download", request={"model": row.name}
        )
    except StoreError as error:
        flash(safe_label(error, 500), ":material/error:")


def _watch(job: str) -> None:
    st.fragment(_progress, run_every=1.0)(job)


def _progress(job_id: str) -> None:
    """Show a download's progress; when it ended, the whole page shows what is true then."""
    store = current.store()
    job = store.get(job_id)
    if job is None or not job.active:
        if job is not None and job.status == "done":
            flash(f"{safe_label(job.name)}: on this machine now.")
        st.rerun()
    waits = queue_place.words(job) if job.status == "queued" else "Starting"
    progress = job.progress
    share = (progress.fraction if progress else None) or 0.0
    st.progress(share, text=safe_label(progress.message if progress else waits))
    st.button("Cancel the download", on_click=store.request_cancel, args=(job.id,))


def _own_file(row: Model, expanded: bool) -> None:
    revision = st.session_state.setdefault("weights_upload", 0)
    with st.expander("Bring a .safetensors file", icon=":material/upload_file:", expanded=expanded):
        st.caption(
            f"State dict of {_network(row)} with its original last layer, at most "
            f"{MAX_WEIGHTS_BYTES // MB} MB. A .pth file is converted with `python -m tl_core "
            "convert-weights IN.pth OUT.safetensors`; here only safetensors is read, because it "
            "cannot hold code."
        )
        file = st.file_uploader(
            "Weights file",
            type=["safetensors"],
            max_upload_size=MAX_WEIGHTS_BYTES // MB,
            key=f"weights_file_{revision}",
        )
        if file is not None:
            _add(row, file)
        fault = st.session_state.get(_FAULT)
        if fault is not None and fault[0] == row.name:
            problem(*fault[1:])


def _network(row: Model) -> str:
    if row.weights.url:
        return f"torchvision's {row.title}"
    classes = row.head_parameters // (row.feature_size + 1)
    return f"the same network in torchvision's words ({row.architecture}, {classes} classes)"


def _add(row: Model, file: "st.runtime.uploaded_file_manager.UploadedFile") -> None:  # type: ignore[name-defined]
    """Have the file checked and copied, and empty the uploader: it would hold it in memory."""
    st.session_state["weights_upload"] += 1
    st.session_state.pop(_FAULT, None)
    try:
        with st.spinner("Checking the weights"):
            added = asking.weights(row.name, file.name, file)
        before = choice().weights
        choose(weights=added.sha256)
        flash(
            f"{safe_label(file.name)} fits {row.title} and is used now.",
            undo=lambda: choose(weights=before) and None,
        )
    except BadInput as error:
        st.session_state[_FAULT] = (row.name, str(error), error.details)
    handing_in.release([file])
    st.rerun()
