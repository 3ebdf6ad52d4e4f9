"""The seam between the queue and whatever computes: worker processes here, or a cluster's tasks.

The runner owns queue, fairness, retries and leases; an executor only places jobs, carries messages
both ways and can end a job at once. Nothing behind it ever opens the store.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from tl_core import pipe

# A job and the number of its start: what an older start still says is not heard.
Lease: TypeAlias = tuple[str, int]


class NotReady(RuntimeError):
    """The executor cannot start; the text says why and what to do."""


class Lost(msgspec.Struct, frozen=True):
    """The process of a lease is gone without a last message; `reason` is for the user.

    `memory`: whether the system ended it because memory ran out. `details`: what it said last, for
    the log.
    """

    reason: str
    memory: bool = False
    details: str = ""


Told: TypeAlias = tuple[Lease, pipe.FromWorker | Lost]


class Executor(Protocol):
    """Where jobs are executed; no call blocks longer than it says."""

    def start(self) -> None:
        """Get ready, checking resources and versions; raises NotReady with a remedy."""

    def report(self) -> dict[str, Any] | None:
        """Return device and versions as a worker reported them, None before one was ready."""

    def trouble(self) -> str:
        """Return why no process that could execute a job can be started now, or an empty text.

        A job is submitted all the same, and fails with this reason if it still holds.
        """

    def free(self) -> int:
        """Return how many jobs could be submitted now."""

    def submit(self, lease: Lease, job: pipe.Job) -> None:
        """Have a job executed; returns at once. Only as many as are `free`."""

    def send(self, lease: Lease, message: pipe.ToWorker) -> None:
        """Tell the worker of a lease something; nothing happens if it is gone."""

    def stop(self, lease: Lease) -> None:
        """End a lease's process within 2 seconds, whatever it does; nothing more is told of it."""

    def poll(self, seconds: float) -> Sequence[Told]:
        """Return what workers said, in their order, waiting at most `seconds` for the first.

        The first of every lease is `pipe.Ready`, once its worker has the job: from then on it is
        never silent for long. The last is one of `pipe.LAST` or `Lost`; then its place is free.
        """

    def close(self) -> None:
        """End everything; no process is left."""
