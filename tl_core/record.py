"""A comparison so far, sorted out of its events."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import msgspec

from tl_core.events import (
    ComparisonEnded,
    ComparisonStarted,
    EpochEnded,
    Event,
    JobEnded,
    MicroBatchHalved,
    Progress,
    RunEnded,
    RunFailed,
    RunStarted,
)
from tl_core.strategies import Strategy


@dataclass
class Record:
    """A comparison so far, sorted out of its events; later events replace earlier ones."""

    started: ComparisonStarted | None = None
    runs: dict[str, RunStarted] = field(default_factory=dict)
    curves: dict[str, dict[int, EpochEnded]] = field(default_factory=dict)
    ended: dict[str, RunEnded] = field(default_factory=dict)
    failed: dict[str, RunFailed] = field(default_factory=dict)
    progress: Progress | None = None
    micro_batch: int | None = None
    finished: ComparisonEnded | None = None
    job: JobEnded | None = None

    def final(self, strategy: str, kind: str = "final") -> dict[int, RunEnded]:
        """Return a strategy's ended runs of a kind by seed."""
        return {
            ended.run.seed: ended
            for ended in self.ended.values()
            if ended.run.strategy.name == strategy and ended.run.kind == kind
        }

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """The strategies of the comparison, in the order they were asked for."""
        return self.started.config.strategies if self.started else ()


def record(events: Iterable[Event]) -> Record:
    """Return the events sorted by what they say."""
    found = Record()
    for event in events:
        add(found, event)
    return found


def narrowed(found: Record, names: Collection[str]) -> Record:
    """Return what a comparison holds of some of its strategies, as if no other had been in it."""
    if found.started is None:
        return found
    kept = tuple(s for s in found.strategies if s.name in names)
    config = msgspec.structs.replace(found.started.config, strategies=kept)
    runs = {i: run for i, run in found.runs.items() if run.run.strategy.name in names}
    return replace(
        found,
        started=msgspec.structs.replace(found.started, config=config),
        runs=runs,
        curves={i: curve for i, curve in found.curves.items() if i in runs},
        ended={i: run for i, run in found.ended.items() if run.run.strategy.name in names},
        failed={i: run for i, run in found.failed.items() if run.run.strategy.name in names},
    )


def _forget_larger(found: Record, micro_batch: int) -> None:
    """Drop what was trained with more images at a time: it is trained anew."""
    gone = [
        run_id
        for run_id, started in found.runs.items()
        if started.run.steps and started.run.micro_batch > micro_batch
    ]
    for run_id in gone:
        for kept in (found.runs, found.curves, found.ended, found.failed):
            kept.pop(run_id, None)


def add(found: Record, event: Event) -> None:
    """Sort one more event into a record; a run that goes on after a restart repeats some."""
    match event:
        case ComparisonStarted():
            found.started = event
        case RunStarted():
            found.runs[event.run_id] = event
            found.failed.pop(event.run_id, None)
        case EpochEnded():
            found.curves.setdefault(event.run_id, {})[event.step] = event
        case RunEnded():
            found.ended[event.run_id] = event
            found.failed.pop(event.run_id, None)
        case RunFailed():
            found.failed[event.run_id] = event
        case MicroBatchHalved():
            found.micro_batch = event.micro_batch
            _forget_larger(found, event.micro_batch)
        case Progress():
            found.progress = event
        case ComparisonEnded():
            found.finished = event
        case JobEnded():
            found.job = event
