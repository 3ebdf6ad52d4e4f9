"""Data sets to choose from: the samples, and what was brought earlier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from tl_core import datasets, ingest, room_on_disk
from tl_core.datasets import Dataset, Kind
from tl_core.wording import megabytes, number_of
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
    sizes = _sizes(current.dataset_folders(), list(kept.values()))
    _room(sizes.total)
    if not kept:
        st.caption("Nothing here yet: what you bring is kept on this machine and listed here.")
        return
    picked = st.selectbox(
        "Kept on this machine, newest first",
        list(kept),
        format_func=lambda fingerprint: summary(kept[fingerprint], sizes.by_set[fingerprint]),
        key=f"{kind}_earlier",
    )
    data = kept[picked]
    with st.container(horizontal=True):
        st.button("Use these images", key=f"{kind}_use", on_click=use, args=(data,))
        with st.popover("Delete …", icon=":material/delete:"):
            _confirm_delete(data, sizes.by_set[picked])


@dataclass(frozen=True)
class Sizes:
    """Bytes on the disk: of each data set by fingerprint, and of all that the user brought."""

    by_set: dict[str, int]
    total: int


@st.cache_data(show_spinner=False, max_entries=64)
def _sizes(whose: tuple[str, ...], _sets: Sequence[Dataset]) -> Sizes:
    by_set = {data.fingerprint: room_on_disk.size(data.folder) for data in _sets}
    return Sizes(by_set, room_on_disk.used())


def _room(taken: int) -> None:
    """Say how much of the disk is taken by what the user brought."""
    most = room_on_disk.quota()
    if most is None:
        st.caption(f"Data sets and weights take {megabytes(taken)} on this machine.")
    else:
        part = min(1.0, taken / most)
        st.progress(part, text=f"You use {megabytes(taken)} of {megabytes(most)}")


def summary(data: Dataset, size: int) -> str:
    """Return one line on a data set of so many bytes, as plain text."""
    day = datetime.fromisoformat(data.created).astimezone().strftime("%d %b %Y, %H:%M")
    classes = number_of(len(data.classes), "class", "classes")
    images = number_of(len(data.images), "image")
    return f"{plain_label(data.name, 60)}: {images}, {classes}, {megabytes(size)}, {day}"


def _confirm_delete(data: Dataset, size: int) -> None:
    used = comparisons_with(data)
    st.markdown(f"Delete **{safe_label(data.name)}** from this machine?")
    if used:
        st.caption(
            f"{number_of(used, 'comparison')} used it: results stay, but they cannot be run again "
            "until the same images are brought again."
        )
    st.caption(f"It frees {megabytes(size)} here. Your original files are not touched.")
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
