"""Groups: which images are served worse, and did training help or hurt them?"""

import streamlit as st

from tl_core import figures, image_facts
from tl_core.answers import Estimate
from tl_core.datasets import Dataset
from tl_core.datasets.limits import MAX_TABLE_BYTES, MB, BadInput
from tl_core.dots import Dot
from tl_core.slices import (
    FEWEST_IMAGES,
    MAX_ATTRIBUTES,
    MAX_VALUES,
    Attribute,
    OwnTable,
    Slice,
    automatic,
    own_table,
    source_model,
)
from tl_core.wording import lowered, number_of, percent
from tl_ui import current, trust_evidence, trust_parts
from tl_ui.trust_evidence import Subject
from tl_ui.widgets import listed, plain_label, problem, safe_label

# Groups that the chart draws; the table has all.
DRAWN = 12
_KEPT, _TURN, _WANTED = "trust_table", "trust_table_turn", "trust_measure_wanted"

_HELP = {
    "Accuracy": "Share of the group's test images classified correctly, with its 95% interval.",
    "Behind the rest": "Accuracy of all other test images minus the group's, in points. The "
    "interval is widened for all groups judged at once (Holm).",
    "Since the source model": "That gap minus the same gap before training: did it narrow, or "
    "widen?",
}


def attributes(of: Subject) -> list[Attribute]:
    """Return what is known of each image: what was measured, and the user's own table."""
    data = _data(of)
    measured = _measured(data) if data is not None else ()
    own, _ = _own(of)
    return [*measured, *(own.attributes if own else ())]


def section(of: Subject) -> None:
    """Show accuracy by group of images."""
    known = attributes(of)
    _sources(of)
    if not known:
        st.caption("Nothing is known of your images yet by which to group them.")
        return
    name = trust_parts.strategy(of, of.measured, "groups")
    found = trust_evidence.grouped(of, known, name)
    if not found:
        st.info("The data set has changed since this comparison: its groups no longer match.")
        return
    _words(of, found, name)
    _chart(found, name)
    _table(of, found, name)


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


def _words(of: Subject, found: list[Slice], name: str) -> None:
    judged = [one for one in found if one.gap is not None]
    behind = [one for one in judged if one.behind]
    title = of.titles[name]
    if not judged:
        st.markdown(f"**Every group has too few test images** to be judged ({FEWEST_IMAGES}).")
    elif behind:
        worst = behind[0]
        st.markdown(
            f"**{safe_label(title)} serves {number_of(len(behind), 'group')} measurably worse than "
            f"the rest.** The worst: {_label(worst)}, {percent(worst.accuracy.value)} right, "
            f"{trust_parts.percents(worst.gap)} points behind."
        )
    else:
        st.markdown(
            f"**No group is measurably served worse** by {safe_label(lowered(title))}, of "
            f"{number_of(len(judged), 'group')} that are large enough to tell."
        )


def _label(one: Slice) -> str:
    return safe_label(f"{one.attribute}: {one.value}", 80)


def _chart(found: list[Slice], name: str) -> None:
    dots = [
        Dot(
            plain_label(f"{one.attribute}: {one.value}", 40),
            Estimate(value=100 * one.gap.value, low=100 * one.gap.low, high=100 * one.gap.high),
            strategy=name,
        )
        for one in found
        if one.gap is not None
    ][:DRAWN]
    if not dots:
        return
    figure = figures.interval_dots(dots, "Points behind the rest")
    st.plotly_chart(
        figure,
        height=int(figure.layout.height),
        key="chart_groups",
        config={"displayModeBar": False},
        alt=f"Points behind the rest by group: {figures.described(dots)}",
    )


def _table(of: Subject, found: list[Slice], name: str) -> None:
    columns = {
        "Group": [plain_label(f"{one.attribute}: {one.value}", 80) for one in found],
        "Test images": [f"{one.images:,}" for one in found],
        "Accuracy": [trust_parts.percents(one.accuracy) for one in found],
        "Behind the rest": [
            trust_parts.signed(one.gap) if one.gap else "too few images" for one in found
        ],
    }
    source = source_model(of.found)
    if source is not None and source != name:
        columns["Since the source model"] = [_turn(one) for one in found]
    trust_parts.table(columns, _HELP, "Accuracy by group of test images", "groups")
    before = ""
    if source is not None and source != name:
        before = (
            f" The source model is {lowered(of.titles[source])}: what the features gave before "
            "they were trained."
        )
    st.caption(f"Groups under {FEWEST_IMAGES} test images are shown last and never judged.{before}")


def _turn(one: Slice) -> str:
    if one.change is None:
        return "–"
    return f"{one.turn}: {trust_parts.signed(one.change)}"


def _sources(of: Subject) -> None:
    """Offer what groups can be made of: the look of the images, and a table of the user's own."""
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


def _take(of: Subject, key: str) -> None:
    """Read a brought table and keep what it says; the uploader is emptied."""
    brought = st.session_state.get(key)
    data = _data(of)
    if brought is None or data is None:
        return
    st.session_state[_TURN] += 1
    try:
        st.session_state[_KEPT] = (data.fingerprint, own_table(brought.getvalue(), data), None)
    except BadInput as error:
        st.session_state[_KEPT] = (data.fingerprint, None, error)


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
