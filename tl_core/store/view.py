"""The store as one person sees it: another person's jobs are as if they did not exist.

A class is the exception: everyone in it sees who asked for what and what came out, and opens the
results on images that everyone has.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tl_core import events as ev
from tl_core import sameness
from tl_core.config import ComparisonConfig
from tl_core.owners import LOCAL
from tl_core.store.jobs import NO_TAGS, Comparison, Tags

if TYPE_CHECKING:
    from tl_core.store import Store

Numbered: TypeAlias = list[tuple[int, ev.Event]]
# Inside the class `list` is the method.
Comparisons: TypeAlias = list[Comparison]
Names: TypeAlias = list[str]


class View:
    """What the pages of `owner` may do with jobs.

    `shares`: what everybody could ask for runs once for all. `everyones`: any job can be opened and
    ended, and only one's own are listed. What asks for another's job gets and does nothing.
    """

    def __init__(
        self, store: "Store", owner: str, *, shares: bool = False, everyones: bool = False
    ) -> None:
        self.owner = owner
        self._store, self._shares, self._everyones = store, shares, everyones

    def create(
        self,
        config: ComparisonConfig | None,
        name: str,
        *,
        kind: str = "compare",
        request: Mapping[str, Any] | None = None,
        tags: Tags = NO_TAGS,
    ) -> str:
        """Save a new job and return its id; raises QueueFull as `Store.create` does."""
        asked = request or {}
        if self._shares and sameness.is_for_all(config, asked):
            same = sameness.identity(kind, config, asked)
            return self._store.join(
                config, name, self.owner, same, kind=kind, request=asked, tags=tags
            )
        return self._store.create(config, name, self.owner, kind=kind, request=asked, tags=tags)

    def get(self, job: str) -> Comparison | None:
        """Return a job that may be opened, or None."""
        found = self._store.get(job)
        if found is None or not self.may_open(found):
            return None
        if found.owner == self.owner or self._everyones or found.config is None:
            return found
        # What others call theirs is not for the class.
        return msgspec.structs.replace(found, name=found.config.data.name)

    def list(
        self, limit: int = 50, offset: int = 0, *, kind: str | None = None, active: bool = False
    ) -> Comparisons:
        """Return one's own jobs, newest first; of one kind, or only what waits or runs."""
        return self._store.list(limit, offset, self.owner, kind=kind, active=active)

    def beginning(self, prefix: str, *, kind: str) -> Comparisons:
        """Return one's own jobs of one kind whose id begins so, newest first."""
        found = self._store.beginning(prefix, kind=kind)
        return [job for job in found if job.owner == self.owner]

    def events(self, job: str, after: int = 0, until: int | None = None) -> Numbered:
        """Return (number, event) with after < number <= until of a job that may be opened."""
        return self._store.events(job, after, until) if self.get(job) is not None else []

    def position(self, job: str) -> int | None:
        """Return the place in the queue, 1 for the next one; None if the job does not wait."""
        return self._store.position(job) if self.get(job) is not None else None

    def active_jobs(self) -> int:
        """Return how many jobs of anyone wait or run; what runs once counts once."""
        return self._store.active_jobs()

    def rename(self, job: str, name: str) -> None:
        """Give a job another name."""
        if self._may_change(job):
            self._store.rename(job, name)

    def delete(self, job: str) -> None:
        """Forget a job with its results; raises StoreError while it runs."""
        if self._may_change(job):
            self._store.delete(job)

    def runs_alone(self, job: str) -> Names:
        """Return the runs of one's own job that no other job has."""
        return self._store.runs_alone(job) if self._may_change(job) else []

    def bytes_of(self, jobs: Sequence[str]) -> dict[str, int]:
        """Return how much the results of one's own jobs take."""
        return self._store.bytes_of(jobs, self.owner)

    def comparisons_with(self, fingerprint: str) -> int:
        """Return how many of one's own comparisons used a data set."""
        return self._store.comparisons_with(fingerprint, self.owner)

    def request_cancel(self, job: str) -> None:
        """Cancel a waiting job at once, and ask whoever runs a running one to stop it."""
        if self._may_change(job):
            self._store.request_cancel(job)

    def cancel_requested(self, job: str) -> bool:
        """Return whether this running job is to stop; true as well for one that is not there."""
        return self.get(job) is None or self._store.cancel_requested(job)

    def resume(self, job: str) -> None:
        """Queue a failed or cancelled job again; raises StoreError as `Store.resume` does."""
        if self._may_change(job):
            self._store.resume(job)

    def of_class(self, code: str, limit: int = 300) -> Comparisons:
        """Return the comparisons that were asked for under a class code.

        Under the room's code those of everyone, on data that may be other people's (`may_open`
        tells); under any other one's own.
        """
        owner = None if self._is_our_class(code) else self.owner
        return self._store.list(limit, owner=owner, kind="compare", class_code=code)

    def class_events(self, job: str) -> Numbered:
        """Return the events of a job of one's class, to sum up what came out."""
        found = self._store.get(job)
        ours = found is not None and self._is_our_class(found.tags.class_code)
        return self._store.events(job) if ours or self.get(job) is not None else []

    def may_open(self, job: Comparison) -> bool:
        """Return whether a job is one's own, or on images that everyone in the class has."""
        if self._everyones or job.owner == self.owner:
            return True
        return job.leader is not None and self._is_our_class(job.tags.class_code)

    def device(self) -> dict[str, Any] | None:
        """Return what the latest worker reported, or None before the first one was ready."""
        return self._store.device()

    def notice(self) -> str:
        """Return why jobs cannot start now; empty when they can."""
        return self._store.notice()

    def speeds(self, prefix: str = "") -> dict[str, float]:
        """Return measured speeds whose key starts with `prefix`."""
        return self._store.speeds(prefix)

    def remember(self, key: str, value: float) -> None:
        """Save a measured speed for later estimates."""
        self._store.remember(key, value)

    def _may_change(self, job: str) -> bool:
        found = self._store.get(job)
        return found is not None and (self._everyones or found.owner == self.owner)

    def _is_our_class(self, code: str) -> bool:
        """Return whether a code is the room's; alone on a machine any code is one's own."""
        if not code:
            return False
        room = self._store.room()
        if self._shares and room is not None:
            return code == room.code
        return self.owner == LOCAL
