"""The process that executes one job: `python -m tl_core.worker`, started by the runner.

It imports torch, says that it is ready, waits for its job, reports events, exits. On a cluster the
same `prepare` and `perform` are called by a task instead. `reason` serves the command line too,
which runs jobs in its own process.
"""

import errno
import os
import re
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from tl_core import owners, pipe
from tl_core.answers import QUESTIONS
from tl_core.config import ComparisonConfig
from tl_core.earlier import Finished
from tl_core.events import Event, Progress, RunEnded, RunStarted
from tl_core.sweep import Sweep
from tl_core.worker_process import plain

if TYPE_CHECKING:
    from tl_core.checkpoints import Checkpoints

# Pages answer at once while a job computes: it takes what they leave, which is nearly everything.
NICENESS = 5
# A finer progress than this is not worth a message.
PROGRESS_STEP = 0.01


def compare(config: ComparisonConfig, find: Finished, halvings: int = 0) -> Iterator[Event]:
    """Yield the events of a comparison, saving checkpoints of its unfinished run on the way."""
    from tl_core.experiment import run_comparison

    yield from _cleaning_up(
        lambda kept: run_comparison(config, find, kept.load, kept.save, halvings=halvings)
    )


def _cleaning_up(events_of: "Callable[[Checkpoints], Iterator[Event]]") -> Iterator[Event]:
    """Yield events, removing the checkpoint of each run that ended."""
    from tl_core.checkpoints import Checkpoints

    checkpoints = Checkpoints()
    for event in events_of(checkpoints):
        yield event
        if isinstance(event, RunEnded):
            checkpoints.remove(event.run_id)


def sweep(wanted: Sweep, find: Finished, halvings: int = 0) -> Iterator[Event]:
    """Yield the events of a sweep, saving checkpoints of its unfinished runs on the way."""
    from tl_core.side_by_side import run_side_by_side, shares

    def alone(part: Sweep) -> Iterator[Event]:
        return share(part, find, halvings)

    shared = shares(wanted)
    yield from (
        alone(wanted) if shared is None else run_side_by_side(wanted, shared, find, alone, halvings)
    )


def share(
    wanted: Sweep, find: Finished, halvings: int = 0, in_company: bool = False
) -> Iterator[Event]:
    """Yield the events of what this process executes of a sweep: all, but for runs elsewhere."""
    from tl_core.sweeping import run_sweep

    yield from _cleaning_up(
        lambda kept: run_sweep(wanted, find, kept.load, kept.save, halvings, in_company)
    )


def download(model: str, report: Callable[[Event], None]) -> None:
    """Fetch a model's weights and report progress; raises BadWeights when that fails."""
    from tl_core import weights
    from tl_core.catalog import catalog

    row, shown = catalog()[model], -1.0

    def progress(fraction: float | None) -> None:
        nonlocal shown
        if fraction is None or fraction - shown >= PROGRESS_STEP:
            shown = shown if fraction is None else fraction
            report(Progress(message=f"Downloading {row.title}", fraction=fraction))

    weights.download(row, progress)


def run(job: pipe.Job, end: pipe.End) -> pipe.Done | pipe.Yielded:
    """Execute a job and return its last message; raises whatever the job raises."""
    if job.kind == "download":
        download(job.request["model"], lambda event: end.send(pipe.Happened(event)))
        return pipe.Done()
    if job.kind in QUESTIONS and job.config is not None:
        from tl_core.questions import ask

        return relay(ask(job.kind, job.config, job.request), end)
    if job.kind in ("sweep", "share"):
        wanted = msgspec.convert(job.request["sweep"], Sweep)
        if job.kind == "share":
            return relay(share(wanted, end.find, job.halvings, in_company=True), end)
        return relay(sweep(wanted, end.find, job.halvings), end)
    if job.kind != "compare" or job.config is None:
        raise ValueError(f"A job of the kind '{job.kind}' cannot be run by this version.")
    return relay(compare(job.config, end.find, job.halvings), end)


def relay(events: Iterator[Event], end: pipe.End) -> pipe.Done | pipe.Yielded:
    """Send events until they end, or stop before the next run when others want the slot.

    A slot is given up only once a run was really trained: a continued job starts with reused runs,
    and two jobs that gave way at those would never get anywhere.
    """
    reused: set[str] = set()
    trained = False
    for event in events:
        if isinstance(event, RunStarted):
            if event.reused:
                reused.add(event.run_id)
            elif trained and end.must_give_way:
                return pipe.Yielded()
        trained = trained or (isinstance(event, RunEnded) and event.run_id not in reused)
        end.send(pipe.Happened(event))
    return pipe.Done()


def reason(error: Exception) -> str:
    """Say for the user why a job failed: what was written for users as it is, the rest framed."""
    import torch

    from tl_core.config import NotPossible
    from tl_core.ingest import BadInput
    from tl_core.weights import BadWeights

    if isinstance(error, (BadInput, BadWeights, NotPossible)):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return (
            "The memory of the graphics card ran out. Close other programs that use it, choose a "
            "smaller model, or choose the CPU as device."
        )
    if isinstance(error, MemoryError):
        return "The memory ran out. Close other programs, or choose a smaller model."
    if filled_up(error):
        return (
            "The disk of the data directory is almost full. Make room, or point TL_HOME to a "
            "folder on another disk."
        )
    return f"The job stopped with an error ({type(error).__name__}): {plain(str(error))}"


def filled_up(error: BaseException) -> bool:
    """Return whether an error says that the disk has no room; not every writer gives its number."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    # What safetensors and NumPy say.
    return bool(re.search(r"No space left on device|\d+ requested and \d+ written", str(error)))


def act_for(owner: str) -> None:
    """Let the whole process see what an owner may see; raises NoOwner for a strange name.

    Not `owners.acting`, which other threads of the process would not know of.
    """
    known = owners.checked(owner)
    owners.ask(lambda: known)


def prepare() -> dict[str, Any]:
    """Import what jobs need and return what this machine is: device, threads, versions."""
    if hasattr(os, "nice"):
        # Up to it, not by it: a process of Ray's that serves a second job has stood back already.
        os.nice(max(0, NICENESS - os.nice(0)))
    # Torch is imported here, not above: what an import prints must not reach the message pipe.
    # The first optimiser would import the compiler: a second that the spare has time for.

    import tl_core.checkpoints
    import tl_core.experiment  # noqa: F401
    from tl_core.device import device_report

    return device_report()


def perform(job: pipe.Job, end: pipe.End) -> pipe.Last:
    """Execute a job on its owner's data; return its last message, which says why if it failed."""
    try:
        act_for(job.owner)
        return run(job, end)
    except Exception as error:
        details = traceback.format_exc()
        return pipe.Full(details) if filled_up(error) else pipe.Failed(reason(error), details)


if __name__ == "__main__":
    pipe.serve(prepare, perform)
