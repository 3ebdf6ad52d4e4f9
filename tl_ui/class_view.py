"""What a class has measured, participant by participant, and what it had guessed."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from tl_core import class_overview, guessing, lesson_links
from tl_core.class_overview import Entry, Row
from tl_core.record import record
from tl_core.store import Comparison
from tl_core.strategies import STRATEGIES, custom_strategy
from tl_core.wording import number_of, percent, points, spread
from tl_ui import big_screen, current, identity, theme, workshop
from tl_ui.widgets import plain_label, safe_label

_LOOK, _SEEN, _MOST, _SECONDS = "class_look", "class_seen", 300, 3.0
_AT_ONCE, _KEPT = 2, 1000
_BROUGHT = "images of their own"
_TITLES = {name: s.title for name, s in STRATEGIES.items()} | {
    "custom": custom_strategy((True,)).title
}


def section() -> None:
    """Show what was measured under a class code: a room's own, else the one that is given."""
    if identity.in_room():
        st.caption(
            "Comparisons of everyone in this room, side by side. **Names, guesses and results are "
            "visible to everyone here**; images that somebody brought, and what they are called, "
            "are not: their results stand here as numbers only."
        )
        if code := workshop.code():
            st.fragment(_look, run_every=_SECONDS)(code)
        return
    st.caption(
        "Comparisons that were started with a class code, side by side. **Names and results are "
        "visible to everyone who can open this server**, so a nickname will do. All users share "
        "this machine: comparisons wait for each other, in turn."
    )
    given = st.text_input(
        "Class code",
        value=workshop.code(),
        key=_LOOK,
        max_chars=32,
        placeholder="as in the lesson link",
        width=260,
    )
    if not given:
        return
    try:
        wanted = lesson_links.class_code(given.strip())
    except ValueError as fault:
        st.info(f"A class code is {safe_label(fault)}.", icon=":material/info:")
        return
    st.fragment(_look, run_every=_SECONDS)(wanted)


def _look(code: str) -> None:
    jobs = current.store().of_class(code, _MOST)
    if not jobs:
        st.info(
            f"Nothing has been started in class {safe_label(code)} yet.", icon=":material/groups:"
        )
        return
    # The first look belongs to the page, which is not to wait for sums.
    is_first = st.session_state.get(_SEEN) != code
    st.session_state[_SEEN] = code
    rows = _rows(jobs, 0 if is_first else _AT_ONCE)
    people = len({job.tags.participant for job in jobs})
    st.markdown(
        f"**Class {safe_label(code)}**: {number_of(people, 'participant')}, "
        f"{number_of(len(jobs), 'comparison')}"
    )
    _table(jobs, rows)
    _tally(jobs, [row for row in rows.values() if row is not None])


@st.cache_resource(show_spinner=False)
def _made() -> dict[tuple[str, float], Row | None]:
    """What was summed up already, by job and ending: a comparison may be continued."""
    return {}


def _rows(jobs: Sequence[Comparison], most: int) -> dict[str, Row | None]:
    """Return the rows that are there; at most so many more are made, since each takes a moment."""
    made, new = _made(), 0
    while len(made) > _KEPT:
        made.pop(next(iter(made)), None)
    for job in jobs:
        if job.ended is not None and (job.id, job.ended) not in made and new < most:
            found = record(event for _, event in current.store().class_events(job.id))
            entry = Entry(job.tags.participant, job.id, found, job.ended)
            made[job.id, job.ended] = class_overview.row(entry) if found.started else None
            new += 1
    return {job.id: made.get((job.id, job.ended or 0.0)) for job in jobs}


def _table(jobs: Sequence[Comparison], rows: dict[str, Row | None]) -> None:
    lines = [_line(job, rows[job.id]) for job in jobs]
    st.dataframe(
        pd.DataFrame(lines),
        hide_index=True,
        height=big_screen.scaled(min(38 + 35 * len(lines), 420)),
        column_config={
            "Participant": st.column_config.TextColumn(pinned=True),
            "Result": st.column_config.LinkColumn(display_text="open", help="In the Lab"),
        },
        placeholder="–",
        alt="Comparisons of the class: participant, data, model, guess, recommendation, accuracy",
    )


def _line(job: Comparison, row: Row | None) -> dict[str, str | None]:
    asked = job.config.data.name if job.config else job.name
    opens = current.store().may_open(job)
    line: dict[str, str | None] = {
        "Participant": plain_label(job.tags.participant or "(no name)", 40),
        "Data": plain_label(row.data if row else asked, 40) if opens else _BROUGHT,
        "Model": plain_label(row.model, 40) if row else None,
        "Guess": _TITLES.get(job.tags.guess) or plain_label(job.tags.guess or "–", 60),
        "Recommended": plain_label(row.strategy, 60) if row and row.strategy else None,
        "Test accuracy (95%)": None,
        "Forgot most (95%)": None,
        "Status": theme.STATUS[job.status][0],
        "Result": f"/?job={job.id}" if opens else None,
    }
    if row and row.accuracy is not None:
        ends = spread(100 * (row.low or 0.0), 100 * (row.high or 0.0))
        line["Test accuracy (95%)"] = f"{percent(row.accuracy)} ({ends})"
    if row and row.forgot_points is not None:
        ends = spread(row.forgot_low, row.forgot_high)
        line["Forgot most (95%)"] = f"{row.forgot_strategy}: {points(row.forgot_points)} ({ends})"
    return line


def _tally(jobs: Sequence[Comparison], rows: Sequence[Row]) -> None:
    """Hold the guesses against what was recommended; the measured counts are not a vote."""
    guesses = [job.tags.guess for job in jobs if job.tags.guess]
    said = [row.strategy for row in rows if row.strategy is not None]
    counts = guessing.tally(guesses, said, _TITLES)
    if not counts:
        return
    st.markdown("**Guessed and recommended**")
    st.dataframe(
        pd.DataFrame(counts, columns=["Strategy", "Guessed by", "Recommended in"]),
        hide_index=True,
        height=big_screen.scaled(38 + 35 * len(counts)),
        column_config={
            "Recommended in": st.column_config.NumberColumn(
                help="Comparisons whose verdict recommends it; others may be tied with it."
            )
        },
        alt="For each strategy how many guessed it and how many comparisons recommend it",
    )
