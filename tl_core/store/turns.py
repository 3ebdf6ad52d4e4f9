"""Whose turn it is: fair between owners, within what one person may take."""

import sqlite3
import time

from tl_core.store.jobs import Comparison, Comparisons, Jobs, comparison

# Round robin: everyone's first job before anyone's second, those that run counted, who was served
# longest ago first. `round` is which of its owner's jobs it would be, if it started now; the plus
# keeps the search among the few that run.
_WAITING = """
    (SELECT id, owner, front, ticket,
        ROW_NUMBER() OVER (PARTITION BY owner ORDER BY front DESC, ticket)
            + (SELECT COUNT(*) FROM jobs AS now
               WHERE +now.owner = queued.owner AND now.status = 'running') AS round,
        (SELECT COALESCE(MAX(turn), 0) FROM jobs AS past WHERE past.owner = queued.owner)
            AS last_turn
     FROM jobs AS queued WHERE status = 'queued' AND leader IS NULL) AS waiting"""

_ORDER = " ORDER BY front DESC, round, last_turn, ticket"

# What was moved to the front starts whatever its owner has running.
_MAY_START = "(:most IS NULL OR round <= :most OR front)"


class Turns(Jobs):
    """Jobs that wait, in their order, and the start of the next one."""

    def claim(self) -> Comparison | None:
        """Take the next job out of the queue and return it as running; None if none may start.

        Each start has a lease of its own, which fences off whatever an earlier one still says.
        """
        if not self.anyone_waits():  # asked several times a second: no write lock without work
            return None
        with self.writing() as db:
            row = self._next(db)
            if row is None:
                return None
            db.execute(
                """UPDATE jobs SET status = 'running', attempts = attempts + 1, front = 0,
                       lease = lease + 1, turn = (SELECT COALESCE(MAX(turn), 0) + 1 FROM jobs),
                       started = COALESCE(started, ?1), slice_started = ?1
                   WHERE id = ?2""",
                (time.time(), row["id"]),
            )
            claimed = db.execute("SELECT * FROM jobs WHERE id = ?", (row["id"],)).fetchone()
        return comparison(claimed)

    def _next(self, db: sqlite3.Connection) -> sqlite3.Row | None:
        if self.held():
            return None
        row: sqlite3.Row | None = db.execute(
            f"SELECT id FROM {_WAITING} WHERE {_MAY_START} {_ORDER} LIMIT 1",
            {"most": self.limits().active_per_person},
        ).fetchone()
        return row

    def anyone_waits(self) -> bool:
        """Return whether a job could start if there were a place for it."""
        with self.reading() as db:
            return self._next(db) is not None

    def due_before(self, owner: str, *, taken: int = 0) -> int:
        """Return how many of an owner's running jobs have to give way to jobs of others.

        That is how many of those would start: what gives way comes back to the queue, and may be
        its first again. `taken`: places that are becoming free already.
        """
        if self.held():
            return 0
        with self.reading() as db:
            running, turn = db.execute(
                """SELECT COUNT(*) FILTER (WHERE status = 'running'), COALESCE(MAX(turn), 0)
                   FROM jobs WHERE owner = ?""",
                (owner,),
            ).fetchone()
            others = db.execute(
                f"""SELECT front, round, last_turn FROM {_WAITING}
                    WHERE owner != :owner AND {_MAY_START} {_ORDER} LIMIT :running OFFSET :taken""",
                {
                    **{"owner": owner, "running": running, "taken": taken},
                    "most": self.limits().active_per_person,
                },
            ).fetchall()
        due = 0
        for row in others:
            if not row["front"] and (row["round"], row["last_turn"]) >= (running - due, turn):
                break
            due += 1
        return due

    def waiting(self) -> Comparisons:
        """Return the jobs that wait, in the order in which they would start."""
        with self.reading() as db:
            rows = db.execute(
                f"""SELECT jobs.* FROM {_WAITING} JOIN jobs ON jobs.id = waiting.id
                    ORDER BY waiting.front DESC, round, last_turn, waiting.ticket"""
            ).fetchall()
        return [comparison(row) for row in rows]

    def position(self, job: str) -> int | None:
        """Return the place in the queue, 1 for the next one; None if the job does not wait."""
        with self.reading() as db:
            waiting = [row["id"] for row in db.execute(f"SELECT id FROM {_WAITING} {_ORDER}")]
        return waiting.index(job) + 1 if job in waiting else None

    def to_front(self, job: str) -> None:
        """Have a waiting job start next, whoever's turn it is; nothing happens to any other."""
        with self.writing() as db:
            db.execute(
                """UPDATE jobs SET front = (
                       SELECT MAX(front) + 1 FROM jobs WHERE status = 'queued')
                   WHERE id = ? AND status = 'queued'""",
                (job,),
            )

    def back_in_line(self, job: str) -> None:
        """Take back that a waiting job was moved to the front: its turn comes as it would have."""
        with self.writing() as db:
            db.execute("UPDATE jobs SET front = 0 WHERE id = ? AND status = 'queued'", (job,))
