"""What is known of this machine: its device, measured speeds, why jobs have to wait."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tl_core.store.database import Database

# Jobs that one person may have waiting.
QUEUE_LIMIT = 20


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one person may take of the queue.

    `active_per_person`: jobs that may run at the same time, None for as many as there is room for.
    """

    active_per_person: int | None = None
    waiting_per_person: int = QUEUE_LIMIT


class Facts(Database):
    """Single values by name."""

    def set_device(self, report: Mapping[str, Any]) -> None:
        """Save what a worker reported of device and versions."""
        self._set("device", dict(report))

    def device(self) -> dict[str, Any] | None:
        """Return what the latest worker reported, or None before the first one was ready."""
        report: dict[str, Any] | None = self._get("device", dict[str, Any])
        return report

    def set_notice(self, text: str) -> None:
        """Save one sentence on why jobs cannot start now; empty when they can."""
        self._set("notice", text)

    def notice(self) -> str:
        """Return why jobs cannot start now; empty when they can."""
        return self._get("notice", str) or ""

    def hold(self, wanted: bool) -> None:
        """Let no more jobs start, or let them start again; what runs goes on."""
        self._set("held", wanted)

    def held(self) -> bool:
        """Return whether the queue is held."""
        return bool(self._get("held", bool))

    def set_limits(self, limits: Limits) -> None:
        """Say what one person may take of the queue."""
        self._set("limits", limits)

    def limits(self) -> Limits:
        """Return what one person may take of the queue."""
        return self._get("limits", Limits) or Limits()

    def remember(self, key: str, value: float) -> None:
        """Save a measured speed for later estimates; where nothing may be written it is lost."""
        if self.read_only:
            return
        with self.writing() as db:
            db.execute("REPLACE INTO speeds (key, value) VALUES (?, ?)", (key, value))

    def speeds(self, prefix: str = "") -> dict[str, float]:
        """Return measured speeds whose key starts with `prefix`."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT key, value FROM speeds WHERE substr(key, 1, ?) = ? ORDER BY key",
                (len(prefix), prefix),
            ).fetchall()
        return {row["key"]: row["value"] for row in rows}

    def _set(self, name: str, value: Any) -> None:
        body = msgspec.json.encode(value).decode()
        with self.writing() as db:
            db.execute("REPLACE INTO facts (name, body) VALUES (?, ?)", (name, body))

    def _get(self, name: str, kind: Any) -> Any:
        with self.reading() as db:
            row = db.execute("SELECT body FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else msgspec.json.decode(row["body"], type=kind)
