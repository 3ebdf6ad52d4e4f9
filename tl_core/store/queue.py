"""How a job leaves its process: ended, given back, or lost; safe when a process disappears."""

import sqlite3
import time
from typing import Literal, TypeAlias

import filelock

from tl_core.events import JobEnded
from tl_core.store.database import StoreError
from tl_core.store.jobs import remove_lock
from tl_core.store.log import add, holds
from tl_core.store.turns import Turns

# A job whose process vanished is started this many times at most.
MAX_ATTEMPTS = 3

Ending: TypeAlias = Literal["done", "failed", "cancelled"]

_STOP_CLOCK = """seconds = seconds + MAX(0, ?1 - COALESCE(slice_started, ?1)),
    slice_started = NULL, cancel = 0, message = NULL, fraction = NULL"""


class Queue(Turns):
    """Jobs that wait and those that run.

    A `lease` says for which start of a job something is done: nothing is, and False returned, once
    the job was started again, ended or was deleted. None is whoever executes a job of its own.
    """

    def request_cancel(self, job: str) -> None:
        """Cancel a waiting job at once, and ask whoever runs a running one to stop it."""
        with self.writing() as db:
            db.execute("UPDATE jobs SET cancel = 1 WHERE id = ? AND status = 'running'", (job,))
            if _status(db, job) == "queued":
                _end(db, job, "cancelled", "")

    def cancel_requested(self, job: str, *, lease: int | None = None) -> bool:
        """Return whether this running job is to stop; true as well once it is no longer there."""
        with self.reading() as db:
            row = db.execute("SELECT cancel FROM jobs WHERE id = ?", (job,)).fetchone()
            return row is None or bool(row["cancel"]) or not holds(db, job, lease)

    def finish(
        self, job: str, status: Ending, reason: str = "", *, lease: int | None = None
    ) -> bool:
        """End a waiting or running job and log `JobEnded`; a job that has ended stays as it is."""
        with self.writing() as db:
            held = holds(db, job, lease) and _status(db, job) in ("queued", "running")
            if held:
                _end(db, job, status, reason)
        self.release(job)
        return held

    def give_back(self, job: str, *, front: bool = False, lease: int | None = None) -> bool:
        """Put a running job back into the queue, at its back or front, with no attempt lost.

        A job that was to be cancelled is cancelled instead.
        """
        with self.writing() as db:
            held = holds(db, job, lease) and _status(db, job) == "running"
            if held:
                db.execute("UPDATE jobs SET attempts = attempts - 1 WHERE id = ?", (job,))
                _requeue(db, job, front=front)
        self.release(job)
        return held

    def lose(self, job: str, reason: str, *, lease: int, memory: bool = False) -> bool:
        """Put a job whose process is gone to the front of the queue; fail it after MAX_ATTEMPTS.

        With `memory`, because there was too little of it: the job starts once more with half as
        many images at a time, and fails if that was too much as well.
        """
        with self.writing() as db:
            held = holds(db, job, lease)
            if held:
                _lose(db, job, reason, memory)
        return held

    def resume(self, job: str) -> None:
        """Queue a failed or cancelled job again; its finished runs and checkpoints are used.

        Raises StoreError for any other job and QueueFull as `create` does.
        """
        with self.writing() as db:
            row = db.execute("SELECT owner, status FROM jobs WHERE id = ?", (job,)).fetchone()
            if row is None or row["status"] not in ("failed", "cancelled"):
                raise StoreError("Only a failed or cancelled comparison can be continued.")
            self.refuse_flood(db, row["owner"])
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


def _lose(db: sqlite3.Connection, job: str, reason: str, memory: bool) -> None:
    row = db.execute("SELECT kind, attempts, halvings FROM jobs WHERE id = ?", (job,)).fetchone()
    # What was lost before to something else has not been tried with less memory.
    if memory and row["halvings"] and row["attempts"] > 1:
        trains = row["kind"] in ("compare", "sweep")
        again = "Half as many images at a time" if trains else "A second start"
        advice = (
            f"{again} did not help. Choose a smaller model, freeze more blocks or close other "
            "programs, then try again."
        )
    elif row["attempts"] >= MAX_ATTEMPTS:
        advice = f"It was started {row['attempts']} times, and continues from the history."
    else:
        db.execute("UPDATE jobs SET halvings = halvings + ? WHERE id = ?", (memory, job))
        _requeue(db, job, front=True)
        return
    _end(db, job, "failed", f"{reason} {advice}")


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
