"""How many jobs there are of each kind of fate, and how long the oldest waits."""

from tl_core.store.database import Database


class Census(Database):
    """Numbers over all owners, for whoever runs the server."""

    def counts(self) -> dict[str, int]:
        """Return how many jobs have each status."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT status, COUNT(*) AS jobs FROM jobs WHERE leader IS NULL GROUP BY status"
            ).fetchall()
        return {row["status"]: row["jobs"] for row in rows}

    def oldest_waiting(self) -> float | None:
        """Return when the job was asked for that has waited longest, None if none waits."""
        with self.reading() as db:
            row = db.execute(
                "SELECT MIN(created) AS oldest FROM jobs WHERE status = 'queued'"
            ).fetchone()
        return None if row["oldest"] is None else float(row["oldest"])
