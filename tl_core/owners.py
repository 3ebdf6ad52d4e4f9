"""Whose data is meant: everything that a person brought lies in folders of that person's own.

Alone on a machine there is one owner, `LOCAL`, whose folders are those of the data directory. In a
room everybody has folders of their own below `people`; what comes with the app is for all.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from tl_core import home

LOCAL: Final = "local"
# Nobody in particular: sees only what comes with the app.
EVERYBODY: Final = "everybody"
# How the owners of jobs begin that work with nobody's data: what they find, everybody may see.
SHARED: Final = "shared:"

_OWNER = re.compile(r"[0-9a-f]{32,64}")
_acting: ContextVar[str | None] = ContextVar("acting", default=None)
_ask: Callable[[], str] | None = None


class NoOwner(RuntimeError):
    """It is not known who asks, and so nothing may be read or written."""


def current() -> str:
    """Return who is at work: as `acting` says, else as the app says, else the only user."""
    return _acting.get() or (_ask() if _ask is not None else LOCAL)


def ask(answer: Callable[[], str] | None) -> None:
    """Have `answer` called for the owner wherever none is acting; it may raise NoOwner."""
    global _ask
    _ask = answer


@contextlib.contextmanager
def acting(owner: str) -> Iterator[None]:
    """Work for an owner until the end of the block."""
    token = _acting.set(checked(owner))
    try:
        yield
    finally:
        _acting.reset(token)


def checked(owner: str) -> str:
    """Return an owner that folders may be named after; raises NoOwner for anything else."""
    if owner in (LOCAL, EVERYBODY) or _OWNER.fullmatch(owner):
        return owner
    raise NoOwner("This browser is not known here. Open the link of the room again.")


def folder(name: str) -> Path:
    """Return the current owner's folder of that name, created; the shared one for `LOCAL`."""
    owner = checked(current())
    if owner in (LOCAL, EVERYBODY):
        return home.folder(name)
    path = home.folder("people") / owner / name
    path.mkdir(parents=True, exist_ok=True)
    return path
