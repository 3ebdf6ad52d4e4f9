"""Jobs as rows: created, listed, renamed, deleted."""

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import filelock
import msgspec

from tl_core.config import ComparisonConfig
from tl_core.events import Progress
from tl_core.owners import SHARED
from tl_core.store.database import StoreError
from tl_core.store.facts import Facts
from tl_core.store.shown import ACTIVE, SHOWN

Status: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]


class QueueFull(StoreError):
    """An owner has as many jobs waiting as one may have."""


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of a job; nothing is computed from it.

    `class_code` and `participant` are what a workshop calls itself and its people; `guess` is the
    name of the strategy that was expected to win, in a lesson the prediction in words. Empty where
    nothing was said.
    """

    class_code: str = ""
    participant: str = ""
    guess: str = ""


NO_TAGS = Tags()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the store knows it.

    `config` is None for other kinds than `compare` (`request` says what they do) and for a
    configuration that this version can no longer read. Times are Unix seconds, None before they
    happen; `seconds` is computing time over all finished slices. `progress` is the latest message
    of a running job; `attempts` counts starts that did not end by giving the slot to others,
    `lease` all starts; `halvings`: how often it was lost because memory ran out. `leader`: the job
    of nobody's that this one follows, because several people asked for the same. `slice_started`:
    since when it runs this time; `front`: above 0 where it was moved to the front of the queue.
    """

    id: str
    name: str
    owner: str
    kind: str
    status: Status
    reason: str
    config: ComparisonConfig | None
    request: dict[str, Any]
    created: float
    started: float | None
    ended: float | None
    seconds: float
    attempts: int
    progress: Progress | None
    tags: Tags = NO_TAGS
    lease: int = 0
    halvings: int = 0
    leader: str | None = None
    slice_started: float | None = None
    front: int = 0

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.status in ("queued", "running")


# Inside the class `list` is the method.
Comparisons: TypeAlias = list[Comparison]


class Jobs(Facts):
    """Jobs by id, and the locks of those that a command executes in its own process."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._held: dict[str, filelock.BaseFileLock] = {}
        super().__init__(path, read_only=read_only)

    def create(
        self,
        config: ComparisonConfig | None,
        name: str,
        owner: str = "local",
        queued: bool = True,
        *,
        kind: str = "compare",
        request: Mapping[str, Any] | None = None,
        tags: Tags = NO_TAGS,
    ) -> str:
        """Save a new job and return its id; raises QueueFull beyond the limit of waiting jobs.

        With `queued` false the job counts as running and the calling process executes it: until
        `finish` it holds a lock file that tells a starting runner that the job is in good hands.
        """
        job, now = uuid.uuid4().hex, time.time()
        status, started, attempts = ("queued", None, 0) if queued else ("running", now, 1)
        saved = None if config is None else msgspec.json.encode(config).decode()
        asked = msgspec.json.encode(request or {}).decode()
        with self.writing() as db:
            if queued:
                self.refuse_flood(db, owner)
            else:
                # Before anyone can see the row, and take it for abandoned.
                self._held[job] = self.job_lock(job)
                self._held[job].acquire()
            db.execute(
                """INSERT INTO jobs (id, kind, name, owner, status, config, request, created,
                       started, slice_started, attempts, class_code, participant, guess, ticket)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13,
                       (SELECT COALESCE(MAX(ticket), 0) + 1 FROM jobs))""",
                (
                    *(job, kind, name, owner, status, saved, asked, now, started, attempts),
                    *(tags.class_code, tags.participant, tags.guess),
                ),
            )
        return job

    def get(self, job: str) -> Comparison | None:
        """Return a job, or None if there is none of that id."""
        with self.reading() as db:
            row = db.execute(f"SELECT * FROM {SHOWN} WHERE id = ?", (job,)).fetchone()
        return None if row is None else comparison(row)

    def list(
        self,
        limit: int = 50,
        offset: int = 0,
        owner: str | None = None,
        *,
        kind: str | None = None,
        active: bool = False,
        class_code: str | None = None,
    ) -> Comparisons:
        """Return jobs, newest first; of one owner, kind or class, or only what waits or runs.

        What others follow is nobody's job and not among them.
        """
        given = {"owner": owner, "kind": kind, "class_code": class_code}
        wanted = {name: value for name, value in given.items() if value is not None}
        # Only what is asked for: a condition that may be empty would keep the indices from use.
        conditions = [f"{name} = :{name}" for name in wanted]
        conditions += [ACTIVE] if active else []
        with self.reading() as db:
            rows = db.execute(
                f"""SELECT * FROM {SHOWN}
                    WHERE {" AND ".join(["substr(owner, 1, :length) != :shared", *conditions])}
                    ORDER BY number DESC LIMIT :limit OFFSET :offset""",
                {
                    **wanted,
                    **{"length": len(SHARED), "shared": SHARED, "limit": limit, "offset": offset},
                },
            ).fetchall()
        return [comparison(row) for row in rows]

    def beginning(self, prefix: str, *, kind: str) -> Comparisons:
        """Return jobs of one kind whose id begins so, newest first."""
        with self.reading() as db:
            rows = db.execute(
                f"""SELECT * FROM {SHOWN} WHERE kind = ?1 AND substr(id, 1, length(?2)) = ?2
                      AND substr(owner, 1, ?3) != ?4
                    ORDER BY number DESC""",
                (kind, prefix.lower(), len(SHARED), SHARED),
            ).fetchall()
        return [comparison(row) for row in rows]

    def rename(self, job: str, name: str) -> None:
        """Give a job another name."""
        with self.writing() as db:
            db.execute("UPDATE jobs SET name = ? WHERE id = ?", (name, job))

    def delete(self, job: str) -> None:
        """Forget a job with its results and return their room; raises StoreError while it runs.

        `deletion.delete_job` also removes what the job left beside the store.
        """
        with self.writing() as db:
            row = db.execute("SELECT status FROM jobs WHERE id = ?", (job,)).fetchone()
            if row is not None and row["status"] == "running":
                raise StoreError("This comparison is still running. Cancel it first.")
            db.execute("DELETE FROM events WHERE job = ?", (job,))
            db.execute("DELETE FROM jobs WHERE id = ?", (job,))
        self.shrink()

    def refuse_flood(self, db: sqlite3.Connection, owner: str) -> None:
        """Raise QueueFull if an owner may not have one more job waiting."""
        waiting = db.execute(
            f"SELECT COUNT(*) FROM {SHOWN} WHERE owner = ? AND status = 'queued'", (owner,)
        ).fetchone()[0]
        if waiting >= self.limits().waiting_per_person:
            raise QueueFull(
                f"You already have {waiting} comparisons waiting, which is as many as one person "
                "may have. Wait for some of them, or cancel one."
            )

    def job_lock(self, job: str) -> filelock.BaseFileLock:
        """Return the lock whose holder executes a job outside the queue."""
        folder = self.path.parent / "locks"
        folder.mkdir(exist_ok=True)
        # Not bound to a thread: whoever finishes the job releases it.
        return filelock.FileLock(folder / f"{job}.lock", thread_local=False)

    def release(self, job: str) -> None:
        """Let go of the lock of a job that this process executed, if it did."""
        lock = self._held.pop(job, None)
        if lock is not None:
            lock.release()
            remove_lock(lock)


def remove_lock(lock: filelock.BaseFileLock) -> None:
    """Remove a released lock's file."""
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink()


def comparison(row: sqlite3.Row) -> Comparison:
    """Return a row of the table as a value."""
    config = None
    with contextlib.suppress(msgspec.ValidationError):
        config = row["config"] and msgspec.json.decode(row["config"], type=ComparisonConfig)
    message, fraction = row["message"], row["fraction"]
    return Comparison(
        **{name: row[name] for name in _PLAIN},
        config=config,
        request=msgspec.json.decode(row["request"]),
        progress=None if message is None else Progress(message=message, fraction=fraction),
        tags=Tags(**{name: row[name] for name in Tags.__struct_fields__}),
    )


_PLAIN = tuple(
    field
    for field in Comparison.__struct_fields__
    if field not in ("config", "request", "progress", "tags")
)
