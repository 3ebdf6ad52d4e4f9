"""Backups are complete, the last few are kept, and only a sound one takes the store's place."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import filelock
import pytest

from tests.factories import comparison_config, epoch_ended, run_ended, run_started
from tl_core import cli
from tl_core.store import Store, StoreDamaged, StoreError, backups, replacing
from tl_core.store.damage import fault
from tl_core.store.schema import MIGRATIONS

CONFIG = comparison_config()


@pytest.fixture
def path(home: Path) -> Path:
    """A store with one finished comparison."""
    home.mkdir()
    path = home / "store.sqlite3"
    store = Store(path)
    put(store, "first")
    store.close()
    return path


def put(store: Store, name: str) -> str:
    job = store.create(CONFIG, name, queued=False)
    store.append(job, [run_started(name), epoch_ended(name, 1), run_ended(name)])
    store.finish(job, "done")
    return job


def names(path: Path) -> list[str]:
    store = Store(path)
    found = [job.name for job in store.list()]
    store.close()
    return found


def command(*words: str) -> int:
    return cli.main(list(words))


def test_a_backup_is_one_file_with_everything(path, tmp_path, capsys):
    store = Store(path)
    put(store, "still in the log beside the file")
    assert command("backup", str(tmp_path / "copy.sqlite3")) == 0
    store.close()
    assert "Data sets" in capsys.readouterr().out
    (tmp_path / "copy.sqlite3").chmod(0o400)
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["copy.sqlite3"]
    assert names(tmp_path / "copy.sqlite3") == ["still in the log beside the file", "first"]


def test_a_backup_under_concurrent_writing_is_whole(path, tmp_path):
    """Transactions of two events: a copy that holds half of one was not taken in one moment."""
    code = (
        "import pathlib, sys\n"
        "from tl_core.store import Store\n"
        "from tests.factories import epoch_ended\n"
        "store, step = Store(pathlib.Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    store.append('job', [epoch_ended('r', 2 * step), epoch_ended('r', 2 * step + 1)])\n"
        "    step += 1\n"
        "    print(step, flush=True)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    seen = []
    for number in range(5):
        confirmed = int(writer.stdout.readline())
        backups.write(path, tmp_path / f"{number}.sqlite3")
        copy = Store(tmp_path / f"{number}.sqlite3")
        steps = [event.step for _, event in copy.events("job")]
        copy.close()
        assert steps == list(range(len(steps))) and len(steps) % 2 == 0
        assert len(steps) >= 2 * confirmed
        seen.append(len(steps))
    writer.kill()
    writer.communicate()
    assert seen == sorted(seen)


def test_a_backup_that_cannot_be_written_leaves_nothing(path, tmp_path, capsys):
    assert command("backup", str(tmp_path / "no" / "such" / "place.sqlite3")) == 2
    assert "Choose another place" in capsys.readouterr().err
    target = tmp_path / "copy.sqlite3"
    target.write_text("an earlier backup")
    damage(path)
    assert command("backup", str(target)) == 2
    assert "earlier ones are kept" in capsys.readouterr().err
    assert target.read_text() == "an earlier backup"
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["copy.sqlite3"]


def damage(path: Path) -> None:
    with sqlite3.connect(path) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()[0]
    db.close()
    with path.open("rb+") as file:
        file.seek(4096 * (root - 1))
        file.write(os.urandom(4096))


def test_the_last_three_automatic_backups_are_kept(path):
    made = []
    for number in range(5):
        made.append(backups.automatic(path))
        store = Store(path)
        put(store, str(number))
        store.close()
    assert [one.path for one in backups.known(path)] == made[:1:-1]
    assert [one.comparisons for one in backups.known(path)] == [5, 4, 3]
    damage(made[-1])
    assert backups.newest_sound(path).path == made[-2]


def test_a_full_disk_makes_no_backup_and_keeps_the_earlier(path, monkeypatch):
    kept = backups.automatic(path)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, backups.ROOM_BYTES))
    assert backups.automatic(path) is None
    assert [one.path for one in backups.known(path)] == [kept]


def test_a_damaged_store_pushes_out_no_good_backup(path):
    for _ in range(3):
        backups.automatic(path)
    kept = [one.path for one in backups.known(path)]
    damage(path)
    daily = backups.Daily(path)
    daily._next = 0.0
    daily.look()
    daily.join()
    assert [one.path for one in backups.known(path)] == kept


def test_daily_means_daily(path, monkeypatch):
    now = 1e9
    monkeypatch.setattr("tl_core.store.backups.time.time", lambda: now)
    daily = backups.Daily(path)
    made = []

    def look() -> int:
        daily.look()
        daily.join()
        made[:] = backups.known(path)
        return len(made)

    assert look() == 1
    now += 0.9 * backups.DAY_SECONDS
    assert look() == 1
    now += 0.2 * backups.DAY_SECONDS
    assert look() == 2
    for one in made:
        os.utime(one.path, (now, now))
    # Restarted at once, again and again: no reason for another one.
    daily = backups.Daily(path)
    assert look() == 2
    now += backups.APART_SECONDS + 1
    assert look() == 3


def test_the_latest_backup_comes_back_and_the_damaged_file_is_kept(path, capsys):
    backups.automatic(path)
    store = Store(path)
    put(store, "after the backup")
    store.close()
    damage(path)
    content = path.read_bytes()
    assert command("restore", "latest") == 0
    assert "kept in" in capsys.readouterr().out
    assert names(path) == ["first"]
    (aside,) = (path.parent / "replaced").rglob("store.sqlite3")
    assert aside.read_bytes() == content


def test_what_was_only_in_the_log_goes_aside_with_its_file(path):
    backups.automatic(path)
    code = (
        "import os, pathlib, sys\n"
        "from tl_core.store import Store\n"
        "from tests.test_backup import put\n"
        "put(Store(pathlib.Path(sys.argv[1])), 'only in the log')\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.with_name("store.sqlite3-wal").stat().st_size
    aside = replacing.restore(path, backups.newest_sound(path).path)
    assert names(path) == ["first"]
    assert names(aside) == ["only in the log", "first"]


def test_an_empty_history_is_begun_beside_the_damaged_file(path, capsys):
    damage(path)
    assert command("restore", "--empty") == 0
    assert not path.exists() and names(path) == []
    assert list((path.parent / "replaced").rglob("store.sqlite3"))
    path.unlink()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    assert command("restore", "--empty") == 0
    assert "no history before" in capsys.readouterr().out


def bad_text(file: Path) -> None:
    file.write_text("no database at all" * 100)


def bad_foreign(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE notes (text TEXT)")
    db.close()


def bad_newer(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


def bad_damaged(file: Path) -> None:
    backups.write(file.parent / "home" / "store.sqlite3", file)
    damage(file)


def bad_empty(file: Path) -> None:
    file.touch()


def bad_missing(file: Path) -> None:
    assert not file.exists()


BAD = (bad_text, bad_foreign, bad_newer, bad_damaged, bad_empty, bad_missing)


@pytest.mark.parametrize("make", BAD)
def test_a_bad_file_is_not_restored_and_the_store_stays(path, tmp_path, make, capsys):
    file = tmp_path / "bad.sqlite3"
    make(file)
    before = path.read_bytes()
    assert command("restore", str(file)) == 2
    assert "bad.sqlite3" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert not (path.parent / "replaced").exists()
    assert list(path.parent.glob("*.part*")) == []


def test_nothing_is_restored_under_a_running_queue_or_command(path, monkeypatch, capsys):
    monkeypatch.setattr(replacing, "WAIT_SECONDS", 0.0)
    backups.automatic(path)
    with filelock.FileLock(path.parent / "runner.lock"):
        assert command("restore", "latest") == 2
    assert "Close it first" in capsys.readouterr().err
    store = Store(path)
    job = store.create(CONFIG, "in a command", queued=False)
    assert command("restore", "latest") == 2
    assert command("restore", "--empty") == 2
    store.finish(job, "done")
    store.close()
    assert names(path) == ["in a command", "first"]
    assert command("restore", "latest") == 0
    assert names(path) == ["first"]


def test_without_a_backup_the_way_out_is_said(path, capsys):
    assert command("restore", "latest") == 2
    assert "--empty" in capsys.readouterr().err


def test_who_had_the_old_file_open_does_not_touch_the_new_one(path):
    backups.automatic(path)
    old = Store(path)
    put(old, "into the old one")
    replacing.restore(path, backups.newest_sound(path).path)
    put(old, "still into the old one")
    old.close()
    assert names(path) == ["first"] and fault(path, thorough=True) == ""


# What a job's and an event's row could hold in each version of the tables.
_JOB = (
    "INSERT INTO jobs (id, kind, name, owner, status, request, created, ticket) "
    "VALUES (?, 'compare', ?, 'local', ?, '{}', 1.0, ?)"
)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_backup_of_every_earlier_version_is_brought_up_to_date(path, tmp_path, version):
    file = tmp_path / "old.sqlite3"
    store = Store(path)
    with store.reading() as db:
        event = db.execute("SELECT body, once FROM events WHERE ended_run = 'first'").fetchone()
    store.close()
    with sqlite3.connect(file) as db:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                db.execute(statement)
        for number, status in enumerate(("done", "queued", "running", "failed")):
            db.execute(_JOB, (status * 8, status, status, number))
        db.execute(
            "INSERT INTO events (job, sequence, body, once, ended_run) VALUES (?, 1, ?, ?, ?)",
            ("done" * 8, *event, "first"),
        )
        db.execute("REPLACE INTO facts VALUES ('notice', '\"hello\"')")
        db.execute("REPLACE INTO speeds VALUES ('cpu', 2.0)")
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    replacing.restore(path, file)
    store = Store(path)
    assert {job.name: job.status for job in store.list()} == {
        one: one for one in ("done", "queued", "running", "failed")
    }
    assert store.events("done" * 8) == [(1, run_ended("first"))]
    assert store.finished_run("first") == run_ended("first")
    assert (store.notice(), store.speeds()) == ("hello", {"cpu": 2.0})
    store.requeue_running()
    assert store.claim().name == "running"
    store.append("done" * 8, [run_ended("second")])
    store.make_shrinkable()
    store.delete("failed" * 8)
    store.close()
    assert fault(path, thorough=True) == ""


def test_an_old_file_is_written_anew_once_so_that_deleting_returns_room(tmp_path):
    path = tmp_path / "store.sqlite3"
    with sqlite3.connect(path) as db:
        for statements in MIGRATIONS:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    db.close()
    store = Store(path)
    jobs = [store.create(CONFIG, str(number), owner=str(number)) for number in range(30)]
    for job in jobs:
        store.append(job, [run_ended(f"{job} {number}") for number in range(40)])
    store.make_shrinkable()
    before = path.stat().st_size
    for job in jobs[10:]:
        store.delete(job)
    assert path.stat().st_size < before / 2
    assert len(store.list()) == 10
    store.make_shrinkable()
    store.close()


def test_two_that_write_it_anew_and_one_that_writes_lose_nothing(tmp_path):
    path = tmp_path / "store.sqlite3"
    store = Store(path)
    with store.reading() as db:
        db.execute("PRAGMA auto_vacuum = NONE")
        db.execute("VACUUM")
    put(store, "before")

    def again() -> None:
        other = Store(path)
        other.make_shrinkable()
        other.close()

    def write() -> None:
        other = Store(path)
        for number in range(10):
            put(other, str(number))
        other.close()

    threads = [threading.Thread(target=run) for run in (again, again, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert len(names(path)) == 11 and fault(path, thorough=True) == ""


def test_damage_is_an_error_of_its_own(path):
    damage(path)
    store = Store(path)
    with pytest.raises(StoreDamaged):
        store.events(store.list()[0].id)
    assert issubclass(StoreDamaged, StoreError)
    store.close()
