"""Try an image: drop or photograph one, and see every strategy's answer and where it looks."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from tl_core import predictions, unsure
from tl_core.answers import Prediction, RunPrediction
from tl_core.curves import colour
from tl_core.events import RunEnded
from tl_core.intake import asking as intake
from tl_core.limits import MAX_IMAGE_BYTES, MB, BadInput
from tl_core.wording import percent
from tl_ui import asking, finished_models, handing_in
from tl_ui.looked import Looked
from tl_ui.widgets import plain_label, problem, safe_label

MOST = 6
_TRIED, _FAULT, _REVISION = "tried_images", "tried_fault", "tried_revision"
_WIDTH = 160
# Named so that a phone offers its camera.
_TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"]
_CLASSES = 3


def section(of: Looked) -> None:
    """Take images and show what every shown strategy makes of each."""
    st.caption(
        "Drop or photograph an image, one that the models have never seen. It stays on this "
        "machine. Bright places of a heat map speak for the answer (Grad-CAM)."
    )
    _bring()
    fault = st.session_state.get(_FAULT)
    if fault:
        problem(*fault)
    brought = st.session_state.get(_TRIED)
    if brought is None:
        return
    runs = finished_models.first_runs(of, of.measured)
    if not runs:
        st.info("No strategy that is shown has a model to use.", icon=":material/info:")
        return
    found = asking.answer(
        "predict",
        finished_models.config(of),
        finished_models.request(runs, unlabelled=brought, heat_maps=True),
        label="Look at the image again",
        help="Every shown strategy looks at the image.",
        at_once=True,
    )
    if isinstance(found, Prediction):
        _show(of, found, runs)


def _bring() -> None:
    """Show the uploader and the camera; what comes becomes a small unlabelled data set."""
    revision = st.session_state.setdefault(_REVISION, 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        files: list[Any] = st.file_uploader(
            f"Images to try, at most {MOST}",
            type=_TYPES,
            accept_multiple_files=True,
            max_upload_size=MAX_IMAGE_BYTES // MB,
            key=f"try_files_{revision}",
            help="On a phone this opens the camera as well.",
        )
    if st.toggle("Use this device's camera", key="try_camera_on"):
        photo = st.camera_input("Photograph", key=f"try_camera_{revision}")
        files = [*files, photo] if photo is not None else files
    if not files:
        return
    st.session_state.pop(_FAULT, None)
    pairs = [
        (f"{place + 1} {plain_label(file.name, 80)}", file)
        for place, file in enumerate(files[:MOST])
    ]
    try:
        data = intake.images(pairs, name="Tried images", kind="unlabelled")
    except BadInput as error:
        st.session_state[_FAULT] = (str(error), error.details)
    else:
        st.session_state[_TRIED] = data.fingerprint
        if len(files) > MOST:
            st.session_state[_FAULT] = (f"Only the first {MOST} images were taken.", ())
    handing_in.release(files)
    st.session_state[_REVISION] = revision + 1
    st.rerun(scope="fragment")


def _show(of: Looked, found: Prediction, runs: Sequence[RunEnded]) -> None:
    limits = {run.run_id: unsure.threshold(run) for run in runs}
    for place, name in enumerate(found.images):
        st.markdown(f"**{safe_label(name, 80)}**")
        with st.container(horizontal=True, gap="small"):
            with st.container(width=_WIDTH, gap="xxsmall"):
                st.image(found.pictures[place], width=_WIDTH, alt="The image as the models see it")
                st.caption("What the models see")
            for run in found.runs:
                limit = limits.get(run.run_id)
                _answer(of, found, run, place, limit.value if limit else 0.0)
    if any(limits.values()):
        st.caption(
            "Unsure: under the confidence from which 95% of a strategy's answers on validation "
            "images are right. Confidence says nothing of images unlike all of the classes: see "
            "None of these on the Trust page."
        )


def _answer(of: Looked, found: Prediction, run: RunPrediction, place: int, limit: float) -> None:
    """Show one strategy's heat map and its likeliest classes."""
    shares = predictions.unpacked(run.probabilities).reshape(len(found.images), -1)[place]
    best = np.argsort(-shares, kind="stable")[:_CLASSES]
    said = f"{found.classes[best[0]]}, {percent(shares[best[0]])}"
    with st.container(width=_WIDTH, gap="xxsmall"):
        st.image(
            run.heat_maps[place],
            width=_WIDTH,
            alt=f"Where {run.title} looks; its answer: {plain_label(said, 80)}",
        )
        sure = "" if shares[best[0]] >= limit else " · unsure"
        st.markdown(f"**{safe_label(found.classes[best[0]], 40)}**{sure}")
        st.html(_bars([(found.classes[i], float(shares[i])) for i in best], colour(run.strategy)))
        st.caption(safe_label(of.titles[run.strategy], 60))


def _bars(shares: Sequence[tuple[str, float]], shade: str) -> str:
    """Return classes with their shares as short bars; the numbers stand beside them."""
    lines = []
    for name, share in shares:
        width = round(100 * share)
        lines.append(
            '<div style="font-size:0.78rem;line-height:1.25">'
            '<div style="display:flex;justify-content:space-between;gap:6px">'
            '<span style="overflow:hidden;text-overflow:ellipsis;white-space:nowrap">'
            f"{escape(plain_label(name, 40))}</span><span>{percent(share)}</span></div>"
            '<div style="height:4px;border-radius:2px;background:rgba(128,128,128,0.25)">'
            f'<div style="height:4px;border-radius:2px;width:{width}%;background:{shade}"></div>'
            "</div></div>"
        )
    return "".join(lines)
