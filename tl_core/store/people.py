"""Whom a room knows: its code, its teacher's key as a hash, and the people who came in."""

import time

import msgspec

from tl_core.store.facts import Facts


class Room(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A room as it was opened.

    `code` lets people in, `key_sha256` (hex) belongs to the teacher's key, which is kept nowhere.
    `opened`: Unix seconds since when this code holds; who came in earlier is asked for it again.
    """

    code: str
    key_sha256: str
    opened: float


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who came in, by the id that owns that person's data; Unix seconds.

    `joined`: when the code was given last; `seen`: when a page was last asked for.
    """

    owner: str
    name: str
    joined: float
    seen: float


class People(Facts):
    """The room and its people."""

    def set_room(self, room: Room) -> None:
        """Open a room, in the place of an earlier one."""
        self._set("room", room)

    def room(self) -> Room | None:
        """Return the room, None where none was ever opened."""
        room: Room | None = self._get("room", Room)
        return room

    def saw(self, owner: str, name: str, *, joined: bool = False) -> None:
        """Note that a person is here, under a nickname; `joined`: has just given the code."""
        with self.writing() as db:
            db.execute(
                """INSERT INTO people (owner, name, joined, seen) VALUES (?1, ?2, ?3, ?3)
                   ON CONFLICT (owner) DO UPDATE SET name = ?2, seen = ?3,
                       joined = CASE WHEN ?4 THEN ?3 ELSE joined END""",
                (owner, name, time.time(), joined),
            )

    def person(self, owner: str) -> Person | None:
        """Return a person, None for someone who never came in."""
        with self.reading() as db:
            row = db.execute("SELECT * FROM people WHERE owner = ?", (owner,)).fetchone()
        return None if row is None else Person(**row)

    def people(self) -> list[Person]:
        """Return everyone who ever came in, in that order."""
        with self.reading() as db:
            rows = db.execute("SELECT * FROM people ORDER BY joined, owner").fetchall()
        return [Person(**row) for row in rows]
