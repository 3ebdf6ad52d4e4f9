"""The events of a sweep out of those of several processes, each of which goes through all of it."""

import time
from collections.abc import Iterator

from tl_core.events import (
    ComparisonEnded,
    ComparisonStarted,
    EpochEnded,
    Event,
    PointFailed,
    PointStarted,
    Progress,
    RunEnded,
    RunStarted,
    SweepEnded,
    SweepStarted,
)


class Merged:
    """Lets pass what is new, after the `PointStarted` of the point that it belongs to.

    A comparison has started with the first process that comes to it and ended with the last one
    that leaves. Of what prepares the work only the first process tells: all do the same.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._at: dict[int, int] = {}
        self._shown: int | None = None
        self._begun: dict[int, float] = {}
        self._left: dict[int, int] = {}
        self._known: set[tuple[int, str]] = set()

    def alone(self) -> None:
        """From here on one process goes through all of it again."""
        self._processes = 1
        self._left.clear()

    def add(self, number: int, event: Event) -> Iterator[Event]:
        """Yield what an event of the process of this number adds."""
        if isinstance(event, SweepStarted | SweepEnded):
            return
        if isinstance(event, PointStarted):
            self._at[number] = event.place
            return
        if isinstance(event, Progress):
            if number == 0:
                yield event
            return
        place = event.place if isinstance(event, PointFailed) else self._at[number]
        news = self._news(place, event)
        if news is None:
            return
        if place != self._shown:
            self._shown = place
            yield PointStarted(place=place)
        yield news

    def _news(self, place: int, event: Event) -> Event | None:
        """Return what is to be told of an event; None for what has been told."""
        match event:
            case PointFailed():
                return self._once(place, "failed", event)
            case ComparisonStarted():
                self._begun.setdefault(place, time.perf_counter())
                return self._once(place, "started", event)
            case ComparisonEnded():
                self._left[place] = self._left.get(place, 0) + 1
                if self._left[place] < self._processes:
                    return None
                seconds = time.perf_counter() - self._begun[place]
                return self._once(place, "ended", ComparisonEnded(seconds=seconds))
            case RunStarted() | EpochEnded() if (place, event.run_id) in self._known:
                return None
            case RunEnded():
                return self._once(place, event.run_id, event)
            case _:
                return event

    def _once(self, place: int, what: str, event: Event) -> Event | None:
        if (place, what) in self._known:
            return None
        self._known.add((place, what))
        return event
