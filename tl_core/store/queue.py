"""Who runs next: fair between owners, and safe when a process disappears."""

import sqlite3
import time
from typing import Literal, TypeAlias

import filelock

from tl_core.events import JobEnded
from tl_core.store.database import StoreError
from tl_core.store.jobs import Comparison, Jobs, comparison, refuse_flood, remove_lock
from tl_core.store.log import add

# A job whose process vanished is started this many times at most.
MAX_ATTEMPTS = 3

Ending: TypeAlias = Literal["done", "failed", "cancelled"]

# Round robin: everyone's first job before anyone's second, who was served longest ago first.
_ORDER = """
    SELECT id FROM (
        SELECT id, front, ticket,
            ROW_NUMBER() OVER (PARTITION BY owner ORDER BY front DESC, ticket) AS round,
            (SELECT COALESCE(MAX(turn), 0) FROM jobs AS past WHERE past.owner = waiting.owner)
                AS last_turn
        FROM jobs AS waiting WHERE status = 'queued')
    ORDER BY front DESC, round, last_turn, ticket"""

_STOP_CLOCK = """seconds = seconds + MAX(0, ?1 - COALESCE(slice_started, ?1)),
    slice_started = NULL, cancel = 0, message = NULL, fraction = NULL"""


class Queue(Jobs):
    """Jobs that wait and the one that runs."""

    def claim(self) -> Comparison | None:
        """Take the next job out of the queue and return it as running; None if none waits."""
        with self.reading() as db:
            # Asked several times a second: take the write lock only when there is work.
            if db.execute("SELECT 1 FROM jobs WHERE status = 'queued' LIMIT 1").fetchone() is None:
                return None
        with self.writing() as db:
            row = db.execute(_ORDER + " LIMIT 1").fetchone()
            if row is None:
                return None
            db.execute(
                """UPDATE jobs SET status = 'running', attempts = attempts + 1, front = 0,
                       turn = (SELECT COALESCE(MAX(turn), 0) + 1 FROM jobs),
                       started = COALESCE(started, ?1), slice_started = ?1
                   WHERE id = ?2""",
                (time.time(), row["id"]),
            )
            claimed = db.execute("SELECT * FROM jobs WHERE id = ?", (row["id"],)).fetchone()
        return comparison(claimed)

    def position(self, job: str) -> int | None:
        """Return the place in the queue, 1 for the next one; None if the job does not wait."""
        with self.reading() as db:
            waiting = [row["id"] for row in db.execute(_ORDER)]
        return waiting.index(job) + 1 if job in waiting else None

    def others_wait(self, owner: str) -> bool:
        """Return whether a job of anyone else waits."""
        with self.reading() as db:
            row = db.execute(
                "SELECT 1 FROM jobs WHERE status = 'queued' AND owner != ? LIMIT 1", (owner,)
            ).fetchone()
        return row is not None

    def request_cancel(self, job: str) -> None:
        """Cancel a waiting job at once, and ask whoever runs a running one to stop it."""
        with self.writing() as db:
            db.execute("UPDATE jobs SET cancel = 1 WHERE id = ? AND status = 'running'", (job,))
            if _status(db, job) == "queued":
                _end(db, job, "cancelled", "")

    def cancel_requested(self, job: str) -> bool:
        """Return whether this running job is to stop; true as well once it is no longer there."""
        with self.reading() as db:
            row = db.execute("SELECT cancel FROM jobs WHERE id = ?", (job,)).fetchone()
        return row is None or bool(row["cancel"])

    def finish(self, job: str, status: Ending, reason: str = "") -> None:
        """End a waiting or running job and log `JobEnded`; a job that has ended stays as it is."""
        with self.writing() as db:
            if _status(db, job) in ("queued", "running"):
                _end(db, job, status, reason)
        self.release(job)

    def give_back(self, job: str, *, front: bool = False) -> None:
        """Put a running job back into the queue, at its back or front, with no attempt lost.

        A job that was to be cancelled is cancelled instead.
        """
        with self.writing() as db:
            db.execute("UPDATE jobs SET attempts = attempts - 1 WHERE id = ?", (job,))
            _requeue(db, job, front=front)
        self.release(job)

    def resume(self, job: str) -> None:
        """Queue a failed or cancelled job again; its finished runs and checkpoints are used.

        Raises StoreError for any other job and QueueFull as `create` does.
        """
        with self.writing() as db:
            row = db.execute("SELECT owner, status FROM jobs WHERE id = ?", (job,)).fetchone()
            if row is None or row["status"] not in ("failed", "cancelled"):
                raise StoreError("Only a failed or cancelled comparison can be continued.")
            refuse_flood(db, row["owner"])
            db.execute("UPDATE jobs SET attempts = 0 WHERE id = ?", (job,))
            _requeue(db, job, front=False)

    def requeue_running(self) -> None:
        """Put jobs whose process is gone to the front of the queue; fail them after MAX_ATTEMPTS.

        For the one process that runs the queue, when it starts.
        """
        with self.reading() as db:
            left = db.execute("SELECT id FROM jobs WHERE status = 'running'").fetchall()
        for row in left:
            lock = self.job_lock(row["id"])
            try:
                with lock.acquire(timeout=0), self.writing() as db:
                    _recover(db, row["id"])
            except filelock.Timeout:
                continue
            remove_lock(lock)


def _status(db: sqlite3.Connection, job: str) -> str | None:
    row = db.execute("SELECT status FROM jobs WHERE id = ?", (job,)).fetchone()
    return None if row is None else row["status"]


def _end(db: sqlite3.Connection, job: str, status: Ending, reason: str) -> None:
    db.execute(
        f"UPDATE jobs SET status = ?2, reason = ?3, ended = ?1, {_STOP_CLOCK} WHERE id = ?4",
        (time.time(), status, reason, job),
    )
    add(db, job, JobEnded(status=status, reason=reason))


def _requeue(db: sqlite3.Connection, job: str, *, front: bool) -> None:
    row = db.execute("SELECT cancel FROM jobs WHERE id = ?", (job,)).fetchone()
    if row is not None and row["cancel"]:
        _end(db, job, "cancelled", "")
        return
    db.execute(
        f"""UPDATE jobs SET status = 'queued', reason = '', ended = NULL, front = ?2,
                ticket = (SELECT MAX(ticket) + 1 FROM jobs), {_STOP_CLOCK}
            WHERE id = ?3""",
        (time.time(), front, job),
    )


def _recover(db: sqlite3.Connection, job: str) -> None:
    # Nobody knows when the process stopped: the slice adds nothing to the computing time.
    db.execute("UPDATE jobs SET slice_started = NULL WHERE id = ?", (job,))
    row = db.execute("SELECT status, attempts FROM jobs WHERE id = ?", (job,)).fetchone()
    if row["status"] != "running":
        return
    if row["attempts"] < MAX_ATTEMPTS:
        _requeue(db, job, front=True)
        return
    reason = (
        f"The job was interrupted {row['attempts']} times, each time before it could finish. "
        "Continue it from the history, or try a smaller model or budget."
    )
    _end(db, job, "failed", reason)
