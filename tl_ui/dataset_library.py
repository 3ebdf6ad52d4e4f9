"""Data sets to choose from: the samples, and what was brought earlier."""

from datetime import datetime

import streamlit as st

from tl_core import datasets, ingest
from tl_core.datasets import Dataset, Kind
from tl_core.wording import number_of
from tl_ui import current
from tl_ui.dataset_report import is_sample
from tl_ui.state import choice, choose
from tl_ui.widgets import flash, plain_label, safe_label

SAMPLE_PICTURES = 5
SAMPLE_WIDTH = 56


def use(data: Dataset) -> None:
    """Make a data set, or source images, the chosen one; the earlier choice can come back."""
    field = "probe" if data.kind == "probe" else "dataset"
    before = getattr(choice(), field)
    if before == data.fingerprint:
        return
    choose(**{field: data.fingerprint})
    flash(
        f"Now used: {safe_label(data.name)}.",
        undo=lambda: choose(**{field: before}) and None,
    )


def samples() -> None:
    """Show the sample sets with pictures; a set is made when it is first used."""
    used = ingest.sample_name(current.dataset())
    with st.grid(min_column_width=330):
        for name, sample in ingest.SAMPLES.items():
            with st.container(border=True):
                st.markdown(f"**{sample.title}**")
                with st.container(horizontal=True, gap="xsmall"):
                    for label, picture in _preview(name):
                        st.image(picture, width=SAMPLE_WIDTH, alt=f"{sample.title}: {label}")
                st.caption(sample.summary)
                st.caption(f":material/school: {sample.lesson}")
                st.button(
                    "Used now" if name == used else "Use these images",
                    key=f"sample_{name}",
                    icon=":material/check:" if name == used else None,
                    disabled=name == used,
                    on_click=_use_sample,
                    args=(name,),
                )


def _use_sample(name: str) -> None:
    use(current.sample(name))


@st.cache_data(show_spinner=False, max_entries=16)
def _preview(name: str) -> list[tuple[str, bytes]]:
    """Return a few pictures of a sample set, as PNG, with their classes."""
    return ingest.preview(name, SAMPLE_PICTURES)


def earlier(kind: Kind) -> None:
    """Show the data sets that were brought before, to choose or to delete."""
    kept = {data.fingerprint: data for data in datasets.all_datasets(kind) if not is_sample(data)}
    if not kept:
        st.caption("Nothing here yet: what you bring is kept on this machine and listed here.")
        return
    picked = st.selectbox(
        "Kept on this machine, newest first",
        list(kept),
        format_func=lambda fingerprint: summary(kept[fingerprint]),
        key=f"{kind}_earlier",
    )
    data = kept[picked]
    with st.container(horizontal=True):
        st.button("Use these images", key=f"{kind}_use", on_click=use, args=(data,))
        with st.popover("Delete …", icon=":material/delete:"):
            _confirm_delete(data)


def summary(data: Dataset) -> str:
    """Return one line on a data set, as plain text."""
    day = datetime.fromisoformat(data.created).astimezone().strftime("%d %b %Y, %H:%M")
    classes = number_of(len(data.classes), "class", "classes")
    return f"{plain_label(data.name, 60)}: {number_of(len(data.images), 'image')}, {classes}, {day}"


def _confirm_delete(data: Dataset) -> None:
    used = comparisons_with(data)
    st.markdown(f"Delete **{safe_label(data.name)}** from this machine?")
    if used:
        st.caption(
            f"{number_of(used, 'comparison')} used it: results stay, but they cannot be run again "
            "until the same images are brought again."
        )
    st.caption("Your original files are not touched.")
    st.button(
        "Delete for good",
        key=f"{data.kind}_delete",
        type="primary",
        on_click=_delete,
        args=(data,),
    )


def comparisons_with(data: Dataset) -> int:
    """Return how many comparisons were made with a data set."""
    return current.store().comparisons_with(data.fingerprint)


def _delete(data: Dataset) -> None:
    active = [
        job.config.data
        for job in current.store().list(limit=200, active=True)
        if job.config is not None
    ]
    if any(data.fingerprint in (used.fingerprint, used.probe) for used in active):
        flash(
            "It is being used by a comparison or other job that waits. Cancel that first.",
            ":material/error:",
        )
        return
    datasets.delete(data.fingerprint)
    flash(f"{safe_label(data.name)} is deleted.", ":material/delete:")
