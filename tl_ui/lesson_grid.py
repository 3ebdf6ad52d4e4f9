"""All lessons as a grid of cards, with how far one has come with each."""

import streamlit as st

from tl_core.lessons import LESSONS, Lesson
from tl_ui import lesson_run, lesson_state, pitfall_run
from tl_ui.pitfall_run import Known

_WIDTH = 250


def section(opened: Lesson | None, there: Known) -> None:
    """Show a small card for every lesson."""
    with st.grid(min_column_width=_WIDTH):
        for lesson in LESSONS.values():
            _card(lesson, opened is lesson, there)


def _card(lesson: Lesson, is_open: bool, there: Known) -> None:
    with st.container(border=True, gap="xsmall", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{lesson.icon} **{lesson.title}**", width="content")
            _badge(lesson, there)
        st.caption(f"{lesson.question} ({lesson.minutes} minutes)")
        st.button(
            "Open now" if is_open else "Open",
            key=f"open_{lesson.name}",
            disabled=is_open,
            on_click=lesson_state.go,
            args=(lesson,),
            help="This lesson is open above." if is_open else f"Open the lesson {lesson.title}",
        )


def _badge(lesson: Lesson, there: Known) -> None:
    """Say how far one has come: running, seen, or predicted."""
    state = lesson_state.of(lesson)
    found = lesson_run.parts(lesson, there)
    if state.shown and pitfall_run.is_active(found):
        st.badge("running", icon=":material/play_arrow:", color="blue")
    elif found and state.shown and pitfall_run.is_done(found):
        st.badge("seen", icon=":material/check:", color="green")
    elif state.guess is not None:
        st.badge("predicted", icon=":material/lightbulb:", color="orange")
