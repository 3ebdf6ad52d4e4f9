"""Data: sample images, one's own, those kept from earlier, and the source images."""

import streamlit as st

from tl_core import glossary
from tl_core.datasets import Dataset
from tl_core.wording import number_of
from tl_ui import (
    current,
    dataset_library,
    dataset_report,
    probe_section,
    shell,
    shift_view,
    soundness_view,
    theme,
    upload,
)
from tl_ui.state import choice, choose
from tl_ui.widgets import flash, safe_label, show_flash

shell.require_shell()

WAYS = {"samples": "Samples", "own": "Use my images", "kept": "Kept earlier"}


def taken(data: Dataset) -> None:
    """Use a data set that has just been taken in."""
    before = choice().dataset
    choose(dataset=data.fingerprint)
    refused = f"; {number_of(len(data.refused), 'file')} refused" if data.refused else ""
    flash(
        f"{safe_label(data.name)}: {number_of(len(data.images), 'image')} in "
        f"{number_of(len(data.classes), 'class', 'classes')} taken in{refused}.",
        undo=lambda: choose(dataset=before) and None,
    )


st.title("Which images?")
st.page_link(theme.LAB, label="Back to the Lab", icon=":material/arrow_back:")
show_flash()

way = st.segmented_control(
    "Where from?",
    list(WAYS),
    default=asked if (asked := st.query_params.get("way")) in WAYS else "samples",
    required=True,
    format_func=WAYS.__getitem__,
    key="way",
    persist_state="session",
)
if way == "samples":
    dataset_library.samples()
elif way == "own":
    upload.section("target", taken)
else:
    dataset_library.earlier("target")

st.header("Used now", anchor=False)
dataset_report.section(current.dataset())

st.header("Is it sound?", anchor=False, help=glossary.explain("leakage", "domain distance"))
soundness_view.section(current.dataset())

with st.expander("Images without labels: what is among them?", icon=":material/help:"):
    shift_view.section()

st.header(
    "Source images: what would be forgotten?",
    anchor=False,
    help=glossary.explain("probe set", "forgetting"),
)
probe_section.section(current.probe(), current.model())
