"""What nobody needs any more: found, told with its size, removed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tl_core import deletion
from tl_core.home import folder, home
from tl_core.room_on_disk import size
from tl_core.store import Store

DAY_SECONDS = 24 * 3600.0
# An unfinished file that nobody wrote to for so long is nobody's.
ABANDONED_SECONDS = DAY_SECONDS
# A checkpoint of a run that could still go on.
CHECKPOINT_SECONDS = 14 * DAY_SECONDS


@dataclass(frozen=True)
class Item:
    """One kind of thing that can go: what it is, in the plural, where it lies, and its bytes.

    `jobs` are ids in the store; their results are in `size`.
    """

    what: str
    paths: tuple[Path, ...] = ()
    size: int = 0
    jobs: tuple[str, ...] = field(default=())

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.jobs) or len(self.paths)


def found(store: Store, *, older_than: float | None = None, cache: bool = False) -> list[Item]:
    """Return what can go. `older_than`: days since a job ended, None to keep all jobs.

    `cache`: also everything that can be computed again. What an active job needs is never in it.
    """
    items = [] if older_than is None else [_jobs(store, time.time() - older_than * DAY_SECONDS)]
    gone = {job for item in items for job in item.jobs}
    items += [
        _item("checkpoints that no job goes on with", _checkpoints(store)),
        _item("summaries and logs of deleted jobs", _orphans(store)),
        _item("models of deleted runs", _models(store)),
        _item("unfinished uploads and files", _abandoned()),
    ]
    if cache:
        items.append(_item("entries of the cache", folder("cache").glob("*/*"), items))
    free = store.free_bytes()
    if free and not gone:
        items.append(Item("room inside the history's file", (), free))
    return [item for item in items if item.count or item.size]


def remove(store: Store, items: list[Item]) -> None:
    """Remove what was found; a job that has begun to run meanwhile stays."""
    for item in items:
        for job in item.jobs:
            deletion.delete_job(store, job)
        for path in item.paths:
            deletion.remove(path)
    store.make_shrinkable()
    store.shrink()


def _item(what: str, paths: Iterator[Path], before: list[Item] | None = None) -> Item:
    known = {path for item in before or () for path in item.paths}
    chosen = tuple(path for path in paths if path not in known)
    return Item(what, chosen, sum(size(path) for path in chosen))


def _jobs(store: Store, moment: float) -> Item:
    jobs = tuple(store.ended_before(moment))
    left = [path for job in jobs for path in deletion.left_by(store.runs_alone(job))]
    results = sum(sum(store.bytes_of([job]).values()) for job in jobs)
    return Item("finished jobs", (), results + sum(map(size, left)), jobs)


def _checkpoints(store: Store) -> Iterator[Path]:
    wanted = store.unfinished_runs()
    for path in folder("checkpoints").iterdir():
        limit = CHECKPOINT_SECONDS if path.stem in wanted else ABANDONED_SECONDS
        if _age(path) > limit:
            yield path


def _orphans(store: Store) -> Iterator[Path]:
    jobs = store.ids()
    # Of the logs those of single jobs: the structured ones look after themselves.
    for name, end in (("summaries", "*.json"), ("logs", "*.txt")):
        for path in folder(name).glob(end):
            if path.stem not in jobs and _age(path) > ABANDONED_SECONDS:
                yield path


def _models(store: Store) -> Iterator[Path]:
    runs = {run[:32] for run in store.ended_runs() | store.unfinished_runs()}
    for path in folder("cache").glob("models/*"):
        if path.name not in runs and _age(path) > ABANDONED_SECONDS:
            yield path


def _abandoned() -> Iterator[Path]:
    """Yield what killed processes and closed browsers left, of all owners."""
    for root in (home(), *(home() / "people").glob("*")):
        patterns = ("datasets/.unfinished-*", "datasets/.deleted-*", "uploads/*", "*/*.part")
        for pattern in (*patterns, "weights/*/*.part"):
            yield from (path for path in root.glob(pattern) if _age(path) > ABANDONED_SECONDS)
    for path in (home() / "cache").glob("*/*.part"):
        if _age(path) > ABANDONED_SECONDS:
            yield path


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
