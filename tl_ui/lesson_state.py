"""Which lesson is open, what was predicted, and whether its result may be seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from tl_core.lessons import LESSONS, Lesson

_KEY, _LESSON, _SEE = "lessons", "lesson", "see"


@dataclass(frozen=True)
class LessonState:
    """`guess`: place of an option; `shown`: the result was asked for."""

    guess: int | None = None
    shown: bool = False


def named(query: Mapping[str, str]) -> str | None:
    """Return the name of the lesson that an address opens, None if there is no such lesson."""
    name = query.get(_LESSON, "")
    return name if name in LESSONS else None


def opened() -> Lesson | None:
    """Return the lesson that the address names, None for the overview."""
    lesson = LESSONS.get(named(st.query_params) or "")
    # A new session of an address at which a result was seen: it is still there.
    if lesson is not None and _SEE in st.query_params and not of(lesson).shown:
        change(lesson, shown=True)
    return lesson


def of(lesson: Lesson) -> LessonState:
    """Return the session's state of a lesson."""
    states: dict[str, LessonState] = st.session_state.setdefault(_KEY, {})
    return states.get(lesson.name, LessonState())


def change(lesson: Lesson, **changes: object) -> None:
    """Put a changed state of a lesson into the session."""
    changed = replace(of(lesson), **changes)  # type: ignore[arg-type]
    st.session_state[_KEY][lesson.name] = changed


def go(lesson: Lesson | None) -> None:
    """Open a lesson, or none."""
    for name in (_LESSON, _SEE):
        st.query_params.pop(name, None)
    if lesson is not None:
        st.query_params[_LESSON] = lesson.name
        if of(lesson).shown:
            st.query_params[_SEE] = "1"


def reveal(lesson: Lesson) -> None:
    """Let the result be seen as soon as it is there, also after a refresh."""
    change(lesson, shown=True)
    st.query_params[_SEE] = "1"


def restart(lesson: Lesson) -> None:
    """Put a lesson back to its start; results stay in the store."""
    st.session_state.setdefault(_KEY, {}).pop(lesson.name, None)
    st.query_params.pop(_SEE, None)
