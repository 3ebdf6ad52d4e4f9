"""Recorded comparisons: the event log of one full run for each sample, to show before any ran here.

A file of `recordings/` is one line of facts, then one line `[seconds, event]` for each event that
a job's log would hold, with the seconds since the comparison began. `python -m tl_core record`
writes them. A recording never enters the store: no result is taken over from one.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from tl_core.catalog import catalog
from tl_core.config import RECIPE_VERSION, ComparisonConfig, DataConfig, budget_for, content_hash
from tl_core.datasets import Dataset
from tl_core.events import ComparisonStarted, Event
from tl_core.record import Record, record

FOLDER: Final = Path(__file__).with_name("recordings")
SUFFIX: Final = ".jsonl"
# The recordings travel with the code: a larger one would weigh on every copy of it.
LIMIT_BYTES: Final = 300_000

Moment: TypeAlias = tuple[float, Event]


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a recording is of, and which code made it.

    `data` is the signature of the sample's data set, `date` an ISO date, `commit` an abbreviated
    one, with `+` behind it where the code had changed since. `configuration` is the
    `configuration_hash` of what was asked for, which tells a recording that is no longer today's.
    """

    sample: str
    data: str
    backbone: str
    weights_sha256: str
    date: str
    commit: str
    configuration: str


@dataclass(frozen=True)
class Recording:
    """A recorded comparison; `moments` are in order and begin with `ComparisonStarted`."""

    facts: Facts
    moments: tuple[Moment, ...]

    @property
    def started(self) -> ComparisonStarted:
        """The first event."""
        first = self.moments[0][1]
        assert isinstance(first, ComparisonStarted)
        return first

    @property
    def seconds(self) -> float:
        """How long the comparison took."""
        return self.moments[-1][0]

    @property
    def day(self) -> str:
        """When it was made, for people."""
        day = date.fromisoformat(self.facts.date)
        return f"{day.day} {day:%b %Y}"

    @property
    def label(self) -> str:
        """Where and when, in one sentence without its full stop."""
        return f"Recorded on {self.started.device_name}, {self.day}"

    @property
    def origin(self) -> dict[str, Any]:
        """What a file made from this recording has to say of where its numbers are from."""
        return {"label": self.label, **msgspec.to_builtins(self.facts)}

    def found(self, until: float = math.inf) -> Record:
        """Return the comparison as it stood after so many seconds."""
        return record(event for at, event in self.moments if at <= until)


def configuration_hash(config: ComparisonConfig, data: Sequence[Dataset]) -> str:
    """Return the identity of what is asked for: another one means that other numbers come out.

    `data` are the target set and, if one was brought, the source probe. They count by signature:
    images drawn by formula may differ in a pixel from machine to machine, their version may not.
    """
    probe = data[1].signature if len(data) > 1 else config.data.probe
    by_signature = DataConfig(fingerprint=data[0].signature, name="", probe=probe)
    row = catalog()[config.backbone]
    return content_hash(
        RECIPE_VERSION,
        msgspec.structs.replace(config, data=by_signature),
        budget_for(config.budget, row.preprocessing.crop),
        (row.recipe, row.preprocessing),
    )


def path_of(sample: str, folder: Path | None = None) -> Path:
    """Return the file of a sample's recording."""
    return (folder or FOLDER) / f"{sample}{SUFFIX}"


def write(recording: Recording, path: Path) -> None:
    """Write a recording, at once or not at all."""
    lines = [msgspec.json.encode(line) for line in (recording.facts, *recording.moments)]
    part = path.with_suffix(".part")
    part.write_bytes(b"\n".join(lines) + b"\n")
    part.replace(path)


def read(path: Path) -> Recording:
    """Return the recording of a file; raises msgspec.DecodeError for one of another version."""
    return _read(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _read(path: Path, changed: int) -> Recording:
    # `changed` is part of the key: a file that was recorded again is read again.
    first, *lines = path.read_bytes().splitlines()
    return Recording(
        facts=msgspec.json.decode(first, type=Facts),
        moments=tuple(msgspec.json.decode(line, type=Moment) for line in lines),
    )


def matching(data: Dataset, backbone: str, weights_sha256: str) -> Recording | None:
    """Return the recording of a data set with a model and its weights, if there is one.

    A file that this version cannot read is passed over: a page without it is complete too.
    """
    for path in sorted(FOLDER.glob(f"*{SUFFIX}")):
        try:
            found = read(path)
        except (OSError, ValueError):
            continue
        facts = found.facts
        if (facts.data, facts.backbone, facts.weights_sha256) == (
            data.signature,
            backbone,
            weights_sha256,
        ):
            return found
    return None
