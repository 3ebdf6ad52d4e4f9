"""Deleting a job with everything that belongs to it alone."""

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from tl_core import cache, summaries
from tl_core.home import folder
from tl_core.store import AnyStore


def delete_job(store: AnyStore, job: str) -> None:
    """Remove a job: its results, summary and log, and its runs' models and checkpoints.

    A run that another job has too keeps its model; what is somebody else's stays. Raises
    StoreError while the job runs.
    """
    known, runs = store.get(job), store.runs_alone(job)
    store.delete(job)
    if known is None or store.get(job) is not None:
        return
    summaries.forget(job)
    for path in (log_of(job), *left_by(runs)):
        remove(path)


def log_of(job: str) -> Path:
    """Return where a failed job's log lies."""
    return folder("logs") / f"{job}.txt"


def left_by(runs: Iterable[str]) -> list[Path]:
    """Return where runs leave their model and, unfinished, their checkpoint."""
    return [
        path
        for run in runs
        for path in (cache.entry("models", run), folder("checkpoints") / f"{run}.pt")
    ]


def remove(path: Path) -> None:
    """Remove a file or a folder; what is gone, or cannot be removed now, is left for later."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()
