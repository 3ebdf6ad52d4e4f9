"""A comparison as this session knows it: each event read once, rows made when they change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import streamlit as st

from tl_core import tables
from tl_core.columns import ranked
from tl_core.record import Record, add
from tl_core.tables import StrategyRow
from tl_core.verdict import Verdict, verdict
from tl_ui import current

_KEY, _KEPT = "followed", 3

T = TypeVar("T")


@dataclass
class Followed:
    """`rows` are ranked and belong to as many ended and failed runs as `made_of` says."""

    found: Record = field(default_factory=Record)
    after: int = 0
    made_of: tuple[int, int] | None = None
    rows: list[StrategyRow] = field(default_factory=list)
    said: Verdict | None = None


def kept(key: str, job: str, make: Callable[[], T]) -> T:
    """Return what this session knows of a job under `key`, made if it is new; few are kept."""
    known: dict[str, T] = st.session_state.setdefault(key, {})
    found = known.pop(job, None) or make()
    known[job] = found
    while len(known) > _KEPT:
        del known[next(iter(known))]
    return found


def follow(job: str) -> Followed:
    """Return a comparison, brought up to date with the events that came since the last look."""
    followed = kept(_KEY, job, Followed)
    for number, event in current.store().events(job, after=followed.after):
        add(followed.found, event)
        followed.after = number
    return bring_up(followed)


def bring_up(followed: Followed) -> Followed:
    """Make rows and verdict anew if they are of fewer runs than have ended; return it."""
    # Bootstraps over all images: too dear for every look, and only runs that ended change them.
    made_of = (len(followed.found.ended), len(followed.found.failed))
    if followed.made_of != made_of:
        rows = tables.rows(followed.found)
        followed.said = verdict(followed.found, rows)
        followed.rows, followed.made_of = ranked(rows, followed.said), made_of
    return followed


def forget(job: str) -> None:
    """Read a comparison anew next time: continued, it reports a new beginning."""
    st.session_state.get(_KEY, {}).pop(job, None)
