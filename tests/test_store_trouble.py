"""A damaged history in the app: said plainly, with two ways out that work, and nothing written."""

import os
import sqlite3
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests import scripted
from tests.conftest import APP
from tl_core.store import Store, backups, store_path


@pytest.fixture
def page(sampled_home: Path, monkeypatch):
    """Open a page in a new session; no queue runs, and to start one on damage is an error."""
    started: list[bool] = []
    monkeypatch.setattr("tl_ui.runner.keep_alive", lambda: started.append(True))
    put("Digits")

    def open_page(name: str = "lab") -> AppTest:
        started.clear()
        at = AppTest.from_file(APP, default_timeout=30)
        at.switch_page(f"pages/{name}.py").run()
        assert not at.exception
        at.started = started
        return at

    return open_page


def put(name: str) -> str:
    store = Store()
    events = scripted.events()
    job = store.create(events[0].config, name, queued=False)
    store.append(job, events)
    store.finish(job, "done")
    store.close()
    return job


def damage(table: str) -> None:
    path = store_path()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        asked = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        root = db.execute(asked, (table,)).fetchone()[0]
    db.close()
    with path.open("rb+") as file:
        file.seek(4096 * (root - 1))
        file.write(os.urandom(4096))


def said(at: AppTest) -> str:
    parts = (at.title, at.markdown, at.info, at.error, at.warning, at.caption)
    return " ".join(str(element.value) for part in parts for element in part)


def button(at: AppTest, label: str):
    return next(one for one in at.button if one.label == label)


@pytest.mark.parametrize("name", ["lab", "data", "history", "trust", "lessons"])
def test_every_page_says_the_same_and_no_queue_starts(page, name):
    damage("events")
    before = store_path().read_bytes()
    at = page(name)
    assert "The history is damaged" in said(at)
    assert str(store_path().parent) not in said(at) and "sqlite" not in said(at)
    assert at.started == []
    assert at.dataframe[0].value["Comparison"].tolist() == ["Digits"]
    assert store_path().read_bytes() == before


def test_going_back_to_the_newest_backup(page):
    backups.automatic(store_path())
    put("after the backup")
    damage("events")
    at = page("history")
    assert "1 comparison" in said(at)
    button(at, "Go back to this backup").click().run()
    assert not at.exception
    assert "The backup is back" in said(at) and "Digits" in str(at)
    assert "after the backup" not in str(at)
    assert list((store_path().parent / "replaced").rglob("store.sqlite3"))


def test_without_a_backup_an_empty_history_is_the_way_out(page):
    damage("jobs")
    at = page("history")
    assert "no backup yet" in said(at)
    assert "Go back to this backup" not in [one.label for one in at.button]
    button(at, "Begin an empty history").click().run()
    assert not at.exception
    assert "Nothing has been compared yet" in said(at)
    assert list((store_path().parent / "replaced").rglob("store.sqlite3"))


def test_a_file_that_is_no_history_at_all(page):
    for end in ("", "-wal", "-shm"):
        store_path().with_name(store_path().name + end).unlink(missing_ok=True)
    store_path().write_bytes(b"something else" * 1000)
    at = page()
    assert "The history is damaged" in said(at) and not at.dataframe
    assert at.started == []


def test_what_is_left_can_be_looked_at_and_nothing_changed(page):
    damage("speeds")
    at = page("history")
    button(at, "Look at these, without changing anything").click().run()
    assert not at.exception
    assert "only read" in said(at) and "Digits" in str(at)
    before = store_path().read_bytes()
    at.switch_page("pages/lab.py").run()
    assert not at.exception and at.started == []
    assert store_path().read_bytes() == before
    button(at, "Bring it back …").click().run()
    assert "Begin an empty history" in [one.label for one in at.button]


def test_damage_that_a_page_meets_later_leads_to_the_ways_out(page, monkeypatch):
    at = page("lab")
    assert "damaged" not in said(at)
    job = put("Damaged later")
    with sqlite3.connect(store_path()) as db:
        db.execute("UPDATE events SET body = body || ' ' WHERE job = ?", (job,))
    db.close()
    at.query_params["job"] = job
    at.run()
    assert not at.exception
    assert "The history is damaged" in said(at)
    at = page("history")
    assert "The history is damaged" in said(at) and at.started == []


def test_a_store_of_a_newer_version_is_said_without_a_traceback(page):
    with sqlite3.connect(store_path()) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    at = page()
    assert "newer version" in said(at) and at.started == []
    assert "Begin an empty history" not in [one.label for one in at.button]


def test_in_a_room_nobody_replaces_the_history_of_all(page, monkeypatch):
    damage("events")
    monkeypatch.setenv("TL_ROOM", "1")
    # As in a server that has just started: nobody has come through the door yet.
    monkeypatch.setattr("tl_core.owners._ask", None)
    at = page()
    assert "Whoever runs this server" in said(at) and not at.button
