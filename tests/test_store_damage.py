"""A damaged history is found, changes no further, and shows what is left of it."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.factories import comparison_config, epoch_ended, run_ended, run_started
from tl_core.store import Store, StoreDamaged, StoreError, backups
from tl_core.store.damage import EMPTY, FOREIGN, UNREADABLE, fault
from tl_core.store.replacing import trouble

CONFIG = comparison_config()
PAGE = 4096


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of forty comparisons, closed."""
    path = tmp_path_factory.mktemp("made") / "store.sqlite3"
    store = Store(path)
    for number in range(40):
        job = store.create(CONFIG, f"Comparison {number}", owner=str(number))
        run = f"run{number}"
        steps = [epoch_ended(run, step) for step in range(20)]
        store.append(job, [run_started(run), *steps, run_ended(run)])
    store.close()
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(made, tmp_path / "store.sqlite3"))


def overwrite(path: Path, place: int, content: bytes) -> None:
    with path.open("rb+") as file:
        file.seek(place)
        file.write(content)


def header(path: Path) -> None:
    overwrite(path, 0, b"\0" * 100)


def some_pages(path: Path) -> None:
    for number in range(8, path.stat().st_size // PAGE, 7):
        overwrite(path, number * PAGE, os.urandom(PAGE))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def foreign_text(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)


def foreign_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text TEXT)")
    db.close()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (header, UNREADABLE),
        (some_pages, UNREADABLE),
        (cut, UNREADABLE),
        (foreign_text, UNREADABLE),
        (foreign_database, FOREIGN),
        (emptied, EMPTY),
    ],
)
def test_every_kind_of_damage_is_found_and_nothing_written(
    path: Path, harm: Callable[[Path], None], said: str
):
    harm(path)
    before = path.read_bytes()
    assert fault(path) == said
    assert path.read_bytes() == before


def test_a_sound_store_and_none_at_all_are_no_damage(path, tmp_path):
    assert fault(path, thorough=True) == ""
    assert fault(tmp_path / "none.sqlite3") == ""
    assert not (tmp_path / "none.sqlite3").exists()


def test_what_is_in_the_log_beside_the_file_is_looked_at_too(path):
    store = Store(path)
    store.create(CONFIG, "not yet in the file")
    assert fault(path, thorough=True) == ""
    store.close()


def test_a_flipped_bit_inside_an_event_is_found(path):
    """SQLite's own check goes through the pages, not through what is written on them."""
    content = path.read_bytes()
    place = content.index(b'"run7"')
    overwrite(path, place + 4, bytes([content[place + 4] ^ 1]))
    assert fault(path) == ""
    assert fault(path, thorough=True) == UNREADABLE
    store = Store(path)
    damaged = [job.name for job in store.list() if not readable(store, job.id)]
    assert damaged == ["Comparison 7"]
    store.close()


def readable(store: Store, job: str) -> bool:
    try:
        return bool(store.events(job))
    except StoreDamaged:
        return False


def test_a_damaged_run_is_not_taken_over(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"run9"', b'"ruN9"'))
    store = Store(path)
    with store.writing() as db:  # the index names it as before
        db.execute("UPDATE events SET ended_run = 'run9' WHERE ended_run = 'ruN9'")
    assert store.finished_run("run9") is None
    assert store.finished_run("run8") is not None
    store.close()


def test_what_is_left_is_read_and_nothing_is_written(path):
    store = Store(path)
    late = store.create(CONFIG, "in the log beside the file")
    before = digests(path.parent)
    left = Store(path, read_only=True)
    assert len(left.list()) == 41 and left.get(late) is not None
    for write in (
        lambda: left.create(CONFIG, "x"),
        lambda: left.rename(late, "y"),
        lambda: left.delete(late),
        lambda: left.claim(),
        lambda: left.finish(late, "failed"),
        lambda: left.append(late, [run_ended("r")]),
    ):
        with pytest.raises(StoreError, match="only read"):
            write()
    left.remember("speed", 1.0)
    left.close()
    assert digests(path.parent) == before
    store.close()


def test_a_damaged_page_leaves_the_others_readable(path):
    with sqlite3.connect(path) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()[0]
    db.close()
    overwrite(path, (root - 1) * PAGE, os.urandom(PAGE))
    assert fault(path) == UNREADABLE
    store = Store(path, read_only=True)
    jobs = store.list()
    assert [job.name for job in jobs] == [f"Comparison {number}" for number in range(39, -1, -1)]
    with pytest.raises(StoreDamaged, match="restore latest"):
        store.events(jobs[0].id)
    store.close()


def digests(folder: Path) -> dict[str, str]:
    """What is on disk; the third file is memory that readers share, in which they meet."""
    return {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in folder.iterdir()
        if one.is_file() and one.suffix != ".sqlite3-shm"
    }


def test_the_queue_does_not_start_on_a_damaged_store(path):
    foreign_text(path)
    before = digests(path.parent)
    done = subprocess.run(
        [sys.executable, "-m", "tl_core.runner"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "TL_HOME": str(path.parent)},
    )
    assert done.returncode == 1 and "restore latest" in done.stderr
    assert "Traceback" not in done.stderr
    assert {name: digests(path.parent)[name] for name in before} == before


def test_an_empty_file_counts_as_damage_only_where_a_backup_remembers_more(path):
    emptied(path)
    assert trouble(path) == ""
    shutil.move(path, path.with_name("empty"))
    store = Store(path)
    store.close()
    backups.automatic(path)
    shutil.move(path.with_name("empty"), path)
    assert trouble(path) == EMPTY
