"""The teacher's page: who sees it, and every action; what participants are told of the queue."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.factories import comparison_config
from tests.test_pages import texts
from tl_core import room_code
from tl_core.store import Limits, Room, Store, Tags

Open = Callable[..., AppTest]
KEY, CODE = "the-teachers-key", "mako-ribu"
ANN, BOB = "a" * 32, "b" * 32


@pytest.fixture
def store(sampled_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of an open room in which two people are."""
    monkeypatch.setenv("TL_ROOM", "1")
    monkeypatch.setenv("TL_ROOM_LINK", "http://192.168.7.20:8501")
    opened = Store()
    opened.set_room(Room(code=CODE, key_sha256=room_code.digest(KEY), opened=time.time()))
    opened.saw(ANN, "Ann", joined=True)
    opened.saw(BOB, "Bob *bold*", joined=True)
    yield opened
    opened.close()


def ask(store: Store, owner: str, name: str) -> str:
    tags = Tags(class_code=CODE, participant=owner[0])
    return store.create(comparison_config(), name, owner, tags=tags)


def teacher(app: Open) -> AppTest:
    return app("room", teacher=KEY)


def press(at: AppTest, key: str) -> None:
    at.button(key=key).click().run()
    assert not at.exception


def said(at: AppTest) -> str:
    return texts(at).replace("\\", "").replace("\u2060", "")


def waiting(store: Store) -> list[str]:
    return [job.name for job in store.waiting()]


def test_the_entrance_and_the_people(app: Open, store: Store) -> None:
    ask(store, ANN, "first")
    at = teacher(app)
    words = said(at)
    assert CODE in words and "2 people came in, 2 seen just now" in words
    assert at.code[0].value == f"http://192.168.7.20:8501/?room={CODE}"
    table = next(one.value for one in at.dataframe if "Nickname" in one.value)
    assert list(table["Nickname"]) == ["Ann", "Bob *bold*"]
    assert list(table["Under way"]) == [1, 0]


def test_the_large_view_shows_only_how_to_get_in(app: Open, store: Store) -> None:
    at = app("room", teacher=KEY, see="entrance")
    assert any(f">{CODE}</h1>" in one.proto.body for one in at.get("html"))
    assert not [button for button in at.button if str(button.key).startswith("room_")]


@pytest.mark.parametrize("address", [{}, {"see": "entrance"}, {"teacher": "wrong"}])
def test_without_the_key_there_is_nothing_to_see(
    app: Open, store: Store, monkeypatch: pytest.MonkeyPatch, address: dict[str, str]
) -> None:
    job = ask(store, BOB, "secret plans")
    token = "c" * 32
    monkeypatch.setattr("tl_ui.identity.cookies", lambda: {"tl_person": token})
    from tl_ui.identity import _owner_of

    store.saw(_owner_of(token), "Cleo", joined=True)
    at = app("room", **address)
    assert at.title[0].value == "The teacher's page"
    assert "secret plans" not in said(at) and "Bob" not in said(at) and not at.dataframe
    assert not [button for button in at.button if str(button.key).startswith("room_")]
    assert store.get(job).status == "queued"


def test_without_a_room_the_page_says_how_to_open_one(app: Open) -> None:
    at = app("room")
    assert at.title[0].value == "No room is open" and "tl_core room" in said(at)


def test_the_queue_in_its_order_with_who_and_what(app: Open, store: Store) -> None:
    ask(store, ANN, "one")
    ask(store, ANN, "two")
    ask(store, BOB, "three")
    at = teacher(app)
    rows = [one.value for one in at.markdown if one.value.startswith("**place")]
    assert [row.split("·")[0].strip("* ") for row in rows] == ["place 1", "place 2", "place 3"]
    assert ["Ann" in row for row in rows] == [True, False, True]
    assert "Bob \\*bold\\*" in rows[1]


def test_pausing_and_continuing_can_be_undone(app: Open, store: Store) -> None:
    job = ask(store, ANN, "one")
    at = teacher(app)
    press(at, "room_hold")
    assert store.held() and "The queue is paused: what runs goes on." in said(at)
    assert at.button(key="room_hold").label == "Continue the queue"
    assert store.claim() is None
    press(at, "flash_undo")
    assert not store.held() and store.claim().id == job
    press(at, "room_hold")
    press(at, "room_hold")
    assert not store.held() and "The queue goes on." in said(at)


def test_to_the_front_and_back(app: Open, store: Store) -> None:
    ask(store, ANN, "one")
    job = ask(store, ANN, "two")
    ask(store, BOB, "three")
    assert waiting(store) == ["one", "three", "two"]
    at = teacher(app)
    press(at, f"room_front_{job}")
    assert waiting(store) == ["two", "three", "one"] and "two is next" in said(at)
    press(at, "flash_undo")
    assert waiting(store) == ["one", "three", "two"]


def test_cancelling_somebodys_job(app: Open, store: Store) -> None:
    running, queued = ask(store, ANN, "one"), ask(store, BOB, "two")
    assert store.claim().id == running
    at = teacher(app)
    press(at, f"room_cancel_{queued}")
    assert store.get(queued).status == "cancelled" and "two is cancelled" in said(at)
    press(at, f"room_cancel_{running}")
    assert store.cancel_requested(running)


def test_the_limit_can_be_changed_and_undone(app: Open, store: Store) -> None:
    store.set_limits(Limits(active_per_person=2))
    at = teacher(app)
    at.selectbox(key="room_most").set_value(0).run()
    assert store.limits().active_per_person is None
    assert "as many comparisons as they like" in said(at)
    press(at, "flash_undo")
    assert store.limits().active_per_person == 2
    assert at.selectbox(key="room_most").value == 2


def test_removing_what_somebody_has_waiting(app: Open, store: Store) -> None:
    ask(store, ANN, "one")
    ask(store, BOB, "two")
    ask(store, BOB, "three")
    at = teacher(app)
    at.selectbox(key="room_person").set_value(BOB).run()
    press(at, "room_remove")
    assert waiting(store) == ["one"] and "2 waiting jobs of Bob" in said(at)
    press(at, "flash_undo")
    assert sorted(waiting(store)) == ["one", "three", "two"]


def test_results_of_the_room_stand_side_by_side(app: Open, store: Store) -> None:
    ask(store, ANN, "one")
    at = teacher(app)
    table = next(one.value for one in at.dataframe if "Participant" in one.value)
    assert list(table["Participant"]) == ["a"]


@pytest.fixture
def ann(app: Open, store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a page as a participant."""
    token = "d" * 32
    from tl_ui.identity import _owner_of

    monkeypatch.setattr("tl_ui.identity.cookies", lambda: {"tl_person": token})
    store.saw(_owner_of(token), "Ann", joined=True)
    opened = lambda page, **address: app(page, **address)  # noqa: E731
    opened.owner = _owner_of(token)  # type: ignore[attr-defined]
    return opened


def test_a_participant_is_told_place_and_pause(ann, store: Store) -> None:
    ask(store, BOB, "somebody's")
    job = ask(store, ann.owner, "mine")
    at = ann("lab", job=job)
    assert at.get("progress")[0].proto.text == "Place 2 in the queue: 1 job before it"
    assert "somebody" not in said(at)
    store.hold(True)
    at.run()
    assert at.get("progress")[0].proto.text == (
        "The queue is paused by the teacher; 1 job before it"
    )
    history = ann("history")
    assert "The queue is paused by the teacher; 1 job before it" in said(history)


def test_at_the_limit_the_button_says_why(ann, store: Store) -> None:
    store.set_limits(Limits(active_per_person=2))
    ask(store, ann.owner, "one")
    at = ann("lab")
    assert not at.button(key="start").disabled
    ask(store, ann.owner, "two")
    at.run()
    assert at.button(key="start").disabled
    assert "as many as one person may have" in said(at)
