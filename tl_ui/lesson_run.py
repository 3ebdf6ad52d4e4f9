"""A lesson's comparisons: an existing one is taken, in a class everyone has one of their own."""

import streamlit as st

from tl_core import estimate, reveals, weights
from tl_core.catalog import find
from tl_core.datasets import Dataset
from tl_core.estimate import Counts
from tl_core.ingest import source_probe
from tl_core.lessons import LESSONS, Lesson
from tl_core.outcomes import Outcome
from tl_core.store import NO_TAGS
from tl_ui import current, identity, launch, pitfall_run, workshop
from tl_ui.card_deck import LESSON_DECK
from tl_ui.pitfall_run import Known, Parts


def known() -> Known:
    """Return what was asked for here; in a class only what this participant asked for.

    Finished trainings are taken over from each other all the same.
    """
    # A room shows each person their own jobs, whatever they are called by now.
    tags = NO_TAGS if identity.in_room() else workshop.tags()
    return pitfall_run.known(tags if tags != NO_TAGS else None)


def parts(lesson: Lesson, there: Known) -> Parts:
    """Return the job of every part of a lesson."""
    return pitfall_run.parts(lesson, False, there)


def stage(lesson: Lesson, there: Known) -> str:
    """Return how far one has come with a lesson: `running`, `seen`, or nothing."""
    found, shown = parts(lesson, there), LESSON_DECK.of(lesson).shown
    if shown and pitfall_run.is_active(found):
        return "running"
    return "seen" if found and shown and pitfall_run.is_done(found) else ""


def start(lesson: Lesson) -> None:
    """Ask for what has not been measured yet, and show the result when it is there."""
    data, guess = current.sample(lesson.sample), LESSON_DECK.of(lesson).guess
    tags = workshop.tags("" if guess is None else lesson.options[guess])
    if pitfall_run.ask(lesson, lesson.title, data, known(), tags):
        LESSON_DECK.reveal(lesson)


def watch(lesson: Lesson) -> None:
    """Show how far a lesson's comparisons are until they end."""
    st.fragment(pitfall_run.look, run_every=1.0)(lesson.name, lambda: parts(lesson, known()))


def outcome(lesson: Lesson, found: Parts) -> Outcome:
    """Return what was measured; raises NotMeasured where something is missing."""
    return _outcome(lesson.name, tuple(job.id for job in found if job is not None))


@st.cache_data(max_entries=64, show_spinner=False)
def _outcome(name: str, ids: tuple[str, ...]) -> Outcome:
    return reveals.reveal(LESSONS[name], [pitfall_run.reply(job) for job in ids])


def seconds(lesson: Lesson) -> float | None:
    """Return how long a lesson is expected to run here, None before its images were drawn."""
    data = current.known_sample(lesson.sample)
    if data is None:
        return None
    counts = _counts(data.fingerprint, data, lesson.source_images)
    plans = [launch.plan(part.config, counts) for part in pitfall_run.jobs(lesson, data)]
    return sum(plan.seconds for plan in plans if plan is not None)


@st.cache_data(max_entries=32, show_spinner=False)
def _counts(fingerprint: str, _data: Dataset, draws: bool) -> Counts:
    train, validation, test = launch.sizes(_data)
    row = find(weights.FIRST_MODEL)
    drawn = source_probe.COUNT if draws and row.weights.drawn else 0
    pixels = estimate.stored_pixels(_data)
    return Counts(train, validation, test, drawn, classes=len(_data.classes), pixels=pixels)
