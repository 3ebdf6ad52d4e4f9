"""What several people ask for alike runs once: a job of nobody's that theirs follow.

Such a leader is an ordinary job of the queue, owned by `shared:` and what decides its result. A
follower is a row with a person's own name, tags and end; all else is its leader's. Whoever comes
late joins a leader that is done. No leader is ever listed, or goes on when nobody follows it.
"""

import sqlite3
import time
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from tl_core import events as ev
from tl_core.config import ComparisonConfig
from tl_core.owners import SHARED
from tl_core.store.database import StoreError
from tl_core.store.jobs import NO_TAGS, Tags
from tl_core.store.log import Log, add
from tl_core.store.queue import Queue
from tl_core.store.shown import FOLLOWING


class Shared(Queue, Log):
    """Jobs of which some follow others."""

    def join(
        self,
        config: ComparisonConfig | None,
        name: str,
        owner: str,
        same: str,
        *,
        kind: str = "compare",
        request: Mapping[str, Any] | None = None,
        tags: Tags = NO_TAGS,
    ) -> str:
        """Save a job that follows the one of the `same`, made if there is none; return its id.

        Raises QueueFull as `create` does. A download is not joined once it is over: the file may
        have been removed since.
        """
        job = uuid.uuid4().hex
        # One process asks for all people: nobody else makes the same leader in between.
        with self._lock:
            with self.writing() as db:
                self.refuse_flood(db, owner)
                leader = _leader(db, same, ("queued", "running", *(("done",) if config else ())))
            if leader is None:
                # Nothing of the first who asks: not even a name.
                plain = name if config is None else config.data.name
                leader = self.create(config, plain, SHARED + same, kind=kind, request=request)
            with self.writing() as db:
                db.execute("UPDATE jobs SET same = ? WHERE id = ?", (same, leader))
                db.execute(
                    """INSERT INTO jobs (id, kind, name, owner, status, config, request, created,
                           class_code, participant, guess, leader, ticket)
                       SELECT ?1, kind, ?2, ?3, ?4, config, request, ?5, ?6, ?7, ?8, id, ticket
                       FROM jobs WHERE id = ?9""",
                    (
                        *(job, name, owner, FOLLOWING, time.time()),
                        *(tags.class_code, tags.participant, tags.guess, leader),
                    ),
                )
        return job

    def active_jobs(self) -> int:
        """Return how many jobs wait or run; what several follow counts once."""
        with self.reading() as db:
            return int(
                db.execute(
                    "SELECT COUNT(*) FROM jobs WHERE status IN ('queued', 'running')"
                ).fetchone()[0]
            )

    def source(self, job: str) -> str:
        """Return the job whose log and place in the queue a job has: its leader, else itself."""
        with self.reading() as db:
            row = _follower(db, job)
        return job if row is None or row["status"] != FOLLOWING else row["leader"]

    def events(
        self, job: str, after: int = 0, until: int | None = None
    ) -> list[tuple[int, ev.Event]]:
        """Return (number, event) with after < number <= until, in order; numbers start at 1."""
        return super().events(self.source(job), after, until)

    def position(self, job: str) -> int | None:
        """Return the place in the queue, 1 for the next one; None if the job does not wait."""
        return super().position(self.source(job))

    def cancel_requested(self, job: str, *, lease: int | None = None) -> bool:
        """Return whether this running job is to stop; true as well once it is no longer there."""
        return super().cancel_requested(self.source(job), lease=lease)

    def request_cancel(self, job: str) -> None:
        """Cancel a waiting job at once, and ask whoever runs a running one to stop it.

        A follower ends at once and alone, and keeps what was measured until then; the last one
        takes its leader along.
        """
        with self.writing() as db:
            row = _follower(db, job)
            if row is not None and row["status"] == FOLLOWING and _is_active(db, row["leader"]):
                db.execute(
                    "UPDATE jobs SET status = 'cancelled', ended = ? WHERE id = ?",
                    (time.time(), job),
                )
                # What was measured until now stays with the one who leaves.
                db.execute(
                    """INSERT INTO events (job, sequence, body, once, ended_run, sum)
                       SELECT ?1, sequence, body, once, ended_run, sum
                       FROM events WHERE job = ?2""",
                    (job, row["leader"]),
                )
                add(db, job, ev.JobEnded(status="cancelled", reason=""))
        if row is None:
            super().request_cancel(job)
        else:
            self._leave(row["leader"])

    def delete(self, job: str) -> None:
        """Forget a job with its results; raises StoreError while it runs.

        A follower can always be deleted.
        """
        with self.writing() as db:
            row = _follower(db, job)
            if row is not None:
                db.execute("DELETE FROM events WHERE job = ?", (job,))
                db.execute("DELETE FROM jobs WHERE id = ?", (job,))
        if row is None:
            super().delete(job)
        else:
            self._leave(row["leader"])

    def resume(self, job: str) -> None:
        """Queue a failed or cancelled job again; its finished runs and checkpoints are used.

        A follower follows again, and its leader goes on if it had ended before it was done. Raises
        StoreError for any other job and QueueFull as `create` does.
        """
        with self.reading() as db:
            row = _follower(db, job)
        if row is None:
            super().resume(job)
            return
        leader = self.get(row["leader"])
        if leader is None:
            raise StoreError("What this comparison followed is gone. Start it once more.")
        if leader.status in ("failed", "cancelled"):
            super().resume(leader.id)
        elif row["status"] == FOLLOWING:
            raise StoreError("Only a failed or cancelled comparison can be continued.")
        with self.writing() as db:
            db.execute("DELETE FROM events WHERE job = ?", (job,))
            db.execute("UPDATE jobs SET status = ?, ended = NULL WHERE id = ?", (FOLLOWING, job))

    def _leave(self, leader: str) -> None:
        """Cancel a leader that nobody follows any more."""
        with self.reading() as db:
            row = db.execute(
                "SELECT 1 FROM jobs WHERE leader = ? AND status = ? LIMIT 1", (leader, FOLLOWING)
            ).fetchone()
        if row is None:
            super().request_cancel(leader)


def _follower(db: sqlite3.Connection, job: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT status, leader FROM jobs WHERE id = ? AND leader IS NOT NULL", (job,)
    ).fetchone()
    return row


def _leader(db: sqlite3.Connection, same: str, statuses: tuple[str, ...]) -> str | None:
    row = db.execute(
        """SELECT id FROM jobs WHERE same = ? AND status IN (SELECT value FROM json_each(?))
           ORDER BY number DESC LIMIT 1""",
        (same, msgspec.json.encode(statuses).decode()),
    ).fetchone()
    return None if row is None else row["id"]


def _is_active(db: sqlite3.Connection, job: str) -> bool:
    row = db.execute(
        "SELECT 1 FROM jobs WHERE id = ? AND status IN ('queued', 'running')", (job,)
    ).fetchone()
    return row is not None
