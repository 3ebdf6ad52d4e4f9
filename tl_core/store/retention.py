"""What belongs to which job, so that what nobody needs any more can go."""

from collections.abc import Collection, Sequence

from tl_core.store.database import Database

_STARTED = "RunStarted "


class Retention(Database):
    """Looks across jobs for what else refers to a run, a data set, or to nothing that is here."""

    def runs_alone(self, job: str) -> list[str]:
        """Return the runs of a job that no other job has finished, or may still go on with."""
        with self.reading() as db:
            own = db.execute(
                "SELECT DISTINCT once FROM events WHERE job = ? AND once >= ? AND once < ?",
                (job, _STARTED, "RunStarted!"),
            ).fetchall()
            alone = []
            for (once,) in own:
                run = _run(once)
                ended = db.execute(
                    "SELECT 1 FROM events WHERE ended_run = ? AND job != ? LIMIT 1", (run, job)
                ).fetchone()
                begun = db.execute(
                    """SELECT 1 FROM jobs JOIN events ON events.job = jobs.id
                         AND once >= ?1 AND once < ?1 || '!'
                       WHERE status != 'done' AND jobs.id != ?2 LIMIT 1""",
                    (_STARTED + run, job),
                ).fetchone()
                if ended is None and begun is None:
                    alone.append(run)
        return list(dict.fromkeys(alone))

    def ended_before(self, moment: float) -> list[str]:
        """Return the jobs that ended before a Unix time and whose results nobody else follows."""
        with self.reading() as db:
            rows = db.execute(
                """SELECT id FROM jobs WHERE status NOT IN ('queued', 'running') AND ended < ?1
                     AND id NOT IN (SELECT leader FROM jobs WHERE leader IS NOT NULL
                                    AND (ended IS NULL OR ended >= ?1))""",
                (moment,),
            ).fetchall()
        return [row["id"] for row in rows]

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
                (_STARTED, "RunStarted!"),
            )
            return {_run(row["once"]) for row in rows} - self.ended_runs()

    def bytes_of(self, jobs: Sequence[str]) -> dict[str, int]:
        """Return how much the results of jobs take."""
        marks = ",".join("?" * len(jobs))
        with self.reading() as db:
            rows = db.execute(
                f"SELECT job, SUM(LENGTH(body)) FROM events WHERE job IN ({marks}) GROUP BY job",
                jobs,
            ).fetchall()
        return dict.fromkeys(jobs, 0) | {row[0]: row[1] for row in rows}

    def free_bytes(self) -> int:
        """Return the room inside the file that nothing takes."""
        with self.reading() as db:
            pages = db.execute("PRAGMA freelist_count").fetchone()[0]
            return int(pages * db.execute("PRAGMA page_size").fetchone()[0])

    def comparisons_with(self, fingerprint: str, owners: Collection[str] | None = None) -> int:
        """Return how many comparisons used a data set, as images or as source images."""
        with self.reading() as db:
            rows = db.execute(
                """SELECT owner FROM jobs WHERE kind = 'compare' AND json_valid(config)
                     AND (json_extract(config, '$.data.fingerprint') = ?1
                          OR json_extract(config, '$.data.probe') = ?1)""",
                (fingerprint,),
            ).fetchall()
        return sum(owners is None or row["owner"] in owners for row in rows)


def _run(once: str) -> str:
    """Return the run that the name of its first event names; in a sweep a point follows it."""
    return once.removeprefix(_STARTED).split(" ")[0]
