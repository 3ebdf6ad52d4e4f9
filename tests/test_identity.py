"""Who a browser is: alone, at a room's door, as its teacher, after a login."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests import rooms
from tests.conftest import APP
from tests.test_pages import texts
from tl_core import owners
from tl_core.owners import LOCAL, NoOwner
from tl_core.store import Room, Store
from tl_ui import gate, identity
from tl_ui.identity import Who

TOKEN = "0123456789abcdef" * 2


@pytest.fixture
def room(sampled_home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An open room; what is put into the returned cookies, new browsers bring along."""
    brought: dict[str, str] = {}
    monkeypatch.setenv("TL_ROOM", "1")
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)
    monkeypatch.setattr(identity, "cookies", lambda: brought)
    rooms.open_room()
    return brought


def come_in(at: AppTest, code: str, name: str) -> AppTest:
    at.text_input(key="gate_code").set_value(code)
    at.text_input(key="gate_name").set_value(name)
    at.button(key="FormSubmitter:gate-Come in").click().run()
    assert not at.exception
    return at


def inside(at: AppTest) -> bool:
    """Return whether a page was shown."""
    return any("Room **" in caption.value for caption in at.caption)


def who(at: AppTest) -> Who:
    return at.session_state[identity._KEY]


def cookie(at: AppTest, name: str) -> str | None:
    """Return what the page has the browser keep under a name."""
    found = re.search(rf"{name}=([^;]*); path=/; samesite=lax; max-age=(\d+)", script(at))
    return found[1] if found else None


def script(at: AppTest) -> str:
    sent = [html.proto for html in at.get("html")]
    return "\n".join(one.body for one in sent if one.unsafe_allow_javascript)


def people() -> list[tuple[str, str]]:
    store = Store()
    found = [(person.owner, person.name) for person in store.people()]
    store.close()
    return found


# The door.


def test_the_link_brings_the_code_and_a_nickname_is_enough(room: dict[str, str]) -> None:
    at = rooms.session("lab", room=rooms.CODE)
    assert not inside(at)
    assert at.text_input(key="gate_code").value == rooms.CODE
    come_in(at, rooms.CODE, "  Bee   keeper ")
    assert inside(at)
    token = cookie(at, identity.COOKIE)
    assert token is not None
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert 'location.protocol === "https:" ? "; secure"' in script(at)
    # The cookie is the only key: what names folders and jobs does not lead back to it.
    assert who(at).owner not in (token, LOCAL)
    assert people() == [(who(at).owner, "Bee keeper")]


def test_the_cookie_brings_back_the_same_person_without_a_question(room: dict[str, str]) -> None:
    first = come_in(rooms.session("lab"), rooms.CODE, "Anna")
    token = cookie(first, identity.COOKIE)
    assert token is not None
    room[identity.COOKIE] = token
    again = rooms.session("history")
    assert inside(again)
    assert (who(again).owner, who(again).name) == (who(first).owner, "Anna")
    # It is kept already: nothing is set anew.
    assert script(again) == ""


def test_every_browser_is_somebody_else(room: dict[str, str]) -> None:
    found = {who(come_in(rooms.session("lab"), rooms.CODE, "Anna")).owner for _ in range(3)}
    assert len(found) == 3


@pytest.mark.parametrize("token", [TOKEN, "", "x" * 32, TOKEN[:31], f"{TOKEN}; path=/", "../x"])
def test_a_cookie_that_nobody_was_given_opens_nothing(room: dict[str, str], token: str) -> None:
    room[identity.COOKIE] = token
    assert not inside(rooms.session("lab"))


def test_a_new_room_asks_for_its_code_and_knows_its_people(room: dict[str, str]) -> None:
    first = come_in(rooms.session("lab"), rooms.CODE, "Anna")
    room[identity.COOKIE] = cookie(first, identity.COOKIE) or ""
    rooms.open_room(Room(code="WASPS", key_sha256="0" * 64, opened=4e9))
    at = rooms.session("lab")
    assert not inside(at)
    assert not inside(come_in(at, rooms.CODE, "Anna"))
    assert inside(come_in(at, "wasps", "Anna"))
    assert who(at).owner == who(first).owner


def test_a_wrong_code_is_said_and_many_have_to_wait(
    room: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(gate.time, "monotonic", lambda: clock[0])
    at = rooms.session("lab")
    for _ in range(gate.WRONG_CODES):
        come_in(at, "GUESS", "Anna")
        assert "not the code of this room" in at.error[0].value
    come_in(at, rooms.CODE, "Anna")
    assert "Wait 30 seconds" in at.error[0].value
    assert not inside(at)
    clock[0] += gate.WAIT_SECONDS
    assert inside(come_in(at, rooms.CODE, "Anna"))


@pytest.mark.parametrize("name", ["", "   ", "a\u202eb"])
def test_a_nickname_has_to_be_one(room: dict[str, str], name: str) -> None:
    at = come_in(rooms.session("lab"), rooms.CODE, name)
    assert "visible characters" in at.error[0].value
    assert not inside(at)
    assert people() == []


def test_a_room_that_is_not_open_lets_nobody_in(
    sampled_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TL_ROOM", "1")
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)
    at = rooms.session("lab")
    assert "not open yet" in at.info[0].value
    assert not at.text_input


def test_a_nickname_can_be_changed_and_marks_what_is_started(room: dict[str, str]) -> None:
    at = come_in(rooms.session("lab"), rooms.CODE, "Anna")
    at.text_input(key="own_name").set_value("Anna B.").run()
    assert who(at).name == "Anna B."
    assert people() == [(who(at).owner, "Anna B.")]
    at.text_input(key="own_name").set_value("x\u200b").run()
    assert who(at).name == "Anna B."
    next(button for button in at.button if button.label == "Compare strategies").click().run()
    store = Store()
    (job,) = store.list()
    store.close()
    assert (job.owner, job.tags.class_code, job.tags.participant) == (
        who(at).owner,
        rooms.CODE,
        "Anna B.",
    )
    # Sample images and bundled weights: it runs once, whoever asks.
    assert job.leader is not None


def test_what_is_forgotten_leaves_a_stranger(room: dict[str, str]) -> None:
    first = come_in(rooms.session("lab"), rooms.CODE, "Anna")
    room[identity.COOKIE] = cookie(first, identity.COOKIE) or ""
    at = rooms.session("lab")
    at.button(key="forget_me").click().run()
    assert not inside(at)
    assert cookie(at, identity.COOKIE) == ""
    assert "max-age=0" in script(at)
    come_in(at, rooms.CODE, "Somebody else")
    assert who(at).owner != who(first).owner


# The teacher.


def test_the_teachers_link_makes_a_teacher_and_its_key_goes(room: dict[str, str]) -> None:
    at = rooms.session("lab", teacher=rooms.KEY)
    assert inside(at)
    assert (who(at).owner, who(at).teacher) == (LOCAL, True)
    assert "teacher" not in at.query_params
    assert people() == []
    room[identity.TEACHER_COOKIE] = cookie(at, identity.TEACHER_COOKIE) or ""
    assert who(rooms.session("history")).teacher


@pytest.mark.parametrize("key", ["", "wrong", rooms.ROOM.key_sha256])
def test_a_wrong_key_makes_no_teacher(room: dict[str, str], key: str) -> None:
    at = rooms.session("lab", teacher=key)
    assert not inside(at)
    assert "teacher" not in at.query_params
    room[identity.TEACHER_COOKIE] = key
    assert not inside(rooms.session("lab"))


def test_a_person_who_opens_the_teachers_link_is_the_teacher_then(room: dict[str, str]) -> None:
    at = come_in(rooms.session("lab"), rooms.CODE, "Anna")
    at.query_params["teacher"] = rooms.KEY
    at.run()
    assert who(at).teacher


def test_strangers_keep_the_queue_alive_too(
    sampled_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Process:
        def __init__(self, command: list[str], **_: object) -> None:
            started.append(command)

        def poll(self) -> None:
            return None

    monkeypatch.setenv("TL_ROOM", "1")
    monkeypatch.setattr("tl_ui.runner.subprocess.Popen", Process)
    monkeypatch.setattr(identity, "cookies", dict)
    rooms.open_room()
    st.cache_resource.clear()
    rooms.session("lab")
    assert ["tl_core.runner" in command[-1] for command in started] == [True, False]
    st.cache_resource.clear()


# Alone, and after a login.


def test_alone_nothing_is_asked_and_nothing_kept(app: Callable[..., AppTest]) -> None:
    at = app("lab")
    assert script(at) == ""
    assert identity.owner() == LOCAL
    assert people() == []


def test_outside_of_a_session_nobody_is_at_work_in_a_room(room: dict[str, str]) -> None:
    rooms.session("lab")
    found: list[object] = []

    def ask() -> None:
        try:
            found.append(owners.current())
        except NoOwner as error:
            found.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == ["This browser is not known here. Open the link of the room again."]


@pytest.fixture
def login(sampled_home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: None)
    monkeypatch.setattr(identity, "logs_in", lambda: True)

    def open_page(**user: object) -> AppTest:
        at = AppTest.from_file(APP, default_timeout=30)
        at.secrets["auth"] = {"redirect_uri": "https://lab.example/oauth2callback"}
        at.user = user
        at.switch_page("pages/history.py").run()
        assert not at.exception
        return at

    return open_page


def test_a_login_is_asked_for_before_any_page(login: Callable[..., AppTest]) -> None:
    at = login(is_logged_in=False)
    assert [button.label for button in at.button] == ["Log in"]
    assert "Nothing has been compared" not in texts(at)


def test_whoever_logs_in_is_the_same_person_everywhere(login: Callable[..., AppTest]) -> None:
    def owner(issuer: str, subject: str) -> str:
        at = login(is_logged_in=True, iss=issuer, sub=subject, name="Anna")
        assert "Nothing has been compared" in texts(at)
        return who(at).owner

    first = owner("https://one.example", "7")
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert owner("https://one.example", "7") == first
    others = {owner("https://one.example", "8"), owner("https://two.example", "7")}
    assert len({first, *others}) == 3
