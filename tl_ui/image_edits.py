"""Images that can be ticked, then dropped or relabelled, with undo: shared by all who show some."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from tl_core import datasets
from tl_core.datasets import Dataset
from tl_core.ingest import BadInput, edits
from tl_core.wording import number_of
from tl_ui import redraw
from tl_ui.dataset_library import comparisons_with
from tl_ui.state import choice, choose
from tl_ui.widgets import flash, plain_label, problem, safe_label

_FAULT = "edit_fault"


@dataclass(frozen=True)
class Bench:
    """Where a data set's images are edited. `name` tells places apart, `advice` what comes next."""

    data: Dataset
    name: str
    advice: str


def tick(bench: Bench, image: int) -> bool:
    """Show the box that ticks an image (index into the data set) and return whether it is."""
    key = f"tick_{bench.data.fingerprint[:8]}_{bench.name}_{image}"
    return st.checkbox("Tick", key=key)


def controls(
    bench: Bench, ticked: Sequence[int], suggested: Mapping[int, int], likely: int = 0
) -> None:
    """Offer to drop or relabel the ticked images, as `suggested` (image to class) or otherwise.

    `likely`: the class that is offered first.
    """
    data = bench.data
    with st.container(horizontal=True, vertical_alignment="bottom"):
        button(
            bench,
            f"Drop the {len(ticked)} ticked" if ticked else "Drop the ticked",
            lambda: edits.drop(data, ticked),
            f"{number_of(len(ticked), 'image')} dropped.",
            disabled=not ticked,
        )
        if suggested:
            button(
                bench,
                "Relabel the ticked as suggested",
                lambda: edits.relabel(data, {image: suggested[image] for image in ticked}),
                f"{number_of(len(ticked), 'image')} relabelled.",
                disabled=not ticked,
            )
        _relabel(bench, ticked, likely)
    if not ticked:
        st.caption("Tick images to drop or relabel them. Everything can be undone.")


def _relabel(bench: Bench, ticked: Sequence[int], likely: int) -> None:
    """Offer any class for the ticked images."""
    classes = bench.data.classes
    wanted = st.selectbox(
        "Other class",
        range(len(classes)),
        index=likely,
        format_func=lambda label: plain_label(classes[label], 60),
        key=f"class_{bench.name}_{bench.data.fingerprint[:8]}_{likely}",
        width=180,
    )
    button(
        bench,
        "Relabel",
        lambda: edits.relabel(bench.data, dict.fromkeys(ticked, wanted)),
        f"{number_of(len(ticked), 'image')} relabelled as {safe_label(classes[wanted])}.",
        disabled=not ticked,
    )


def button(
    bench: Bench, label: str, edit: Callable[[], Dataset], done: str, disabled: bool = False
) -> None:
    """Show a button that makes an edit; `done` (Markdown) says what it did."""
    st.button(
        label,
        key=f"edit_{bench.name}_{label[:12]}",
        disabled=disabled,
        on_click=_apply,
        args=(bench, edit, done),
    )


def fault(bench: Bench) -> None:
    """Say why the last edit could not be made."""
    kept = st.session_state.get(_FAULT)
    if kept is not None and kept[0] == bench.name:
        problem(kept[1])


def _apply(bench: Bench, edit: Callable[[], Dataset], done: str) -> None:
    """Make the edited data set and use it; the one before is still there to go back to."""
    st.session_state.pop(_FAULT, None)
    there = {data.fingerprint for data in datasets.all_datasets()}
    try:
        changed = edit()
    except BadInput as error:
        st.session_state[_FAULT] = (bench.name, str(error))
        return
    before = choice().dataset
    choose(dataset=changed.fingerprint)
    redraw.ask()

    def undo() -> None:
        choose(dataset=before or bench.data.fingerprint)
        # What is undone leaves nothing behind that would mark comparisons as out of date.
        if changed.fingerprint not in there and not comparisons_with(changed):
            datasets.delete(changed.fingerprint)

    flash(f"{done} {bench.advice}", undo=undo)
