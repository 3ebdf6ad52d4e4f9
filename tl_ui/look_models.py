"""Take the model: safetensors and ONNX with their preprocessing, each checked against the app."""

import io
import zipfile
from pathlib import Path

import streamlit as st

from tl_core import cache
from tl_core.answers import Export, Parity
from tl_core.events import RunEnded
from tl_core.wording import number_of
from tl_ui import asking, finished_models
from tl_ui.looked import Looked
from tl_ui.widgets import safe_label

_LABEL = "Make the files"
_MEANING = {
    "model.safetensors": "all weights by torchvision's names, with classes and preprocessing",
    "model.onnx": "decoded pixels of any size in, class probabilities out: preprocessing inside",
    "use_safetensors.py": "a short script that uses the file with torchvision alone",
    "use_onnx.py": "a short script that uses the file with onnxruntime alone",
}


def section(of: Looked) -> None:
    """Let the user choose a model, make its files, and show how they were checked."""
    run = finished_models.choose(of, "models")
    if run is None:
        return
    found = asking.answer(
        "export",
        finished_models.config(of),
        finished_models.request([run]),
        label=_LABEL,
        help="Writes safetensors and ONNX, then runs both on test images and holds them against "
        "the app.",
        primary=True,
    )
    if isinstance(found, Export):
        _show(found, of, run)


def _show(found: Export, of: Looked, run: RunEnded) -> None:
    folder = cache.entry("exports", found.entry)
    if not cache.is_ready(folder):
        st.info("The files have been removed to make room. Make them again.")
        request = finished_models.request([run])
        again = ("export", finished_models.config(of), request, _LABEL)
        st.button("Make them again", on_click=asking.ask, args=again)
        return
    for one in found.parity:
        _parity(one)
    if found.lacking:
        st.info(safe_label(found.lacking, 400), icon=":material/extension:")
    st.download_button(
        "All files as a zip",
        lambda: _zipped(folder),
        file_name=f"{run.run.strategy.name}-seed{run.run.seed + 1}.zip",
        mime="application/zip",
        icon=":material/folder_zip:",
        type="primary",
        on_click="ignore",
    )
    for file in found.files:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                file,
                lambda file=file: (folder / file).read_bytes(),
                file_name=file,
                icon=":material/download:",
                key=f"take_{found.entry[:8]}_{file}",
                on_click="ignore",
            )
            st.caption(f"{_MEANING[file]}, {_size(folder / file)}", width="content")
    scripts = [file for file in found.files if file.endswith(".py")]
    with st.expander("How to use them", icon=":material/code:"):
        for script in scripts:
            st.code((folder / script).read_text(encoding="utf-8"), language="python")


def _parity(one: Parity) -> None:
    good = one.changed == 0 and one.largest < 1e-3
    images = number_of(one.images, "test image")
    same = (
        f"the same class on all {images}"
        if one.changed == 0
        else f"another class on {one.changed} of {images}"
    )
    text = (
        f"**{one.file}** gives {same}. Largest difference of a probability: {one.largest:.1e} from "
        f"the model in float32, {one.largest_shown:.1e} from what the app shows at its own "
        "precision."
    )
    if good:
        st.success(text, icon=":material/verified:")
    else:
        st.warning(f"{text} Do not rely on it before you know why.", icon=":material/warning:")


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as made:
        for file in sorted(folder.iterdir()):
            made.write(file, file.name)
    return content.getvalue()
