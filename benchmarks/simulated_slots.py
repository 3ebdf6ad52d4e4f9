"""Slots that only pretend to work, on a clock of their own: to see a queue of a day in a minute."""

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

from tl_core import pipe
from tl_core.executor import Lease, Told

# The longest step of the clock: how late the runner may notice that a slice is over.
STEP_SECONDS = 2.0


class SimulatedSlots:
    """An executor whose jobs last as long as `runs` says: the seconds of each run, by job.

    `overhead`: seconds from the submission of a job until its worker is ready. A job that gave way
    goes on behind its last finished run. `first` and `last`: when each job was first ready and
    when it was done, `starts`: how many starts there were; all in seconds of `now`.
    """

    def __init__(self, slots: int, runs: Mapping[str, Sequence[float]], overhead: float) -> None:
        self.now = 0.0
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.starts = 0
        self._slots, self._runs, self._overhead = slots, runs, overhead
        self._done = dict.fromkeys(runs, 0)
        self._giving_way: set[Lease] = set()
        self._ends: list[tuple[float, Lease, bool]] = []

    def start(self) -> None:
        """Be ready at once."""

    def report(self) -> dict[str, Any] | None:
        """Return nothing: there is no device."""
        return None

    def trouble(self) -> str:
        """Return that nothing is wrong."""
        return ""

    def free(self) -> int:
        """Return how many slots are free; each that is not has one coming event."""
        return self._slots - len(self._ends)

    def submit(self, lease: Lease, job: pipe.Job) -> None:
        """Let a job begin after the overhead."""
        self.starts += 1
        heapq.heappush(self._ends, (self.now + self._overhead, lease, True))

    def send(self, lease: Lease, message: pipe.ToWorker) -> None:
        """Note that a job must give way."""
        if isinstance(message, pipe.GiveWay):
            self._giving_way.add(lease)

    def stop(self, lease: Lease) -> None:
        """Never happens here: nobody cancels, nothing is lost."""
        raise AssertionError(f"{lease} was stopped")

    def poll(self, seconds: float) -> Sequence[Told]:
        """Go on to what happens next, but not further than a step."""
        if not self._ends or self._ends[0][0] > self.now + STEP_SECONDS:
            self.now += STEP_SECONDS
            return []
        self.now, lease, is_start = heapq.heappop(self._ends)
        if is_start:
            self.first.setdefault(lease[0], self.now)
            self._next_run(lease)
            return [(lease, pipe.Ready({}))]
        return self._run_ended(lease)

    def _next_run(self, lease: Lease) -> None:
        seconds = self._runs[lease[0]][self._done[lease[0]]]
        heapq.heappush(self._ends, (self.now + seconds, lease, False))

    def _run_ended(self, lease: Lease) -> Sequence[Told]:
        name = lease[0]
        self._done[name] += 1
        if self._done[name] == len(self._runs[name]):
            self.last[name] = self.now
            return [(lease, pipe.Done())]
        if lease in self._giving_way:
            return [(lease, pipe.Yielded())]
        self._next_run(lease)
        return []

    def close(self) -> None:
        """Leave nothing behind."""
