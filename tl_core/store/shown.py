"""Jobs as they are shown: one that follows another has the fate of that other one."""

from typing import Final

# What a follower's own row says; any other status is its own end.
FOLLOWING: Final = "following"

_OWN: Final = (
    *("number", "id", "kind", "name", "owner", "request", "created", "ticket"),
    *("class_code", "participant", "guess", "same", "leader"),
)
_LEADERS: Final = (
    *("reason", "config", "started", "ended", "seconds", "attempts", "cancel", "message"),
    *("fraction", "lease", "halvings", "slice_started", "front"),
)

# In the place of the table: its columns, with those that decide how a job stands taken from the
# leader as long as the job follows it. A leader that is gone has failed.
SHOWN: Final = f"""(SELECT {", ".join(f"own.{name}" for name in _OWN)},
    {", ".join(f"COALESCE(lead.{name}, own.{name}) AS {name}" for name in _LEADERS)},
    COALESCE(lead.status, CASE own.status WHEN '{FOLLOWING}' THEN 'failed' ELSE own.status END)
        AS status,
    own.status AS own_status
    FROM jobs AS own
    LEFT JOIN jobs AS lead ON lead.id = own.leader AND own.status = '{FOLLOWING}')"""

# Of those, what waits or runs: by their own rows first, of which there is an index.
ACTIVE: Final = f"""own_status IN ('queued', 'running', '{FOLLOWING}')
    AND status IN ('queued', 'running')"""
