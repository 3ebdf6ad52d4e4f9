"""Sweeps as jobs: started, found again, followed, and how far one has come."""

from dataclasses import dataclass, field

import msgspec
import pandas as pd
import streamlit as st

from tl_core import remaining, sweep_frame
from tl_core.config import ComparisonConfig
from tl_core.record import Record
from tl_core.store import Comparison, StoreError
from tl_core.sweep import Sweep, SweepName
from tl_core.swept import Swept, add
from tl_ui import current, launch, workshop
from tl_ui.follow import kept
from tl_ui.widgets import flash, safe_label

LOOK_BACK = 200
_KEY = "followed_sweeps"

# The questions as a person asks them.
ASKED: dict[SweepName, str] = {
    "labels": "Would more data help?",
    "depth": "How deep should I unfreeze?",
    "rate": "Which learning rate?",
    "steps": "How long?",
    "model": "Which model?",
    "input_size": "Which input size?",
    "augmentation": "Which augmentation?",
    "regularisation": "Which regularisation?",
}


@dataclass
class FollowedSweep:
    """A sweep as this session knows it: each event read once, a point's table kept till it grows.

    `frames`: by place, the numbers of ended and failed runs that the table is of, and the table.
    """

    found: Swept = field(default_factory=Swept)
    after: int = 0
    frames: dict[int, tuple[tuple[int, int], pd.DataFrame]] = field(default_factory=dict)

    @property
    def frame(self) -> pd.DataFrame:
        """The table of all points that have a result."""
        parts = [self.frames[place][1] for place in sorted(self.frames)]
        filled = [part for part in parts if not part.empty]
        empty = pd.DataFrame(columns=sweep_frame.COLUMNS)
        return pd.concat(filled, ignore_index=True) if filled else empty


def sweep_of(job: Comparison) -> Sweep | None:
    """Return the sweep that a job runs, None if this version can no longer read it."""
    try:
        return msgspec.convert(job.request["sweep"], Sweep)
    except (KeyError, msgspec.ValidationError):
        return None


def start(sweep: Sweep, base: ComparisonConfig) -> None:
    """Queue a sweep and show it; a full queue is told as a notice."""
    name = f"{ASKED[sweep.name]} {base.data.name}"
    try:
        job = current.store().create(
            base,
            name,
            kind="sweep",
            request={"sweep": msgspec.to_builtins(sweep)},
            tags=workshop.tags(""),
        )
    except StoreError as error:
        flash(safe_label(error, 400), ":material/error:")
        return
    st.query_params["job"] = job


def resume(job: str) -> None:
    """Go on with a sweep where it stopped; what is finished is taken over."""
    st.session_state.get(_KEY, {}).pop(job, None)
    launch.resume(job)


def on_data(fingerprint: str) -> list[Comparison]:
    """Return all sweeps on a data set, newest first."""
    return [
        job
        for job in current.store().list(limit=LOOK_BACK, kind="sweep")
        if job.config is not None and job.config.data.fingerprint == fingerprint
    ]


def follow(job: str) -> FollowedSweep:
    """Return a sweep, brought up to date with the events that came since the last look."""
    followed = kept(_KEY, job, FollowedSweep)
    for number, event in current.store().events(job, after=followed.after):
        add(followed.found, event)
        followed.after = number
    for place, record in followed.found.records.items():
        # Bootstraps over all images: only a run that ended changes them.
        made_of = (len(record.ended), len(record.failed))
        if followed.frames.get(place, (None,))[0] != made_of:
            alone = Swept(sweep=followed.found.sweep, records={place: record})
            followed.frames[place] = made_of, sweep_frame.sweep_frame(alone)
    return followed


def share(found: Swept, points: int) -> float:
    """Return how much of a sweep is over, 0 to 1; every point counts the same."""
    begun = len(found.records.keys() - found.failed.keys())
    under_way = [found.records[place] for place in unfinished(found)]
    done = len(found.failed) + begun - len(under_way)
    return min((done + sum(map(_part, under_way))) / max(points, 1), 1.0)


def unfinished(found: Swept) -> list[int]:
    """Return the points that have begun and not ended, several where runs go on side by side."""
    begun = [place for place in sorted(found.records) if place not in found.failed]
    return [place for place in begun if found.records[place].finished is None]


def _part(found: Record) -> float:
    if found.started is None:
        return 0.0
    over = float(len(found.ended) + len(found.failed))
    run_id = remaining.current(found)
    if run_id is not None:
        curve = found.curves.get(run_id, {})
        over += max(curve, default=0) / max(found.runs[run_id].run.steps, 1)
    return min(over / max(found.started.planned_runs, 1), 1.0)
