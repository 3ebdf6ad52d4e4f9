"""Mistakes: what each strategy takes for what, the images behind it, and mending their labels."""

import streamlit as st

from tl_core import figures
from tl_core.image_answers import Confused, confusion, images_behind, most_confused
from tl_core.wording import number_of, percent
from tl_ui import gallery, image_edits, looked, versions
from tl_ui.image_edits import Bench
from tl_ui.looked import Looked
from tl_ui.versions import Versions
from tl_ui.widgets import plain_label, safe_label

# More classes do not fit a matrix that can be read: then the commonest mistakes are listed.
MOST_CLASSES, _LISTED = 20, 100
_ADVICE = "This comparison is now marked as one of the data before."

Cell = tuple[int, int]


def section(of: Looked) -> None:
    """Show one strategy's mistakes and the images behind a kind of mistake."""
    name = _strategy(of)
    counts = confusion(of.found, name)
    mistakes = most_confused(counts)
    _words(of, name, int(counts.sum()), mistakes)
    cell = _cell(of, mistakes)
    if len(counts) > MOST_CLASSES:
        _list(of, name, mistakes)
    else:
        _matrix(of, name, cell)
    cell = _boxes(of, cell)
    _images(of, name, cell, int(counts[cell]))


def _strategy(of: Looked) -> str:
    """Let the user choose among the shown strategies."""
    chosen: str = st.pills(
        "Strategy",
        of.measured,
        default=of.measured[0],
        required=True,
        format_func=lambda name: of.titles[name],
        # Other strategies to choose from are another choice.
        key=of.key(f"mistakes_of_{'_'.join(of.measured)}"),
        label_visibility="collapsed",
    )
    return chosen


def _words(of: Looked, name: str, tests: int, mistakes: list[Confused]) -> None:
    title, wrong = safe_label(of.titles[name]), sum(one.count for one in mistakes)
    if not mistakes:
        st.markdown(f"**{title} made no mistake** in {number_of(tests, 'test')}.")
        return
    first = mistakes[0]
    label, predicted = (_class(of, place) for place in (first.label, first.predicted))
    st.markdown(
        f"**{title} was wrong in {wrong:,} of {number_of(tests, 'test')}.** Most often it took "
        f"{label} for {predicted}: {first.count:,} times, {percent(first.share)} of all tests of "
        f"{label}."
    )


def _class(of: Looked, place: int) -> str:
    return safe_label(of.facts.classes[place], 60)


def _cell(of: Looked, mistakes: list[Confused]) -> Cell:
    """Return the chosen cell (class, prediction), the commonest mistake to begin with."""
    first = (mistakes[0].label, mistakes[0].predicted) if mistakes else (0, 0)
    chosen: Cell = st.session_state.setdefault(of.key("mistakes_cell"), first)
    return chosen


def _matrix(of: Looked, name: str, cell: Cell) -> None:
    """Show the confusion matrix; a click chooses a cell."""
    counts, classes = confusion(of.found, name), of.facts.classes
    # A chart keeps the selection that was made in it: one made elsewhere needs a chart anew.
    turn, begun = st.session_state.setdefault(of.key("mistakes_turn"), (0, cell))
    key = of.key(f"mistakes_chart_{name}_{turn}")
    st.vega_lite_chart(
        figures.confusion_frame(counts),
        figures.confusion_spec(
            [plain_label(one, 60) for one in classes], st.context.theme.type == "dark", begun
        ),
        height=figures.confusion_height(len(classes)),
        width="stretch",
        key=key,
        on_select=lambda: _take(of, st.session_state[key]["selection"].get(figures.CELL)),
        selection_mode=figures.CELL,
        alt=f"Confusion matrix of {of.titles[name]}: true class by predicted class. The two boxes "
        "below choose the same cells.",
    )
    st.caption(
        "A line is a true class, a column what it was taken for; numbers are tests of all seeds, "
        "colour the share of the line. Click a cell to see its images."
    )


def _take(of: Looked, selected: object) -> None:
    """Note the cell that was clicked; a click on it again changes nothing."""
    if isinstance(selected, list) and selected:
        st.session_state[of.key("mistakes_cell")] = (
            int(selected[0]["label"]),
            int(selected[0]["predicted"]),
        )


def _list(of: Looked, name: str, mistakes: list[Confused]) -> None:
    """Show the commonest mistakes of many classes; a tick chooses one."""
    some = mistakes[:_LISTED]
    key = of.key(f"mistakes_list_{name}")
    st.dataframe(
        {
            "True class": [plain_label(of.facts.classes[one.label], 60) for one in some],
            "Taken for": [plain_label(of.facts.classes[one.predicted], 60) for one in some],
            "Tests": [one.count for one in some],
            "Share of the class": [100 * one.share for one in some],
        },
        hide_index=True,
        height=38 + 35 * min(len(some), 10),
        column_config={"Share of the class": st.column_config.NumberColumn(format="%.0f%%")},
        key=key,
        on_select=lambda: _tick(of, some, st.session_state[key]["selection"]["rows"]),
        selection_mode="single-row",
        alt="The commonest mistakes: true class, what it was taken for, how often",
    )
    st.caption(
        f"{number_of(len(of.facts.classes), 'class', 'classes')}: the {len(some):,} commonest of "
        f"{number_of(len(mistakes), 'kind')} of mistakes. Tick a line to see its images."
    )


def _tick(of: Looked, some: list[Confused], rows: list[int]) -> None:
    if rows:
        one = some[rows[0]]
        st.session_state[of.key("mistakes_cell")] = (one.label, one.predicted)


def _boxes(of: Looked, cell: Cell) -> Cell:
    """Let the user choose a cell by name: by keyboard, on a phone, with many classes."""
    keys = [of.key("mistakes_label"), of.key("mistakes_predicted")]
    with st.container(horizontal=True):
        for title, key, place in zip(("True class", "Taken for"), keys, cell, strict=True):
            st.session_state[key] = place
            st.selectbox(
                title,
                range(len(of.facts.classes)),
                format_func=lambda label: plain_label(of.facts.classes[label], 60),
                key=key,
                on_change=_choose,
                args=(of, keys),
                width=260,
            )
    return cell


def _choose(of: Looked, keys: list[str]) -> None:
    cell = (st.session_state[keys[0]], st.session_state[keys[1]])
    turn, _ = st.session_state.get(of.key("mistakes_turn"), (0, cell))
    st.session_state[of.key("mistakes_cell")] = cell
    st.session_state[of.key("mistakes_turn")] = (turn + 1, cell)


def _images(of: Looked, name: str, cell: Cell, count: int) -> None:
    """Show the images behind a cell; from here their labels can be mended."""
    label, predicted = (_class(of, place) for place in cell)
    behind = images_behind(of.found, name, *cell)
    images = number_of(len(behind), "image")
    if cell[0] == cell[1]:
        st.markdown(f"**{label}, recognised as such: {images}**")
    else:
        tests = f" in {count:,} tests" if count > len(behind) else ""
        st.markdown(f"**{label} taken for {predicted}: {images}{tests}**")
    found = versions.versions(of)
    if found is None:
        return
    versions.notice(of, found)
    if not behind:
        return
    bench = Bench(found.now, of.key("mistakes"), _ADVICE)
    _mend(of, bench, found, behind, cell[1])
    image_edits.fault(bench)


def _mend(of: Looked, bench: Bench, found: Versions, behind: list[int], predicted: int) -> None:
    """Show the images, to be ticked; what they were taken for is offered first as their class."""
    answered, ticked = {one.image: one for one in looked.answers(of)}, []
    for image in gallery.pages(behind, f"{bench.name}_page"):
        gallery.picture(found.then, image)
        since = found.since(image) if found.changed else ""
        if since:
            st.caption(f":material/edit: {since}")
        gallery.answers(of, answered[image])
        place = found.places.get(image)
        if place is not None and image_edits.tick(bench, place):
            ticked.append(place)
    image_edits.controls(bench, ticked, {}, min(predicted, len(found.now.classes) - 1))
