"""Source images: what forgetting is measured on, and what of the source task they cover."""

import streamlit as st

from tl_core import catalog, class_map, source_images
from tl_core.catalog import Model
from tl_core.config import DRAWN, RATED_FROM
from tl_core.datasets import Dataset
from tl_core.ingest import source_probe
from tl_core.wording import number_of
from tl_ui import current, dataset_library, dataset_report, upload
from tl_ui.state import choice, choose
from tl_ui.widgets import flash, listed, safe_label, thumbnails

# While source images are drawn by another process.
_LOOK_SECONDS = 2.0
_PICTURES, _WIDTH = 16, 48


def section(data: Dataset | None, row: Model) -> None:
    """Show what source images are for, those in use, and ways to bring some."""
    st.markdown(
        "Training on your images can make the model **forget** what it knew. To measure that, it "
        "needs a few labelled images of things it knows, from its own source task: "
        f"{row.weights.source_task}. {_without(row)}"
    )
    if data is not None:
        _in_use(data, row)
    elif current.draws_probe():
        st.fragment(_being_drawn, run_every=_LOOK_SECONDS)(row)
    if row.weights.drawn and not current.draws_probe():
        st.button(
            f"Use {source_probe.COUNT:,} images drawn here",
            key="probe_draw",
            icon=":material/draw:",
            on_click=_draw,
            args=(choice().probe,),
        )
    needed = data is None and not row.weights.drawn
    with st.expander("Bring source images", icon=":material/upload:", expanded=needed):
        upload.section("probe", taken)
    with st.expander("Brought earlier", icon=":material/inventory_2:"):
        dataset_library.earlier("probe")


def _without(row: Model) -> str:
    if row.weights.drawn:
        return "The app draws them itself, with other random numbers than training had."
    return "Without them the app shows drift only, never forgetting."


def taken(data: Dataset) -> None:
    """Use source images that have just been taken in."""
    before = choice().probe
    choose(probe=data.fingerprint)
    flash(
        f"{number_of(len(data.images), 'source image')} taken in from {safe_label(data.name)}.",
        undo=lambda: choose(probe=before) and None,
    )


def coverage(data: Dataset, row: Model) -> tuple[str, list[str]]:
    """Return what the images can measure, and a line on each label without a source class."""
    sources = catalog.source_classes(row.weights.source_classes)
    halves = source_images.halves(data, row)
    usable, aside = len(halves.measured.places), len(halves.learning.places)
    classes = set(halves.measured.labels)
    lost = [
        f"{label}: {found.reason}"
        for label, found in class_map.unmatched(data.classes, sources).items()
    ]
    if not usable:
        return "None of these labels is a source class of this model, so nothing is measured.", lost
    images = number_of(usable, "image")
    if usable < RATED_FROM:
        return (
            f"{images} of {len(classes):,} of {len(sources):,} source classes: under {RATED_FROM} "
            "images predictions are shown, but no rate."
        ), lost
    text = f"Forgetting is measured on {len(classes):,} of {len(sources):,} source classes, "
    if not aside:
        return f"{text}{images}.", lost
    return (
        f"{text}{usable:,} of {number_of(usable + aside, 'image')}. The other half is for what "
        "learns from source images, so that nothing is measured on what it was fitted to."
    ), lost


def title(data: Dataset) -> str:
    """Return what source images are called, as Markdown."""
    if source_probe.is_drawn(data):
        return f"{number_of(len(data.images), 'source image')}, drawn here"
    return safe_label(data.name)


def spread(images: int, most: int) -> list[int]:
    """Return at most `most` of so many places, evenly from first to last."""
    return list(range(0, images, max(1, -(-images // most))))


def _in_use(data: Dataset, row: Model) -> None:
    text, lost = coverage(data, row)
    with st.container(border=True):
        st.markdown(f":material/check_circle: **{title(data)}**. {text}")
        if lost:
            listed("Labels without a source class", lost)
        thumbnails(data, spread(len(data.images), _PICTURES), _WIDTH)
        details = st.expander(
            "All pictures, counts, refused files", key="probe_details", on_change="rerun"
        )
        if details.open:
            with details:
                dataset_report.section(data)
        _off_button()


def _being_drawn(row: Model) -> None:
    if source_probe.known(row) is not None:
        st.rerun()
    with st.container(border=True):
        st.markdown(
            f":material/draw: **{source_probe.COUNT:,} source images, drawn here** in the "
            "background, once: they are ready in a few seconds. A comparison can be started "
            "already."
        )
        _off_button()


def _off_button() -> None:
    st.button("Measure no forgetting", key="probe_off", on_click=_off, args=(choice().probe,))


def _off(before: str | None) -> None:
    choose(probe=None)
    flash(
        "The next comparison measures drift, not forgetting.",
        undo=lambda: choose(probe=before) and None,
    )


def _draw(before: str | None) -> None:
    choose(probe=DRAWN)
    flash(
        "The next comparison measures forgetting on images drawn here.",
        undo=lambda: choose(probe=before) and None,
    )
