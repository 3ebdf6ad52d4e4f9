"""When a waiting job will start: the queue played ahead, with what each job before it still takes.

It knows the queue's rules – turns between owners, slices, what was moved to the front – and nobody
who has not come yet: a newcomer's first job goes before anyone's second.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tl_core.wording import duration, number_of

# So many starts are played ahead at most, and of so many jobs: beyond that nothing is said.
MOST_STARTS, MOST_WAITING = 600, 200
# Under so many seconds no number is given.
SOON = 10.0


@dataclass(frozen=True)
class Work:
    """A job of the queue. Seconds of computing: `left` to its end, None where not known; `run`: of
    one of its trainings, at whose end it gives its place to others; `held`: its place so far.
    """

    id: str
    owner: str
    left: float | None
    run: float = 0.0
    held: float = 0.0
    front: bool = False


def starts(
    running: Sequence[Work],
    waiting: Sequence[Work],
    *,
    slice_seconds: float,
    most_at_once: int | None = None,
    places: int = 1,
) -> dict[str, float | None]:
    """Return for each waiting job in how many seconds it starts, None where that is not known.

    `waiting`: in the queue's order. `most_at_once`: jobs of one owner that may run together.
    `places`: jobs that may run together, at least as many as are running.
    """
    if len(waiting) > MOST_WAITING:
        return dict.fromkeys(work.id for work in waiting)
    ahead = _Ahead(running, waiting, slice_seconds, most_at_once, max(places, len(running), 1))
    while any(work.id not in ahead.started for work in waiting) and ahead.step():
        pass
    return {work.id: ahead.started.get(work.id) for work in waiting}


@dataclass
class _Owner:
    """What the order of turns depends on: the last turn, and the jobs that run."""

    turn: int
    running: int = 0


@dataclass(order=True)
class _Place:
    """One that can run a job; `until` is when it is free, infinite where nobody knows.

    `left`: seconds that the job will still need then.
    """

    until: float
    number: int
    work: Work | None = field(compare=False, default=None)
    left: float = field(compare=False, default=0.0)


class _Ahead:
    def __init__(
        self,
        running: Sequence[Work],
        waiting: Sequence[Work],
        slice_seconds: float,
        most: int | None,
        places: int,
    ) -> None:
        self.started: dict[str, float] = {}
        self._slice, self._most = slice_seconds, most
        self._waiting = list(waiting)
        # The order that is given tells who was served longest ago; whoever runs was served last.
        self._owners: dict[str, _Owner] = {}
        for work in (*waiting, *running):
            self._owners.setdefault(work.owner, _Owner(len(self._owners)))
        self._turn = self._ticks = len(self._owners)
        self._places: list[_Place] = []
        for number in range(len(running), places):
            heapq.heappush(self._places, _Place(0.0, number))
        for number, work in enumerate(running):
            self._owners[work.owner].running += 1
            self._take(work, 0.0, number)

    def step(self) -> bool:
        """Let the next place become free and its next job start; false if none ever will."""
        place = heapq.heappop(self._places)
        self._ticks += 1
        if math.isinf(place.until) or self._ticks > MOST_STARTS:
            return False
        if place.work is not None:
            self._owners[place.work.owner].running -= 1
            if place.left > 0:
                back = replace(place.work, left=place.left, held=0.0, front=False)
                self._waiting.append(back)
        chosen = self._next()
        if chosen is None:
            # Whoever waits has as many running as one may have: look again when another ends.
            later = min((one.until for one in self._places), default=math.inf)
            heapq.heappush(self._places, _Place(later, self._ticks))
            return not math.isinf(later)
        self._waiting.remove(chosen)
        self.started.setdefault(chosen.id, place.until)
        owner = self._owners[chosen.owner]
        self._turn += 1
        owner.turn, owner.running = self._turn, owner.running + 1
        self._take(chosen, place.until, self._ticks)
        return True

    def _take(self, work: Work, now: float, number: int) -> None:
        hold = self._hold(work)
        left = 0.0 if work.left is None else work.left - hold
        heapq.heappush(self._places, _Place(now + hold, number, work, left))

    def _hold(self, work: Work) -> float:
        """Return how long a job keeps its place from now on."""
        if work.left is None:
            return math.inf
        if all(other.owner == work.owner for other in self._waiting):
            return work.left
        # Asked to give way, it goes on to the end of a training: half of one, on average.
        return min(work.left, max(self._slice - work.held, 0.0) + work.run / 2)

    def _next(self) -> Work | None:
        rounds: dict[str, int] = {}
        best: tuple[tuple[bool, int, int], Work] | None = None
        for work in sorted(self._waiting, key=lambda one: not one.front):
            owner = self._owners[work.owner]
            turn = rounds[work.owner] = rounds.get(work.owner, owner.running) + 1
            if self._most is not None and turn > self._most and not work.front:
                continue
            key = (not work.front, turn, owner.turn)
            if best is None or key < best[0]:
                best = key, work
        return None if best is None else best[1]


def expected(planned: float | None, spent: float) -> float | None:
    """Return the seconds that a job still takes by its plan, of which `spent` are over.

    What outlasts its plan is taken to need another tenth of it.
    """
    return None if planned is None else max(planned - spent, planned / 10)


def said(place: int, seconds: float | None, *, held: bool = False) -> str:
    """Return the place in the queue and the estimated start in words; `held`: it is paused."""
    before = "nothing before it" if place <= 1 else f"{number_of(place - 1, 'job')} before it"
    if held:
        return f"The queue is paused by the teacher; {before}"
    if seconds is None:
        return f"Place {place} in the queue: {before}"
    return f"Place {place} in the queue: {brief(seconds)}, {before}"


def brief(seconds: float | None) -> str:
    """Return an estimated start as roughly as it is known, empty where it is not."""
    if seconds is None:
        return ""
    if seconds < SOON:
        return "starts in a few seconds"
    step = 10 if seconds < 60 else 60
    return f"starts in about {duration(round(seconds / step) * step)}"
