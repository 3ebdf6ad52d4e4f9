"""Experiments of pitfalls and lessons: found by what they ask for, started, watched, answered."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from tl_core import outcomes, pitfall_jobs, sameness, weights
from tl_core.answers import QUESTIONS
from tl_core.catalog import find
from tl_core.datasets import Dataset
from tl_core.events import Answered
from tl_core.outcomes import Outcome, Reply
from tl_core.pitfall_jobs import Experiment, PitfallJob
from tl_core.pitfalls import PITFALLS, Pitfall
from tl_core.record import Record, record
from tl_core.remaining import current as current_run
from tl_core.store import NO_TAGS, Comparison, StoreError, Tags
from tl_ui import asking, current, queue_place
from tl_ui.card_deck import PITFALL_DECK
from tl_ui.follow import follow
from tl_ui.widgets import flash, safe_label

# A part of an experiment is a job, or None before it was asked for.
Parts = Sequence[Comparison | None]
# The newest job of each identity.
Known = Mapping[str, Comparison]
PREPARING = 0.2


def known(tags: Tags | None = None) -> Known:
    """Return the newest job of everything that cards may have asked for, cancelled ones apart.

    With `tags` only jobs of that participant. Read once for all cards of a page.
    """
    found: dict[str, Comparison] = {}
    for kind in ("compare", *QUESTIONS):
        for job in current.store().list(limit=asking.LOOK_BACK, kind=kind):
            is_ours = tags is None or _who(job.tags) == _who(tags)
            if is_ours and job.config is not None and job.status != "cancelled":
                same = sameness.identity(job.kind, job.config, job.request)
                found.setdefault(same, job)
    return found


def _who(tags: Tags) -> tuple[str, str]:
    return tags.class_code, tags.participant


def parts(wanted: Experiment, own: bool, there: Known) -> Parts:
    """Return the job of every part of an experiment, on the user's data if `own`."""
    data = current.dataset() if own else current.known_sample(wanted.sample)
    if data is None:  # a sample set that was never made
        return [None] * len(wanted.experiment)
    return [there.get(job.same) for job in jobs(wanted, data)]


def jobs(wanted: Experiment, data: Dataset) -> list[PitfallJob]:
    """Return the parts of an experiment with the bundled model, as the queue is asked for them."""
    row = find(weights.FIRST_MODEL)
    return pitfall_jobs.jobs(wanted, data, row, row.weights.sha256)


def is_done(found: Parts) -> bool:
    """Return whether every part has finished; an experiment without parts always has."""
    return all(job is not None and job.status == "done" for job in found)


def is_active(found: Parts) -> bool:
    """Return whether any part waits or runs."""
    return any(job is not None and job.active for job in found)


def stage(pitfall: Pitfall, there: Known) -> str:
    """Return how far one has come with a card: `running`, `seen`, or nothing."""
    state = PITFALL_DECK.of(pitfall)
    found = parts(pitfall, state.own, there)
    if is_active(found):
        return "running"
    return "seen" if state.shown and is_done(found) else ""


def start(pitfall: Pitfall, own: bool) -> None:
    """Ask for every part that has not been answered yet, and show the result when it is there."""
    data = current.dataset() if own else current.sample(pitfall.sample)
    if ask(pitfall, pitfall.title, data, known()):
        PITFALL_DECK.reveal(pitfall)


def ask(wanted: Experiment, title: str, data: Dataset, there: Known, tags: Tags = NO_TAGS) -> bool:
    """Queue every part that is not `there` or has failed; return whether the queue took them."""
    try:
        for part in jobs(wanted, data):
            found = there.get(part.same)
            if found is None or found.status == "failed":
                current.store().create(
                    part.config,
                    f"{title}: {data.name}",
                    kind=part.kind,
                    request=part.request,
                    tags=tags,
                )
    except StoreError as error:
        flash(safe_label(error, 400), ":material/error:")
        return False
    return True


def watch(pitfall: Pitfall, own: bool) -> None:
    """Show how far an experiment is until it ends; then the whole page is drawn anew."""
    st.fragment(look, run_every=1.0)(pitfall.name, lambda: parts(pitfall, own, known()))


def look(name: str, parts_now: Callable[[], Parts]) -> None:
    """Show how far the active parts of a card are, once."""
    found = parts_now()
    if not is_active(found):
        st.rerun()
    over = sum(job is not None and not job.active for job in found)
    now = next(job for job in found if job is not None and job.active)
    share, said = _share(now)
    lead = f"Part {over + 1} of {len(found)}: " if len(found) > 1 else ""
    st.progress((over + share) / len(found), text=f"{lead}{safe_label(said)}")
    st.button("Cancel", key=f"pitfall_cancel_{name}", on_click=_cancel, args=(found,))


def _cancel(found: Parts) -> None:
    for job in found:
        if job is not None and job.active:
            current.store().request_cancel(job.id)


def _share(job: Comparison) -> tuple[float, str]:
    """Return how far a job is, 0 to 1, and what it does."""
    if job.status == "queued":
        return 0.0, queue_place.words(job)
    found = follow(job.id).found if job.kind == "compare" else Record()
    if found.started is None:
        begun = job.progress.fraction or 0.0 if job.progress else 0.0
        share = begun if job.kind != "compare" else PREPARING * begun
        return share, job.progress.message if job.progress else "Starting"
    planned, over = max(found.started.planned_runs, 1), len(found.ended) + len(found.failed)
    run_id = current_run(found)
    share, said = float(over), "Measuring"
    if run_id is not None:
        run = found.runs[run_id].run
        share += max(found.curves.get(run_id, {}), default=0) / max(run.steps, 1)
        said = run.strategy.title
    return min(PREPARING + (1 - PREPARING) * share / planned, 1.0), said


def outcome(pitfall: Pitfall, found: Parts) -> Outcome:
    """Return what a finished experiment showed; raises NotMeasured where something is missing."""
    return _outcome(pitfall.name, tuple(job.id for job in found if job is not None))


@st.cache_data(max_entries=64, show_spinner=False)
def _outcome(name: str, ids: tuple[str, ...]) -> Outcome:
    return outcomes.outcome(PITFALLS[name], [reply(job) for job in ids])


def reply(job: str) -> Reply:
    """Return what a finished job gave: its answer, or its comparison."""
    events = [event for _, event in current.store().events(job)]
    answer = next((event.answer for event in events if isinstance(event, Answered)), None)
    return answer if answer is not None else record(events)


@st.cache_resource(max_entries=8, show_spinner=False)
def compared(job: str) -> Record:
    """Return a finished comparison, to compute further numbers from; not to be changed."""
    return record(event for _, event in current.store().events(job))
