"""The tables, as the steps that lead from one schema version to the next."""

MIGRATIONS = (
    (
        # `ticket` orders the queue and `turn` the starts: counters, since clocks may step back.
        # `slice_started` is the time of the latest start, NULL while the job does not run.
        """CREATE TABLE jobs (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            name TEXT NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT '', config TEXT, request TEXT NOT NULL,
            created REAL NOT NULL, started REAL, ended REAL,
            seconds REAL NOT NULL DEFAULT 0, slice_started REAL,
            attempts INTEGER NOT NULL DEFAULT 0, cancel INTEGER NOT NULL DEFAULT 0,
            front INTEGER NOT NULL DEFAULT 0, ticket INTEGER NOT NULL, turn INTEGER,
            message TEXT, fraction REAL)""",
        "CREATE INDEX jobs_by_status ON jobs (status)",
        "CREATE INDEX jobs_by_owner ON jobs (owner, turn)",
        # `once` names an event that a continued job reports again; NULLs never collide.
        """CREATE TABLE events (
            job TEXT NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL,
            once TEXT, ended_run TEXT,
            PRIMARY KEY (job, sequence), UNIQUE (job, once))""",
        "CREATE INDEX events_by_run ON events (ended_run) WHERE ended_run IS NOT NULL",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, body TEXT NOT NULL)",
        "CREATE TABLE speeds (key TEXT PRIMARY KEY, value REAL NOT NULL)",
    ),
    (
        # Who asked for a job in a class, and what was expected of it; empty outside of classes.
        "ALTER TABLE jobs ADD COLUMN class_code TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE jobs ADD COLUMN participant TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE jobs ADD COLUMN guess TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX jobs_by_class ON jobs (class_code) WHERE class_code != ''",
    ),
    # The point of a sweep that its events now belong to, NULL outside of sweeps.
    ("ALTER TABLE jobs ADD COLUMN point INTEGER",),
    (
        # `lease` counts the starts: who holds an older one writes nothing any more. `halvings`:
        # how often memory ran out so badly that the process was lost.
        "ALTER TABLE jobs ADD COLUMN lease INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE jobs ADD COLUMN halvings INTEGER NOT NULL DEFAULT 0",
        # What several people asked for alike runs once, as a job of nobody's (the leader), whose
        # fate and events are those of every job that follows it. `same`: what decides the result.
        "ALTER TABLE jobs ADD COLUMN same TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE jobs ADD COLUMN leader TEXT",
        "CREATE INDEX jobs_by_same ON jobs (same) WHERE same != ''",
        "CREATE INDEX jobs_by_leader ON jobs (leader) WHERE leader IS NOT NULL",
        # First bytes of the SHA-256 of `body`, NULL for what older versions wrote: SQLite looks
        # after its pages' order, not after every bit that is on them.
        "ALTER TABLE events ADD COLUMN sum BLOB",
        # With thousands of jobs, what is asked at every look must not read them all.
        "CREATE INDEX jobs_by_kind ON jobs (kind, number)",
        "CREATE INDEX jobs_by_ticket ON jobs (ticket)",
        "CREATE INDEX jobs_by_turn ON jobs (turn)",
        # Whom a room knows: the owner that a browser's cookie stands for, and a nickname.
        """CREATE TABLE people (
            owner TEXT PRIMARY KEY, name TEXT NOT NULL, joined REAL NOT NULL,
            seen REAL NOT NULL)""",
    ),
    # The line of those who wait, in order within each owner, without their rows.
    (
        """CREATE INDEX jobs_in_line ON jobs (owner, front DESC, ticket, id)
            WHERE status = 'queued' AND leader IS NULL""",
    ),
)
