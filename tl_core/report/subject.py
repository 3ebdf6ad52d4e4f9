"""What a report is about, and where it comes from: a job of the store, or a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tl_core import evidence
from tl_core.columns import ranked
from tl_core.config import NotPossible
from tl_core.events import ComparisonStarted
from tl_core.flags import Evidence, Flag, flags
from tl_core.ingest import SAMPLE_PREFIX
from tl_core.record import Record, record
from tl_core.recording import Recording
from tl_core.slices import Attribute
from tl_core.store import AnyStore, Comparison
from tl_core.tables import StrategyRow, rows
from tl_core.verdict import Verdict, verdict


@dataclass(frozen=True)
class Subject:
    """A comparison that has started. `name` is its user's, `ended` in Unix seconds.

    `data`: how a script names the images on any machine, None where only this one has them.
    """

    evidence: Evidence
    name: str
    ended: float | None = None
    recorded: Recording | None = None
    data: str | None = None

    @property
    def found(self) -> Record:
        """The comparison."""
        return self.evidence.found

    @property
    def started(self) -> ComparisonStarted:
        """The comparison's first event."""
        return self.evidence.started

    @cached_property
    def rows(self) -> list[StrategyRow]:
        """What was measured, the recommended strategy first."""
        return ranked(self.evidence.rows, self.verdict)

    @cached_property
    def measured(self) -> list[StrategyRow]:
        """The rows of strategies that have a result."""
        return [row for row in self.rows if row.test_accuracy is not None]

    @cached_property
    def verdict(self) -> Verdict | None:
        """The verdict, None before any strategy has a result."""
        return verdict(self.found, self.evidence.rows)

    @cached_property
    def flags(self) -> list[Flag]:
        """What the Trust page says: raised, then unknown, then clear."""
        return flags(self.evidence) if self.measured else []


def of_job(
    store: AnyStore,
    job: Comparison,
    found: Record | None = None,
    attributes: Sequence[Attribute] | None = None,
) -> Subject:
    """Return a job's comparison, with all that this machine knows of it.

    `found`: its events if they were read before; `attributes` as for `evidence.gathered`. Raises
    NotPossible if it has measured nothing.
    """
    if found is None:
        found = record(event for _, event in store.events(job.id))
    if found.started is None:
        raise NotPossible("This comparison has measured nothing: there is nothing to report.")
    known = evidence.gathered(store, found, rows(found), attributes)
    ended = None if job.active else job.ended
    named = evidence.findable(evidence.data_of(found.started.config))
    return Subject(known, job.name, ended, data=named)


def of_recording(recording: Recording) -> Subject:
    """Return a recorded comparison."""
    found = recording.found()
    sample = f"{SAMPLE_PREFIX}{recording.facts.sample}"
    name = recording.started.dataset.name
    return Subject(Evidence(found, rows(found)), name, recorded=recording, data=sample)
