"""The class map of zero-shot transfer: each class of the user as one or more source classes."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from tl_core import catalog, class_map
from tl_core.catalog import Model, SourceClass
from tl_core.class_map import Suggestion
from tl_core.datasets import Dataset
from tl_core.wording import number_of
from tl_ui import undo
from tl_ui.state import choice, choose
from tl_ui.widgets import plain_label, safe_label

Indices = tuple[int, ...]


def resolved(suggested: Mapping[str, Suggestion], own: Mapping[str, Indices]) -> dict[str, Indices]:
    """Return the map as it stands: the user's edits, else the suggestions."""
    return {name: own.get(name, found.indices) for name, found in suggested.items()}


def describe(source: SourceClass) -> str:
    """Return a source class for a list to choose from; the index tells equal names apart."""
    more = f" ({', '.join(source.names[1:3])})" if len(source.names) > 1 else ""
    return f"{source.index}: {source.names[0]}{more}"


def section(row: Model, data: Dataset) -> None:
    """Show the map, what was refused as ambiguous, and an editor of one class at a time."""
    sources = catalog.source_classes(row.weights.source_classes)
    suggested = suggest(data.classes, row.weights.source_classes)
    current = resolved(suggested, choice().class_map)
    mapped = sum(bool(indices) for indices in current.values())
    st.caption(
        f"Zero-shot transfer uses no label: the model answers in its own {len(sources):,} "
        "classes, and this table says which of them stand for yours. "
        + _coverage(mapped, len(data.classes))
    )
    _table(current, suggested, sources)
    _ambiguous(current, suggested, sources)
    _editor(data, current, sources)


@st.cache_data(max_entries=64, show_spinner="Matching class names")
def suggest(classes: tuple[str, ...], source: str) -> dict[str, Suggestion]:
    """Return the suggestion of each target class."""
    return dict(class_map.suggest(classes, catalog.source_classes(source)))


def _coverage(mapped: int, classes: int) -> str:
    if mapped == 0:
        return "No class has a counterpart yet, so zero-shot transfer does not apply."
    if mapped < classes:
        return (
            f"{mapped} of {number_of(classes, 'class', 'classes')} have a counterpart; images of "
            "the others count as wrong."
        )
    return "Every class has a counterpart."


def _table(
    current: Mapping[str, Indices],
    suggested: Mapping[str, Suggestion],
    sources: Sequence[SourceClass],
) -> None:
    own = choice().class_map
    frame = pd.DataFrame(
        {
            "Your class": [plain_label(name) for name in current],
            "Source classes": [
                "; ".join(describe(sources[i]) for i in indices) or "none"
                for indices in current.values()
            ],
            "Why": [
                "your choice" if name in own else plain_label(suggested[name].reason, 200)
                for name in current
            ],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=min(38 + 35 * len(frame), 400),
        alt="Class map: your class, the source classes that stand for it, and why",
    )


def _ambiguous(
    current: Mapping[str, Indices],
    suggested: Mapping[str, Suggestion],
    sources: Sequence[SourceClass],
) -> None:
    """Offer the candidates of names that mean several source classes and are not decided yet."""
    for name, found in suggested.items():
        if current[name] or not found.candidates or name in choice().class_map:
            continue
        st.markdown(f":material/help: **{safe_label(name)}** has several meanings. Which is yours?")
        with st.container(horizontal=True):
            for index in found.candidates:
                st.button(
                    safe_label(describe(sources[index])),
                    key=f"candidate_{name}_{index}",
                    on_click=_set,
                    args=(name, (index,)),
                )


def _editor(data: Dataset, current: Mapping[str, Indices], sources: Sequence[SourceClass]) -> None:
    st.markdown("**Change a class**")
    left, right = st.columns([1, 2])
    names = list(data.classes)
    place = left.selectbox(
        "Your class",
        range(len(names)),
        format_func=lambda i: plain_label(names[i]),
        key=f"map_class_{data.fingerprint[:8]}",
    )
    name = names[place]
    key = f"map_sources_{data.fingerprint[:8]}_{place}"
    st.session_state[key] = list(current[name])
    right.multiselect(
        "Source classes that stand for it",
        range(len(sources)),
        key=key,
        format_func=lambda i: describe(sources[i]),
        placeholder="Type to search the source classes",
        on_change=lambda: _set(name, tuple(st.session_state[key])),
    )
    with st.container(horizontal=True):
        undo.button("class_map", "the class map", "class_map")
        if any(known in choice().class_map for known in names):
            st.button(
                "Back to the suggestions",
                icon=":material/restart_alt:",
                on_click=lambda: choose(class_map={}) and None,
            )


def _set(name: str, indices: Indices) -> None:
    choose(class_map={**choice().class_map, name: indices})
