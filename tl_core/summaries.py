"""A finished comparison in one line, computed once: its intervals take too long for a list."""

import contextlib
import uuid
from pathlib import Path

import msgspec

from tl_core.home import folder
from tl_core.record import record
from tl_core.store import AnyStore, Comparison
from tl_core.tables import rows
from tl_core.verdict import verdict


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a comparison recommended (title of the strategy) and its test accuracy, a fraction.

    `strategy` is None where nothing could be recommended. `ended` is the job's own: a continued
    comparison is summarised again.
    """

    strategy: str | None
    accuracy: float | None
    low: float | None
    high: float | None
    ended: float


def known(job: Comparison) -> Summary | None:
    """Return the summary of a finished job if it has been computed."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode(_path(job.id).read_bytes(), type=Summary)
        if found.ended == job.ended:
            return found
    return None


def compute(store: AnyStore, job: Comparison) -> Summary:
    """Return the summary of a finished job; it is kept if the disk has room."""
    found = record(event for _, event in store.events(job.id))
    measured = rows(found)
    said = verdict(found, measured)
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    chosen = next((r for r in measured if said and r.strategy == said.recommended), None)
    summary = Summary(
        strategy=titles[chosen.strategy] if chosen else None,
        accuracy=chosen.test_accuracy if chosen else None,
        low=chosen.ci_low if chosen else None,
        high=chosen.ci_high if chosen else None,
        ended=job.ended or 0.0,
    )
    _keep(_path(job.id), summary)
    return summary


def _keep(path: Path, summary: Summary) -> None:
    part = path.with_name(f"{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(msgspec.json.encode(summary))
        part.replace(path)
    except OSError:  # a full disk: it is computed again
        with contextlib.suppress(OSError):
            part.unlink()


def forget(job: str) -> None:
    """Remove the summary of a deleted job."""
    _path(job).unlink(missing_ok=True)


def _path(job: str) -> Path:
    return folder("summaries") / f"{job}.json"
