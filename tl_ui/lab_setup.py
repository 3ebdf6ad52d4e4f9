"""The Lab before a run: three steps with their defaults done, one button, what to expect."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from tl_core import curves, datasets, estimate, glossary
from tl_core.catalog import Model
from tl_core.config import ComparisonConfig
from tl_core.curves import Line
from tl_core.datasets import Dataset
from tl_core.wording import duration, number_of
from tl_ui import (
    chart,
    current,
    guess,
    launch,
    lesson_link,
    plan_popover,
    recorded,
    strategy_table,
    teach,
    theme,
)
from tl_ui.launch import Prepared
from tl_ui.state import choice
from tl_ui.widgets import safe_label, thumbnails

COLUMNS = [420, 800]
_THUMBNAILS, _THUMBNAIL_WIDTH = 6, 40


def show() -> None:
    """Show the set-up."""
    st.header(
        "Which way of reusing a trained model works best on your images?",
        anchor=False,
        help=glossary.explain("transfer learning", "strategy"),
    )
    ready = launch.prepared(choice())
    left, right = st.columns(COLUMNS, gap="medium")
    with left:
        with st.container(border=True, gap="xxsmall"):
            _data(ready.data)
            _model(ready.row)
            _compare(ready)
        _start(ready)
    floor = curves.floor(majority(ready.data, ready.config.seeds))
    shown = recorded.find(ready.data, ready.config)
    with right:
        if shown is not None:
            recorded.section(shown, ready.config, ready.row, floor)
        else:
            _empty_chart(ready, floor)
    if shown is not None:
        recorded.details(shown)


def _step(number: int, name: str, done: bool = True) -> DeltaGenerator:
    """Show a step's name; return the line, for the control that changes it."""
    icon = ":material/check_circle:" if done else ":material/radio_button_unchecked:"
    line = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap=None
    )
    line.markdown(f"{icon} **{number} {name}**", width="content")
    return line


def _data(data: Dataset) -> None:
    line = _step(1, "Data")
    if not lesson_link.hidden("data"):
        line.page_link(theme.DATA, label="Change data", icon=":material/image:")
    images = number_of(len(data.images), "image")
    classes = number_of(len(data.classes), "class", "classes")
    st.caption(f"{safe_label(data.name, 40)}, {images}, {classes}")
    firsts = [
        next(i for i, image in enumerate(data.images) if image.label == label)
        for label in sorted({image.label for image in data.images})[:_THUMBNAILS]
    ]
    spare = [i for i in range(len(data.images)) if i not in firsts]
    thumbnails(data, [*firsts, *spare][:_THUMBNAILS], _THUMBNAIL_WIDTH)


def _model(row: Model) -> None:
    file = current.weights_file()
    line = _step(2, "Model", done=file is not None)
    if not lesson_link.hidden("model"):
        line.page_link(theme.MODEL, label="Change model", icon=":material/layers:")
    state = "" if file else ", weights not here yet"
    st.caption(
        f"{row.title}, {row.weights.megabytes:.0f} MB{state}",
        help=f"{safe_label(row.weights.commercial, 300)} {glossary.explain('pretrained model')}",
    )


def _compare(ready: Prepared) -> None:
    chosen, refused = ready.config.strategies, launch.refused(ready.row)
    line = _step(3, "Compare", done=bool(chosen))
    if not lesson_link.hidden("plan"):
        with line.popover("Change plan", icon=":material/tune:", type="tertiary"):
            plan_popover.section(ready.row, refused)
    st.caption(
        f"{number_of(len(chosen), 'strategy', 'strategies')}, "
        f"{launch.seeds_text(ready.config.seeds)}, {launch.budget_text(ready.config)}; "
        f"{launch.forgetting_text(ready)}"
    )
    for name in refused:
        if name in choice().strategies:
            st.caption(f":material/block: Left out: {safe_label(refused[name], 300)}")


def _start(ready: Prepared) -> None:
    planned = launch.plan(ready.config, ready.counts)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.button(
            "Compare strategies",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=bool(ready.reason),
            on_click=_begin,
            args=(ready.config,),
            key="start",
        )
        if planned:
            st.caption(f"about {duration(planned.seconds)}", width="content")
    if ready.reason:
        st.markdown(f":material/info: {safe_label(ready.reason, 400)}")
    if ready.lacks_weights:
        with st.container(horizontal=True):
            if ready.row.weights.url and st.button("Download", icon=":material/download:"):
                st.switch_page(theme.MODEL)
            if st.button("Own file", icon=":material/upload_file:"):
                st.switch_page(theme.MODEL)
    queue = f"waits for {number_of(ready.waiting, 'other job')} first · " if ready.waiting else ""
    power = estimate.power_sentence(ready.counts.n_test, ready.config.seeds, ready.given_split)
    st.caption(f"{queue}{power}.")
    for note in planned.notes if planned else ():
        st.caption(safe_label(note, 300))
    st.caption("Don't worry, nothing here can break: everything can be undone or run again.")
    if not lesson_link.hidden("guess"):
        guess.section(ready.config.strategies)
    teach.popover()


def _begin(config: ComparisonConfig) -> None:
    if launch.start(config, guess=guess.current(config.strategies)) is not None:
        guess.remember(None)  # the next comparison is another question


def majority(data: Dataset, seeds: int) -> float:
    """Return the floor that the comparison will report."""
    return _majority(data.fingerprint, seeds, data)


@st.cache_data(max_entries=64, show_spinner=False)
def _majority(fingerprint: str, seeds: int, _data: Dataset) -> float:
    return datasets.majority_baseline(_data, seeds)


def _empty_chart(ready: Prepared, floor: Line) -> None:
    st.markdown("**Accuracy on held-out images**")
    chart.before(floor)
    chart.legend(ready.config.strategies, [floor])
    st.caption(
        f"Dotted: always guessing the largest class reaches {floor.value:.0f}%. Whatever is "
        "worth having lies above it. Press Compare strategies: every strategy draws its own curve "
        "here, cheapest first, within seconds."
    )
    st.markdown("**What textbooks say** (the comparison measures it on your images)")
    strategy_table.textbook(ready.config.strategies, ready.row)
