"""Source photographs: what forgetting is measured on, and what of the source task they cover."""

import streamlit as st

from tl_core import catalog, class_map
from tl_core.catalog import Model
from tl_core.config import RATED_FROM
from tl_core.datasets import Dataset
from tl_core.wording import number_of
from tl_ui import dataset_library, dataset_report, upload
from tl_ui.state import choose
from tl_ui.widgets import flash, listed, safe_label


def section(data: Dataset | None, row: Model) -> None:
    """Show what source photographs are for, those in use, and ways to bring some."""
    st.markdown(
        f"Training on your images can make {row.title} **forget** what it knew. To measure that, "
        "it needs a few labelled photographs of things it knows, from its own source task: "
        f"{row.weights.source_task}. Without them the app shows drift only, never forgetting."
    )
    if data is not None:
        _in_use(data, row)
    with st.expander("Bring source photographs", icon=":material/upload:", expanded=data is None):
        upload.section("probe", taken)
    with st.expander("Brought earlier", icon=":material/inventory_2:"):
        dataset_library.earlier("probe")


def taken(data: Dataset) -> None:
    """Use photographs that have just been taken in."""
    choose(probe=data.fingerprint)
    flash(
        f"{number_of(len(data.images), 'source photograph')} taken in from {safe_label(data.name)}."
    )


def coverage(data: Dataset, row: Model) -> tuple[str, list[str]]:
    """Return what the photographs can measure, and a line on each label without a source class."""
    sources = catalog.source_classes(row.weights.source_classes)
    matched = class_map.match_source(data.classes, sources)
    usable = [image for image in data.images if matched[data.classes[image.label]] is not None]
    classes = {matched[data.classes[image.label]] for image in usable}
    lost = [
        f"{label}: {found.reason}"
        for label, found in class_map.unmatched(data.classes, sources).items()
    ]
    if not usable:
        return "None of these labels is a source class of this model, so nothing is measured.", lost
    text = (
        f"Forgetting is measured on {len(classes):,} of {len(sources):,} source classes, "
        f"{number_of(len(usable), 'image')}."
    )
    if len(usable) < RATED_FROM:
        text = (
            f"{number_of(len(usable), 'image')} of {len(classes):,} of {len(sources):,} source "
            f"classes: under {RATED_FROM} images predictions are shown, but no rate."
        )
    return text, lost


def _in_use(data: Dataset, row: Model) -> None:
    text, lost = coverage(data, row)
    with st.container(border=True):
        st.markdown(f":material/check_circle: **{safe_label(data.name)}**. {text}")
        if lost:
            listed("Labels without a source class", lost)
        details = st.expander(
            "Pictures, counts, refused files", key="probe_details", on_change="rerun"
        )
        if details.open:
            with details:
                dataset_report.section(data)
        st.button(
            "Do not use source photographs",
            key="probe_off",
            on_click=_off,
            args=(data.fingerprint,),
        )


def _off(fingerprint: str) -> None:
    choose(probe=None)
    flash(
        "The next comparison measures drift, not forgetting.",
        undo=lambda: choose(probe=fingerprint) and None,
    )
