"""One lesson, open: question, prediction, run, reveal, and on to the full result."""

import streamlit as st

from tl_core import figures, pitfall_jobs, weights
from tl_core.catalog import find
from tl_core.ingest import SAMPLES
from tl_core.lessons import LESSONS, Lesson
from tl_core.outcomes import NotMeasured, Outcome
from tl_core.pitfalls import PITFALLS
from tl_core.wording import duration, lowered
from tl_ui import lesson_run, pitfall_run, plots, theme
from tl_ui.card_deck import LESSON_DECK, CardState
from tl_ui.pitfall_run import Known, Parts
from tl_ui.widgets import problem, safe_label


def section(lesson: Lesson, there: Known) -> None:
    """Show a lesson with all its steps."""
    state = LESSON_DECK.of(lesson)
    found = lesson_run.parts(lesson, there)
    seen = bool(lesson.experiment) and state.shown and pitfall_run.is_done(found)
    with st.container(border=True, key="lesson"):
        _head(lesson)
        st.markdown(f":material/counter_1: **Question.** {lesson.question} {lesson.setting}")
        _predict(lesson, state, seen)
        if lesson.experiment:
            _run(lesson, state, found, seen)
        else:
            _card(lesson)
        if seen:
            _reveal(lesson, state, found)
        _leave(lesson, state)


def _head(lesson: Lesson) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.header(f"{lesson.icon} {lesson.title}", anchor=False, width="content")
        st.button(
            "All lessons",
            key="lesson_close",
            icon=":material/apps:",
            type="tertiary",
            on_click=LESSON_DECK.go,
            args=(None,),
        )
    st.caption(f"{lesson.minutes} minutes in class, {SAMPLES[lesson.sample].title.lower()}")


def _predict(lesson: Lesson, state: CardState, seen: bool) -> None:
    key = f"lesson_guess_{lesson.name}"
    st.markdown(f":material/counter_2: **Predict.** {lesson.predict}")
    st.session_state[key] = state.guess
    st.pills(
        "Your prediction",
        range(len(lesson.options)),
        format_func=lambda place: lesson.options[place],
        key=key,
        disabled=seen,
        label_visibility="collapsed",
        on_change=lambda: LESSON_DECK.change(lesson, guess=st.session_state[key]),
    )


def _run(lesson: Lesson, state: CardState, found: Parts, seen: bool) -> None:
    st.markdown(f":material/counter_3: **Run.** {lesson.runs}")
    row = find(weights.FIRST_MODEL)
    if not weights.available(row.name):
        problem(weights.missing(row))
        return
    if state.shown and pitfall_run.is_active(found):
        lesson_run.watch(lesson)
        return
    for reason in dict.fromkeys(job.reason for job in found if job and job.status == "failed"):
        problem(reason)
    if seen:
        return
    done = pitfall_run.is_done(found)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Show the result" if done else "Run it",
            key="lesson_run",
            type="primary",
            icon=":material/visibility:" if done else ":material/play_arrow:",
            on_click=lesson_run.start,
            args=(lesson,),
        )
        st.caption(_expected(lesson, done), width="content")


def _expected(lesson: Lesson, done: bool) -> str:
    if done:
        return "It has been measured on this machine already: nothing has to run."
    seconds = lesson_run.seconds(lesson)
    about = f"about {duration(seconds)}" if seconds else "about a minute"
    return f"{find(weights.FIRST_MODEL).title}, {about}. Nothing here can break."


def _card(lesson: Lesson) -> None:
    """Lead to the pitfall card that is this lesson's experiment."""
    assert lesson.card is not None
    st.markdown(f":material/counter_3: **Run.** {lesson.runs}")
    st.page_link(
        theme.PITFALLS,
        label=f"Open the card “{PITFALLS[lesson.card].title}”",
        icon=":material/play_arrow:",
        query_params={"card": lesson.card},
    )
    st.markdown(f":material/counter_4: **Go on.** Then look at {lowered(lesson.look)}")


def _reveal(lesson: Lesson, state: CardState, found: Parts) -> None:
    st.markdown(":material/counter_4: **Reveal.**")
    try:
        shown = lesson_run.outcome(lesson, found)
    except NotMeasured as missing:
        st.info(safe_label(missing, 400), icon=":material/info:")
        return
    plots.show(
        figures.interval_dots(shown.dots, shown.axis, shown.shares),
        key=f"lesson_chart_{lesson.name}",
        file=f"lesson-{lesson.name}",
        alt=f"{shown.axis}: {figures.described(shown.dots)}",
    )
    st.markdown(f"**Measured.** {safe_label(shown.sentence, 600)}")
    _judgement(lesson, state, shown)
    st.markdown(lesson.conclusion(shown.measure))
    _onward(lesson, found)


def _judgement(lesson: Lesson, state: CardState, shown: Outcome) -> None:
    """Say how the prediction stands against the measured value and its interval."""
    measured = lesson.options[lesson.option(shown.measure.value)]
    if state.guess is None:
        st.markdown(f":material/lightbulb: Measured: **{measured}**. You made no prediction.")
        return
    guess = lesson.options[state.guess]
    match lesson.judge(state.guess, shown.measure):
        case "right":
            st.success(f"**Your prediction was right:** {guess}.", icon=":material/check_circle:")
        case "not excluded":
            st.info(
                f"**Your prediction cannot be excluded:** {guess}. The measured value says "
                f"“{measured}”, but its interval reaches as far as yours.",
                icon=":material/help:",
            )
        case "wrong":
            st.warning(
                f"**Not what you predicted.** You said “{guess}”; measured: “{measured}”.",
                icon=":material/lightbulb:",
            )


def _onward(lesson: Lesson, found: Parts) -> None:
    """Lead to the full results, with what to look at there, and to the pitfall behind it."""
    st.markdown(
        f":material/counter_5: **Go on.** In the full result, look at {lowered(lesson.look)}"
    )
    compared = [job for job in found if job is not None and job.kind == "compare"]
    with st.container(horizontal=True):
        for place, job in enumerate(compared):
            number = f" {place + 1}" if len(compared) > 1 else ""
            st.page_link(
                theme.LAB,
                label=f"Full result{number} in the Lab",
                icon=":material/experiment:",
                query_params={"job": job.id},
            )
        if lesson.card is not None:
            st.page_link(
                theme.PITFALLS,
                label=f"Pitfall: {PITFALLS[lesson.card].title}",
                icon=":material/warning:",
                query_params={"card": lesson.card},
            )
    with st.expander("Commands that give these numbers again", icon=":material/terminal:"):
        lines = pitfall_jobs.commands(lesson)
        st.code("\n".join(lines), language="bash", wrap_lines=True)


def _leave(lesson: Lesson, state: CardState) -> None:
    names = list(LESSONS)
    after = LESSONS[names[(names.index(lesson.name) + 1) % len(names)]]
    untouched = state == CardState()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Undo: back to the start",
            key="lesson_undo",
            icon=":material/undo:",
            disabled=untouched,
            on_click=LESSON_DECK.restart,
            args=(lesson,),
            help="Nothing to undo yet: no prediction, no result shown."
            if untouched
            else "Forgets the prediction and hides the result. What you chose in the Lab was never "
            "touched; finished runs stay in the history.",
        )
        st.button(
            f"Next: {after.title}",
            key="lesson_next",
            icon=":material/arrow_forward:",
            on_click=LESSON_DECK.go,
            args=(after,),
        )
