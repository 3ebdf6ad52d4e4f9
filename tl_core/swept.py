"""A sweep so far, sorted out of its events: one record for each of its points."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tl_core import record
from tl_core.answers import Ranking
from tl_core.events import (
    Answered,
    Event,
    JobEnded,
    PointFailed,
    PointStarted,
    Progress,
    SweepEnded,
    SweepStarted,
)
from tl_core.record import Record
from tl_core.sweep import Sweep


@dataclass
class Swept:
    """A sweep so far. `records` by the point's place; `ranking` only where models are compared.

    `failed`: why a point could not be compared, by its place.
    """

    sweep: Sweep | None = None
    records: dict[int, Record] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    place: int | None = None
    ranking: Ranking | None = None
    progress: Progress | None = None
    finished: SweepEnded | None = None
    job: JobEnded | None = None


def swept(events: Iterable[Event]) -> Swept:
    """Return the events of a sweep's job sorted by point."""
    found = Swept()
    for event in events:
        add(found, event)
    return found


def add(found: Swept, event: Event) -> None:
    """Sort one more event in; a sweep that goes on after a restart repeats what it has."""
    match event:
        case SweepStarted():
            found.sweep = event.sweep
        case PointStarted():
            found.place = event.place
            found.records.setdefault(event.place, Record())
            found.failed.pop(event.place, None)
        case PointFailed():
            found.failed[event.place] = event.reason
        case SweepEnded():
            found.finished = event
        case JobEnded():
            found.job = event
        case Answered():
            found.ranking = event.answer if isinstance(event.answer, Ranking) else found.ranking
        case Progress():
            found.progress = event
        case _ if found.place is not None:
            record.add(found.records[found.place], event)
