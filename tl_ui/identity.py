"""Who this browser is: the only user, a person of a room, its teacher, or somebody who logged in.

A room gives each browser a random cookie; whose data are whose goes by its hash, so that nobody who
reads the data directory can pose as somebody else. A session keeps who it is from its first run on.
"""

import functools
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tl_core import lesson_links
from tl_core.owners import LOCAL, NoOwner
from tl_core.store import Room, StoreError
from tl_ui.stored import whole_store

COOKIE: Final = "tl_person"
TEACHER_COOKIE: Final = "tl_teacher"
TEACHER: Final = "Teacher"
# A nickname's place for a login that has no name that can be shown.
SOMEBODY: Final = "Somebody"
# How often it is noted that somebody is still here.
SEEN_SECONDS: Final = 30.0
_YEAR: Final = 365 * 24 * 3600
_OWNER_DIGITS: Final = 32

_KEY, _FORGOTTEN, _SEEN = "_identity", "_identity_forgotten", "_identity_seen"
# On https a cookie is sent by https alone.
_SCRIPT: Final = """<script>
document.cookie = "{}={}; path=/; samesite=lax; max-age={}"
    + (location.protocol === "https:" ? "; secure" : "");
</script>"""


@dataclass(frozen=True)
class Who:
    """One browser. `cookies`: what it is to keep, by name; an empty value is to be dropped."""

    owner: str
    name: str
    teacher: bool = False
    cookies: tuple[tuple[str, str], ...] = ()


def in_room() -> bool:
    """Return whether several people use this server, let in by a code."""
    return os.environ.get("TL_ROOM") == "1"


@functools.cache
def logs_in() -> bool:
    """Return whether people log in here: Streamlit's `[auth]` is configured as the app starts."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def cookies() -> Mapping[str, str]:
    """Return what the browser brought along when this session began."""
    return st.context.cookies


def owner() -> str:
    """Return whose data this session reads; raises NoOwner where that is not known."""
    if not in_room() and not logs_in():
        return LOCAL
    who = _who()
    if who is None:
        raise NoOwner("This browser is not known here. Open the link of the room again.")
    return who.owner


def nickname() -> str:
    """Return what this person is called here, empty for the only user."""
    who = _who()
    return "" if who is None else who.name


def is_teacher() -> bool:
    """Return whether this session may see and steer what everybody does."""
    who = _who()
    return who is not None and who.teacher


def is_known() -> bool:
    """Return whether pages may run: this is the only user, or somebody who came in."""
    return _who() is not None or not (in_room() or logs_in())


def _who() -> Who | None:
    # Threads of one's own have no session; asking for one would give an empty one.
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    who: Who | None = st.session_state.get(_KEY)
    return who


def recognise() -> None:
    """Find out who this is, from a login, the teacher's link or the cookies; on every run."""
    room = whole_store().room() if in_room() else None
    if room is not None:
        _take_key(room)
        if _who() is None and not st.session_state.get(_FORGOTTEN):
            _by_cookies(room)
    if logs_in() and not is_teacher():
        _log_in()
    still_here()


def _log_in() -> None:
    who = None
    if st.user.get("is_logged_in"):
        subject = f"{st.user.get('iss')}\n{st.user.get('sub')}"
        digits = hashlib.sha256(subject.encode()).hexdigest()[:_OWNER_DIGITS]
        who = Who(digits, _shown(str(st.user.get("name") or "")))
        before = st.session_state.get(_KEY)
        if before is not None and before.owner == who.owner:
            who = before
    st.session_state[_KEY] = who


def _shown(name: str) -> str:
    try:
        return lesson_links.nickname(name[: lesson_links.MOST_NAME])
    except ValueError:
        return SOMEBODY


def _take_key(room: Room) -> None:
    """Make this the teacher's session if the address has the key, which does not stay there."""
    key = st.query_params.get("teacher")
    if key is None:
        return
    del st.query_params["teacher"]
    if _is_key(key, room):
        _become_teacher(key)


def _is_key(key: str, room: Room) -> bool:
    return hmac.compare_digest(hashlib.sha256(key.encode()).hexdigest(), room.key_sha256)


def _become_teacher(key: str) -> None:
    # What goes into a script is checked, though only the right key comes here.
    kept = ((TEACHER_COOKIE, key),) if re.fullmatch("[A-Za-z0-9_-]+", key) else ()
    st.session_state[_KEY] = Who(LOCAL, TEACHER, True, kept)


def _by_cookies(room: Room) -> None:
    key, token = (cookies().get(name, "") for name in (TEACHER_COOKIE, COOKIE))
    if key and _is_key(key, room):
        _become_teacher(key)
        return
    asks = _is_token(token) and not logs_in()
    person = whole_store().person(_owner_of(token)) if asks else None
    if person is not None and person.joined >= room.opened:
        st.session_state[_KEY] = Who(person.owner, person.name, cookies=((COOKIE, token),))


def _is_token(token: str) -> bool:
    return re.fullmatch(f"[0-9a-f]{{{_OWNER_DIGITS}}}", token) is not None


def _owner_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:_OWNER_DIGITS]


def enter(name: str) -> None:
    """Let somebody in who gave the room's code: as who the cookie says, else as somebody new."""
    token = cookies().get(COOKIE, "")
    if not _is_token(token) or st.session_state.pop(_FORGOTTEN, False):
        token = secrets.token_hex(_OWNER_DIGITS // 2)
    who = Who(_owner_of(token), name, cookies=((COOKIE, token),))
    whole_store().saw(who.owner, name, joined=True)
    st.session_state[_KEY] = who


def rename(name: str) -> None:
    """Give this person another nickname, which `lesson_links.nickname` has checked."""
    who = _who()
    if who is not None and not who.teacher:
        st.session_state[_KEY] = replace(who, name=name)
        whole_store().saw(who.owner, name)


def forget() -> None:
    """Make this browser a stranger: its cookies go, and what the session had chosen with them."""
    st.session_state.clear()
    st.session_state[_FORGOTTEN] = True


def remember() -> None:
    """Have the browser keep its cookies, or drop them; draws nothing that can be seen."""
    who = _who()
    kept = who.cookies if who is not None else ()
    if not kept and st.session_state.get(_FORGOTTEN):
        kept = ((COOKIE, ""), (TEACHER_COOKIE, ""))
    for name, value in kept:
        if cookies().get(name, "") != value or not value:
            script = _SCRIPT.format(name, value, _YEAR if value else 0)
            st.html(script, unsafe_allow_javascript=True)


def still_here() -> None:
    """Note that this person is here, now and then."""
    who = _who()
    now = time.monotonic()
    if who is None or who.teacher or now < st.session_state.get(_SEEN, 0.0):
        return
    st.session_state[_SEEN] = now + SEEN_SECONDS
    try:
        whole_store().saw(who.owner, who.name)
    except StoreError:
        # A full disk: who is here is no reason to show nothing.
        return
