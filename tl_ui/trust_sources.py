"""By what images can be grouped: their look, measured on request, and a table of the user's own."""

from dataclasses import replace

import streamlit as st

from tl_core import image_facts
from tl_core.datasets import Dataset
from tl_core.intake import asking
from tl_core.limits import MAX_TABLE_BYTES, MB, BadInput
from tl_core.slices import (
    MAX_ATTRIBUTES,
    MAX_VALUES,
    Attribute,
    OwnTable,
    automatic,
    own_table,
)
from tl_core.wording import number_of
from tl_ui import current, handing_in
from tl_ui.trust_evidence import Subject
from tl_ui.widgets import listed, problem, safe_label

_KEPT, _TURN, _WANTED = "trust_table", "trust_table_turn", "trust_measure_wanted"


def attributes(of: Subject) -> list[Attribute]:
    """Return what is known of each image: what was measured, and the user's own table."""
    data = _data(of)
    measured = _measured(data) if data is not None else ()
    own, _ = _own(of)
    titles = {one.title for one in measured}
    brought = [
        replace(one, title=f"{one.title} (your table)") if one.title in titles else one
        for one in (own.attributes if own else ())
    ]
    return [*measured, *brought]


def section(of: Subject) -> None:
    """Offer what groups can be made of."""
    data = _data(of)
    if data is None:
        st.info("The images of this comparison are no longer here, so nothing can group them.")
        return
    if st.session_state.pop(_WANTED, None) == data.fingerprint:
        _measure(data)
    if not image_facts.is_measured(data):
        st.button(
            "Measure light, size, background and sharpness",
            icon=":material/straighten:",
            key="trust_measure",
            on_click=_want,
            args=(data.fingerprint,),
            help="Every image is looked at once, without a model. It stays on this machine.",
        )
    with st.expander("Bring a table of your own attributes", icon=":material/table_view:"):
        st.markdown(
            "A CSV with a column `file` and a column for each attribute, such as camera, place or "
            f"season: at most {MAX_ATTRIBUTES} of at most {MAX_VALUES} values. It stays on this "
            "machine and is forgotten when you close the app."
        )
        turn = st.session_state.setdefault(_TURN, 0)
        st.file_uploader(
            "Your table (CSV)",
            type=["csv", "tsv"],
            key=f"trust_table_file_{turn}",
            max_upload_size=MAX_TABLE_BYTES // MB,
            on_change=_take,
            args=(of, f"trust_table_file_{turn}"),
            help="First line: file,camera,light. Then a line for each image.",
        )
        _report(of)


def _measured(data: Dataset) -> tuple[Attribute, ...]:
    return _automatic(data.fingerprint, image_facts.is_measured(data), data)


@st.cache_data(max_entries=32, show_spinner=False)
def _automatic(fingerprint: str, measured: bool, _data: Dataset) -> tuple[Attribute, ...]:
    facts = image_facts.known_facts(_data) if measured else None
    return automatic(facts) if facts is not None else ()


def _want(fingerprint: str) -> None:
    st.session_state[_WANTED] = fingerprint


def _measure(data: Dataset) -> None:
    """Measure what the images look like; no model is needed for that."""
    bar = st.progress(0.0, text=f"Measuring {number_of(len(data.images), 'image')}")
    try:
        for progress in image_facts.open_facts(data):
            bar.progress(progress.fraction or 0.0, text=safe_label(progress.message))
    except BadInput as error:
        problem(error, error.details)
        return
    st.rerun()


def _take(of: Subject, key: str) -> None:
    """Read a brought table and keep what it says; the uploader is emptied."""
    brought = st.session_state.get(key)
    data = _data(of)
    if brought is None or data is None:
        return
    st.session_state[_TURN] += 1
    try:
        table = asking.table(brought.name, brought)
        st.session_state[_KEPT] = (data.fingerprint, own_table(table, data), None)
    except BadInput as error:
        st.session_state[_KEPT] = (data.fingerprint, None, error)
    handing_in.release([brought])


def _data(of: Subject) -> Dataset | None:
    return current.load(of.job.config.data.fingerprint) if of.job.config else None


def _own(of: Subject) -> tuple[OwnTable | None, BadInput | None]:
    """Return the table that was brought for these data, or why it cannot be used."""
    fingerprint, own, fault = st.session_state.get(_KEPT, ("", None, None))
    config = of.job.config
    if config is None or config.data.fingerprint != fingerprint:
        return None, None
    return own, fault


def _report(of: Subject) -> None:
    """Say what of the brought table was used, or why it cannot be."""
    own, fault = _own(of)
    if fault is not None:
        problem(fault, fault.details)
    if own is None:
        return
    used = f"Used: {', '.join(safe_label(one.title, 40) for one in own.attributes)}."
    if own.without:
        used += f" {number_of(own.without, 'image')} of the data set are in no row."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/check: {used}", width="content")
        st.button("Remove", key="trust_table_remove", on_click=_forget, icon=":material/delete:")
    if own.unmatched:
        listed("Files that are not in the data set", own.unmatched)


def _forget() -> None:
    st.session_state.pop(_KEPT, None)
