"""Whose turn it is: fair between owners, within what one person may take."""

import itertools
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tl_core.store.jobs import Comparison, Comparisons, Jobs, comparison

# Round robin: everyone's first job before anyone's second, those that run counted, who was served
# longest ago first. `round` is which of its owner's jobs it would be, if it started now. What
# decides it is looked up once for each owner who waits; the plus keeps the search among the few
# jobs that run.
_LINE = """
    WITH standing AS MATERIALIZED (
        SELECT owner,
            (SELECT COUNT(*) FROM jobs AS now
             WHERE +now.owner = who.owner AND now.status = 'running') AS running,
            (SELECT COALESCE(MAX(turn), 0) FROM jobs AS past WHERE past.owner = who.owner)
                AS last_turn
        FROM (SELECT DISTINCT owner FROM jobs WHERE status = 'queued' AND leader IS NULL) AS who),
    line AS (
        SELECT id, owner, front, last_turn, ticket,
            ROW_NUMBER() OVER (PARTITION BY owner ORDER BY front DESC, ticket) + running AS round
        FROM jobs JOIN standing USING (owner) WHERE status = 'queued' AND leader IS NULL)"""

_ORDER = " ORDER BY line.front DESC, round, last_turn, line.ticket"

# What was moved to the front starts whatever its owner has running.
_MAY_START = "(:most IS NULL OR round <= :most OR front)"


class Place(NamedTuple):
    """A waiting job's place in the line: see `_LINE`."""

    owner: str
    front: int
    round: int
    last_turn: int


class Line(NamedTuple):
    """Who waits and may start, in order, and what each owner has running, at one moment.

    `running`: how many jobs of an owner run, and the turn of its latest start.
    """

    waiting: Sequence[Place]
    running: Mapping[str, tuple[int, int]]

    def due_before(self, owner: str, *, taken: int = 0) -> int:
        """Return how many of an owner's running jobs have to give way to jobs of others.

        That is how many of those would start: what gives way comes back to the queue, and may be
        its first again. `taken`: places that are becoming free already.
        """
        running, turn = self.running.get(owner, (0, 0))
        others = (place for place in self.waiting if place.owner != owner)
        due = 0
        for place in itertools.islice(others, taken, taken + running):
            if not place.front and (place.round, place.last_turn) >= (running - due, turn):
                break
            due += 1
        return due


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
            f"{_LINE} SELECT id FROM line WHERE {_MAY_START} {_ORDER} LIMIT 1",
            {"most": self.limits().active_per_person},
        ).fetchone()
        return row

    def anyone_waits(self) -> bool:
        """Return whether a job could start if there were a place for it."""
        with self.reading() as db:
            return self._next(db) is not None

    def line(self) -> Line:
        """Return who waits and who runs, as it is now; nobody while the queue is held."""
        if self.held():
            return Line((), {})
        with self.reading() as db:
            running = db.execute(
                """SELECT owner, COUNT(*) AS jobs,
                       (SELECT MAX(turn) FROM jobs AS past WHERE past.owner = now.owner) AS turn
                   FROM jobs AS now WHERE status = 'running' GROUP BY owner"""
            ).fetchall()
            waiting = db.execute(
                f"""{_LINE} SELECT owner, front, round, last_turn FROM line
                    WHERE {_MAY_START} {_ORDER}""",
                {"most": self.limits().active_per_person},
            ).fetchall()
        return Line(
            tuple(Place(*row) for row in waiting),
            {row["owner"]: (row["jobs"], row["turn"] or 0) for row in running},
        )

    def waiting(self) -> Comparisons:
        """Return the jobs that wait, in the order in which they would start."""
        with self.reading() as db:
            rows = db.execute(
                f"{_LINE} SELECT jobs.* FROM line JOIN jobs USING (id) {_ORDER}"
            ).fetchall()
        return [comparison(row) for row in rows]

    def position(self, job: str) -> int | None:
        """Return the place in the queue, 1 for the next one; None if the job does not wait."""
        with self.reading() as db:
            waiting = [row["id"] for row in db.execute(f"{_LINE} SELECT id FROM line {_ORDER}")]
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
