"""The append-only log of each job, which is also where finished runs are found again."""

import hashlib
import sqlite3
from collections.abc import Iterable

import msgspec

from tl_core import events as ev
from tl_core.config import BATCH_SIZE
from tl_core.owners import SHARED
from tl_core.store.database import DAMAGED, Database, StoreDamaged


class Log(Database):
    """Events by job, finished runs by run id."""

    def append(self, job: str, events: Iterable[ev.Event], *, lease: int | None = None) -> bool:
        """Add to a job's log, all or nothing; return whether it was.

        Nothing is written for a `lease` that is no longer the job's: it was started again since.
        None is whoever executes a job of its own.

        `Progress` is not logged, it replaces the job's current message. What a continued job
        reports a second time is not stored again, so its log reads as if it had never stopped. The
        resolved configuration of `ComparisonStarted` becomes the job's. Each point of a sweep has a
        log of its own in this sense: a run that two points share is in both. A sweep that is
        continued goes through its points again, so `PointStarted` may follow later points.
        """
        with self.writing() as db:
            if not holds(db, job, lease):
                return False
            for event in events:
                add(db, job, event)
        return True

    def events(
        self, job: str, after: int = 0, until: int | None = None
    ) -> list[tuple[int, ev.Event]]:
        """Return (number, event) with after < number <= until, in order; numbers start at 1.

        Raises StoreDamaged where one is no longer what was written.
        """
        with self.reading() as db:
            rows = db.execute(
                """SELECT sequence, body, sum FROM events
                   WHERE job = ?1 AND sequence > ?2 AND (?3 IS NULL OR sequence <= ?3)
                   ORDER BY sequence""",
                (job, after, until),
            ).fetchall()
        if not all(map(is_whole, rows)):
            raise StoreDamaged(DAMAGED)
        return [(row["sequence"], ev.decode(row["body"])) for row in rows]

    def finished(self, runs: Iterable[str], owner: str | None = None) -> dict[str, ev.RunEnded]:
        """Return those of the runs that `finished_run` knows, by run id."""
        found = {run: self.finished_run(run, owner) for run in runs}
        return {run: event for run, event in found.items() if event is not None}

    def finished_run(self, run: str, owner: str | None = None) -> ev.RunEnded | None:
        """Return a completed run, or None; of one owner or of nobody in particular, or of anyone.

        Whether somebody else has trained on the same images is nobody's business. One that is
        damaged counts as missing.
        """
        with self.reading() as db:
            rows = db.execute(
                """SELECT body, sum FROM events WHERE ended_run = ?1 AND (?2 IS NULL OR EXISTS (
                       SELECT 1 FROM jobs WHERE jobs.id = events.job
                           AND (jobs.owner = ?2 OR substr(jobs.owner, 1, ?4) = ?3)))""",
                (run, owner, SHARED, len(SHARED)),
            )
            row = next((row for row in rows if is_whole(row)), None)
        event = None if row is None else ev.decode(row["body"])
        return event if isinstance(event, ev.RunEnded) else None


def holds(db: sqlite3.Connection, job: str, lease: int | None) -> bool:
    """Return whether a start of a job is its latest and still counts; None always may write."""
    if lease is None:
        return True
    row = db.execute(
        "SELECT 1 FROM jobs WHERE id = ? AND status = 'running' AND lease = ?", (job, lease)
    ).fetchone()
    return row is not None


def checksum(body: bytes) -> bytes:
    """Return what tells an event's bytes from damaged ones."""
    return hashlib.sha256(body).digest()[:8]


def is_whole(row: sqlite3.Row) -> bool:
    """Return whether an event (`body`, `sum`) is as it was written, as far as its sum is known."""
    body, known = row["body"], row["sum"]
    return known is None or (isinstance(body, bytes) and known == checksum(body))


def add(db: sqlite3.Connection, job: str, event: ev.Event) -> None:
    """Store one event inside an open transaction."""
    if isinstance(event, ev.Progress):
        db.execute(
            "UPDATE jobs SET message = ?, fraction = ? WHERE id = ?",
            (event.message, event.fraction, job),
        )
        return
    if isinstance(event, ev.SweepStarted | ev.PointStarted):
        point = event.place if isinstance(event, ev.PointStarted) else None
        db.execute("UPDATE jobs SET point = ? WHERE id = ?", (point, job))
    # A job continued after an update reports new versions: the first event is brought up to date.
    started = isinstance(event, ev.ComparisonStarted)
    if isinstance(event, ev.MicroBatchHalved):
        _remember_halving(db, job, event.micro_batch)
    again = "DO UPDATE SET body = excluded.body, sum = excluded.sum" if started else "DO NOTHING"
    body = ev.encode(event)
    added = db.execute(
        f"""INSERT INTO events (job, sequence, body, once, ended_run, sum)
            VALUES (?1, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM events WHERE job = ?1),
                    ?2, ?3, ?4, ?5)
            ON CONFLICT (job, once) {again}""",
        (
            job,
            body,
            _once(db, job, event),
            event.run_id if isinstance(event, ev.RunEnded) else None,
            checksum(body),
        ),
    )
    if isinstance(event, ev.RunEnded) and added.rowcount > 0:
        # It gets somewhere: starts are counted that lead to nothing.
        db.execute("UPDATE jobs SET attempts = MIN(attempts, 1) WHERE id = ?", (job,))
    if isinstance(event, ev.ComparisonStarted):
        config = msgspec.json.encode(event.config).decode()
        # A sweep's own configuration is the one that is varied.
        db.execute("UPDATE jobs SET config = ? WHERE id = ? AND point IS NULL", (config, job))


def _remember_halving(db: sqlite3.Connection, job: str, micro_batch: int) -> None:
    """Have a comparison that is continued begin as small as it ended: alike for all its runs.

    Each point of a sweep finds out anew.
    """
    db.execute(
        "UPDATE jobs SET halvings = MAX(halvings, ?) WHERE id = ? AND point IS NULL",
        ((BATCH_SIZE // micro_batch).bit_length() - 1, job),
    )


def _once(db: sqlite3.Connection, job: str, event: ev.Event) -> str | None:
    """Return the name under which an event may be in a log only once."""
    row = db.execute("SELECT point FROM jobs WHERE id = ?", (job,)).fetchone()
    name = _name(event)
    inside = row is not None and row["point"] is not None
    return f"{name} at {row['point']}" if name and inside else name


def _name(event: ev.Event) -> str | None:
    """Return the name under which an event may be in the log of one comparison only once."""
    kind = type(event).__name__
    match event:
        case ev.EpochEnded():
            return f"{kind} {event.run_id} {event.step}"
        case ev.RunStarted() | ev.RunEnded():
            return f"{kind} {event.run_id}"
        case ev.MicroBatchHalved():
            return f"{kind} {event.micro_batch}"
        case ev.ComparisonStarted() | ev.ComparisonEnded() | ev.Answered():
            return kind
        case ev.SweepStarted() | ev.SweepEnded():
            return kind
        case _:
            return None
