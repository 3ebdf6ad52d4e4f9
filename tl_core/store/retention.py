"""What belongs to which job, so that what nobody needs any more can go."""

import sqlite3
from collections.abc import Sequence

import msgspec

from tl_core.store.database import Database

_STARTED = "RunStarted "


class Retention(Database):
    """Looks across jobs for what else refers to a run, a data set, or to nothing that is here."""

    def runs_alone(self, job: str) -> list[str]:
        """Return the runs of a job that no other job has finished, or may still go on with.

        A job that follows another has that one's runs, together with all that follow it too.
        """
        with self.reading() as db:
            row = db.execute("SELECT leader FROM jobs WHERE id = ?", (job,)).fetchone()
            leader = row["leader"] if row is not None and row["leader"] else job
            shared = db.execute(
                "SELECT 1 FROM jobs WHERE leader = ? AND id != ? LIMIT 1", (leader, job)
            ).fetchone()
            if shared is not None:
                return []
            own = db.execute(
                "SELECT DISTINCT once FROM events WHERE job = ? AND once >= ? AND once < ?",
                (leader, _STARTED, _STARTED[:-1] + "!"),
            ).fetchall()
            runs = dict.fromkeys(_run(row["once"]) for row in own)
            return [run for run in runs if not _elsewhere(db, run, leader)]

    def ended_before(self, moment: float) -> list[str]:
        """Return the jobs that ended before a Unix time, and what nobody follows any more.

        Who joined what was done already has had the result since joining. First those that follow.
        """
        with self.reading() as db:
            rows = db.execute(
                """SELECT own.id, own.leader IS NULL AS leads, COALESCE(own.ended,
                       MAX(COALESCE(lead.ended, own.created), own.created)) AS since
                   FROM jobs AS own LEFT JOIN jobs AS lead ON lead.id = own.leader
                   WHERE own.status NOT IN ('queued', 'running')
                     AND COALESCE(lead.status, '') NOT IN ('queued', 'running')
                   ORDER BY leads"""
            ).fetchall()
            old = [row["id"] for row in rows if row["since"] < moment]
            kept = db.execute(
                """SELECT DISTINCT leader FROM jobs WHERE leader IS NOT NULL
                   AND id NOT IN (SELECT value FROM json_each(?))""",
                (msgspec.json.encode(old).decode(),),
            )
            followed = {row["leader"] for row in kept}
        return [job for job in old if job not in followed]

    def ids(self) -> set[str]:
        """Return the ids of all jobs."""
        with self.reading() as db:
            return {row["id"] for row in db.execute("SELECT id FROM jobs")}

    def ended_runs(self) -> set[str]:
        """Return the ids of all finished runs."""
        with self.reading() as db:
            rows = db.execute("SELECT DISTINCT ended_run FROM events WHERE ended_run IS NOT NULL")
            return {row["ended_run"] for row in rows}

    def unfinished_runs(self) -> set[str]:
        """Return the runs begun by jobs that are not done: one may go on with them."""
        with self.reading() as db:
            rows = db.execute(
                """SELECT once FROM jobs JOIN events ON events.job = jobs.id
                   WHERE status != 'done' AND once >= ? AND once < ?""",
                (_STARTED, _STARTED[:-1] + "!"),
            )
            return {_run(row["once"]) for row in rows} - self.ended_runs()

    def bytes_of(self, jobs: Sequence[str], owner: str | None = None) -> dict[str, int]:
        """Return how much the results of jobs take, of one owner's if one is named.

        What is shared with others takes nothing of one's own.
        """
        with self.reading() as db:
            rows = db.execute(
                """SELECT job, SUM(LENGTH(body)) FROM events
                   JOIN jobs ON jobs.id = job AND (?2 IS NULL OR owner = ?2)
                   WHERE job IN (SELECT value FROM json_each(?1)) GROUP BY job""",
                (msgspec.json.encode(jobs).decode(), owner),
            ).fetchall()
        return dict.fromkeys(jobs, 0) | {row[0]: row[1] for row in rows}

    def free_bytes(self) -> int:
        """Return the room inside the file that nothing takes."""
        with self.reading() as db:
            pages = db.execute("PRAGMA freelist_count").fetchone()[0]
            return int(pages * db.execute("PRAGMA page_size").fetchone()[0])

    def comparisons_with(self, fingerprint: str, owner: str | None = None) -> int:
        """Return how many comparisons, of one owner or all, used a data set or its images."""
        with self.reading() as db:
            found = db.execute(
                """SELECT COUNT(*) FROM jobs WHERE kind = 'compare' AND json_valid(config)
                     AND (?2 IS NULL OR owner = ?2)
                     AND (json_extract(config, '$.data.fingerprint') = ?1
                          OR json_extract(config, '$.data.probe') = ?1)""",
                (fingerprint, owner),
            ).fetchone()
        return int(found[0])


def _elsewhere(db: sqlite3.Connection, run: str, job: str) -> bool:
    """Return whether another job has finished a run, or has begun it and is not done."""
    found = db.execute(
        """SELECT EXISTS (SELECT 1 FROM events WHERE ended_run = ?1 AND job != ?2)
             OR EXISTS (SELECT 1 FROM jobs JOIN events ON events.job = jobs.id
                          AND once >= ?3 AND once < ?3 || '!'
                        WHERE status NOT IN ('done', 'following') AND jobs.id != ?2)""",
        (run, job, _STARTED + run),
    ).fetchone()
    return bool(found[0])


def _run(once: str) -> str:
    """Return the run that the name of its first event names; in a sweep a point follows it."""
    return once.removeprefix(_STARTED).split(" ")[0]
