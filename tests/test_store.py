"""The store: jobs and events survive, the queue is fair, and nothing is written twice."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.factories import (
    comparison_config,
    comparison_started,
    epoch_ended,
    run_ended,
    run_started,
)
from tl_core.events import ComparisonEnded, JobEnded, Progress
from tl_core.store import (
    MAX_ATTEMPTS,
    NO_TAGS,
    QUEUE_LIMIT,
    QueueFull,
    Store,
    StoreError,
    StoreFull,
    Tags,
    backups,
)
from tl_core.store.schema import MIGRATIONS

CONFIG = comparison_config()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite3")
    yield store
    store.close()


def test_a_job_comes_back_as_it_was_saved(store):
    job = store.create(CONFIG, "first try", owner="ada")
    saved = store.get(job)
    assert saved.config == CONFIG
    assert (saved.name, saved.owner, saved.kind, saved.status) == (
        "first try",
        "ada",
        "compare",
        "queued",
    )
    assert saved.started is None and saved.attempts == 0 and saved.active


def test_other_kinds_carry_a_request(store):
    job = store.create(None, "SqueezeNet", kind="download", request={"model": "squeezenet1_1"})
    assert store.claim().request == {"model": "squeezenet1_1"}
    assert store.get(job).config is None


def test_the_default_place_is_the_data_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("TL_HOME", str(tmp_path / "data"))
    Store().close()
    assert (tmp_path / "data" / "store.sqlite3").is_file()


def test_list_shows_newest_first_and_filters(store):
    first, second = store.create(CONFIG, "1", owner="ada"), store.create(CONFIG, "2", owner="bob")
    third = store.create(None, "3", owner="ada", kind="download")
    store.finish(first, "done")
    assert [job.id for job in store.list()] == [third, second, first]
    assert [job.id for job in store.list(limit=1, offset=1)] == [second]
    assert [job.id for job in store.list(owner="ada")] == [third, first]
    assert [job.id for job in store.list(kind="compare", active=True)] == [second]


def test_rename_and_delete(store):
    job = store.create(CONFIG, "before")
    store.rename(job, "after'; DROP TABLE jobs; --")
    assert store.get(job).name == "after'; DROP TABLE jobs; --"
    store.append(job, [run_ended("r1")])
    store.delete(job)
    assert store.get(job) is None
    assert store.events(job) == []
    assert store.finished_run("r1") is None


def test_a_running_job_is_not_deleted(store):
    job = store.create(CONFIG, "x")
    store.claim()
    with pytest.raises(StoreError, match="Cancel it first"):
        store.delete(job)
    assert store.get(job) is not None


def test_a_configuration_of_another_version_does_not_hide_the_job(store):
    job = store.create(CONFIG, "x")
    with store.writing() as db:
        db.execute("UPDATE jobs SET config = ?", ('{"field_of_the_future": 1}',))
    assert store.get(job).config is None
    assert [row.id for row in store.list()] == [job]


def test_events_are_numbered_in_order(store):
    job, other = store.create(CONFIG, "x"), store.create(CONFIG, "y")
    events = [run_started("r1"), epoch_ended("r1", 1), epoch_ended("r1", 2), run_ended("r1")]
    store.append(job, events[:2])
    store.append(other, [run_started("r1")])
    store.append(job, events[2:])
    assert store.events(job) == list(enumerate(events, start=1))
    assert store.events(job, after=1, until=3) == [(2, events[1]), (3, events[2])]
    assert store.events(job, after=4) == []


def test_what_a_continued_job_repeats_is_logged_once(store):
    job = store.create(CONFIG, "x")
    start = [comparison_started(CONFIG), run_started("r1"), epoch_ended("r1", 1)]
    store.append(job, start)
    store.append(job, [*start, epoch_ended("r1", 2), run_ended("r1"), ComparisonEnded(seconds=1.0)])
    kinds = [type(event).__name__ for _, event in store.events(job)]
    assert kinds == [
        "ComparisonStarted",
        "RunStarted",
        "EpochEnded",
        "EpochEnded",
        "RunEnded",
        "ComparisonEnded",
    ]


def test_the_resolved_configuration_replaces_the_requested_one(store):
    job = store.create(CONFIG, "x")
    resolved = msgspec.structs.replace(CONFIG, device="cpu", precision="float32", threads=2)
    store.append(job, [comparison_started(CONFIG), comparison_started(resolved)])
    assert store.get(job).config == resolved
    ((number, event),) = store.events(job)
    assert number == 1 and event.config == resolved


def test_progress_is_shown_while_it_runs_and_not_logged(store):
    job = store.create(CONFIG, "x")
    store.append(job, [Progress(message="one"), Progress(message="two", fraction=0.5)])
    assert store.get(job).progress == Progress(message="two", fraction=0.5)
    assert store.events(job) == []
    store.finish(job, "done")
    assert store.get(job).progress is None


def test_append_is_all_or_nothing(store):
    job = store.create(CONFIG, "x")

    def events():
        yield run_started("r1")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.append(job, events())
    assert store.events(job) == []


def test_finished_runs_are_found_from_any_job(store):
    first, second = store.create(CONFIG, "x"), store.create(CONFIG, "y")
    store.append(first, [run_started("r1"), run_started("r2"), run_ended("r1")])
    store.append(second, [run_ended("r1")])
    assert store.finished(["r1", "r2"]) == {"r1": run_ended("r1")}
    store.delete(first)
    assert store.finished_run("r1") == run_ended("r1")


def test_everyone_starts_within_one_round(store):
    for i in range(QUEUE_LIMIT):
        store.create(CONFIG, f"flood {i}", owner="flood")
    for owner in ("ada", "bob"):
        for i in range(2):
            store.create(CONFIG, f"{owner} {i}", owner=owner)
    names = [store.claim().name for _ in range(8)]
    assert names == [
        *("flood 0", "ada 0", "bob 0"),
        *("flood 1", "ada 1", "bob 1"),
        *("flood 2", "flood 3"),
    ]


def test_who_was_served_longest_ago_comes_first(store):
    store.create(CONFIG, "ada 0", owner="ada")
    store.claim()
    store.create(CONFIG, "ada 1", owner="ada")
    store.create(CONFIG, "bob 0", owner="bob")
    assert store.claim().name == "bob 0"


def test_position_is_the_order_of_claims(store):
    jobs = [store.create(CONFIG, str(i), owner=owner) for i, owner in enumerate("aabbca")]
    expected = {job: store.position(job) for job in jobs}
    claimed = [store.claim().id for _ in jobs]
    assert claimed == sorted(expected, key=expected.get)
    assert store.position(jobs[0]) is None
    assert store.claim() is None


def test_a_flood_is_refused_per_owner(store):
    for i in range(QUEUE_LIMIT):
        store.create(CONFIG, str(i), owner="ada")
    with pytest.raises(QueueFull, match="cancel one"):
        store.create(CONFIG, "one more", owner="ada")
    store.create(CONFIG, "1", owner="bob")
    assert len(store.list(limit=100)) == QUEUE_LIMIT + 1


def test_a_waiting_job_is_cancelled_at_once(store):
    job = store.create(CONFIG, "x")
    store.request_cancel(job)
    assert store.get(job).status == "cancelled"
    assert [event for _, event in store.events(job)] == [JobEnded(status="cancelled")]
    assert store.claim() is None


def test_a_running_job_is_asked_to_stop(store):
    job = store.create(CONFIG, "x")
    store.claim()
    assert not store.cancel_requested(job)
    store.request_cancel(job)
    assert store.cancel_requested(job)
    assert store.get(job).status == "running"


def test_a_job_that_ended_stays_as_it_is(store):
    job = store.create(CONFIG, "x")
    store.claim()
    store.finish(job, "failed", "because")
    store.finish(job, "done")
    store.request_cancel(job)
    assert (store.get(job).status, store.get(job).reason) == ("failed", "because")
    assert [event for _, event in store.events(job)] == [
        JobEnded(status="failed", reason="because")
    ]


def test_giving_back_goes_behind_the_others_and_costs_no_attempt(store):
    first = store.create(CONFIG, "first", owner="ada")
    store.claim()
    store.create(CONFIG, "second", owner="ada")
    store.give_back(first)
    assert [store.claim().name for _ in range(2)] == ["second", "first"]
    assert store.get(first).attempts == 1


def test_giving_back_a_job_that_was_to_be_cancelled_cancels_it(store):
    job = store.create(CONFIG, "x")
    store.claim()
    store.request_cancel(job)
    store.give_back(job)
    assert store.get(job).status == "cancelled"


def test_interrupted_jobs_go_to_the_front(store):
    interrupted = store.create(CONFIG, "interrupted", owner="ada")
    store.claim()
    store.create(CONFIG, "waiting", owner="bob")
    store.requeue_running()
    assert store.position(interrupted) == 1
    assert store.get(interrupted).seconds == 0


def test_a_job_that_is_interrupted_again_and_again_fails(store):
    job = store.create(CONFIG, "x")
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert store.claim().attempts == attempt
        store.requeue_running()
    assert store.get(job).status == "failed"
    assert "interrupted 3 times" in store.get(job).reason


def test_a_failed_job_can_be_continued(store):
    job = store.create(CONFIG, "x")
    store.claim()
    store.append(job, [run_ended("r1")])
    store.finish(job, "failed", "because")
    store.resume(job)
    resumed = store.claim()
    assert (resumed.id, resumed.reason, resumed.ended, resumed.attempts) == (job, "", None, 1)
    assert store.finished_run("r1") is not None
    with pytest.raises(StoreError, match="failed or cancelled"):
        store.resume(job)


def test_a_job_of_a_living_command_is_left_alone(store):
    job = store.create(CONFIG, "x", queued=False)
    other = Store(store.path)
    other.requeue_running()
    assert (store.get(job).status, store.get(job).attempts) == ("running", 1)
    store.finish(job, "done")
    other.close()
    assert list((store.path.parent / "locks").iterdir()) == []


def test_a_job_of_a_killed_command_is_continued(store):
    code = (
        "import os, pathlib, signal, sys\n"
        "from tl_core.store import Store\n"
        "from tests.factories import comparison_config\n"
        "store = Store(pathlib.Path(sys.argv[1]))\n"
        "store.create(comparison_config(), 'x', queued=False)\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(store.path)], check=False)
    (job,) = store.list()
    assert job.status == "running"
    store.requeue_running()
    assert store.get(job.id).status == "queued"


def test_device_notice_and_speeds(store):
    assert store.device() is None and store.notice() == "" and store.speeds() == {}
    store.set_device({"device": "cpu", "threads": 2})
    store.set_device({"device": "cuda", "threads": 2})
    store.set_notice("no room")
    store.remember("squeezenet1_1 cpu", 2.5)
    store.remember("squeezenet1_1 cpu", 2.0)
    store.remember("vit_b_16 cpu", 60.0)
    assert store.device() == {"device": "cuda", "threads": 2}
    assert store.notice() == "no room"
    assert store.speeds("squeezenet1_1 ") == {"squeezenet1_1 cpu": 2.0}


def test_threads_and_connections_lose_no_event(store):
    job = store.create(CONFIG, "x")
    others = [Store(store.path) for _ in range(3)]

    def write(connection: Store, name: str) -> None:
        for step in range(10):
            connection.append(job, [epoch_ended(name, step)])

    threads = [
        threading.Thread(target=write, args=(connection, f"{i}{k}"))
        for i, connection in enumerate([store, *others])
        for k in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [number for number, _ in store.events(job)] == list(range(1, 81))
    for other in others:
        other.close()


def test_two_runners_claim_each_job_once(store):
    jobs = {store.create(CONFIG, str(i), owner=str(i)) for i in range(12)}
    claimed: list[str] = []

    def claim_all() -> None:
        connection = Store(store.path)
        while (job := connection.claim()) is not None:
            claimed.append(job.id)
        connection.close()

    threads = [threading.Thread(target=claim_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(jobs)


def test_what_was_written_survives_a_kill(store):
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
        [sys.executable, "-c", code, str(store.path)], stdout=subprocess.PIPE, text=True
    )
    confirmed = [int(writer.stdout.readline()) for _ in range(20)][-1]
    writer.kill()
    writer.communicate()
    steps = [event.step for _, event in store.events("job")]
    assert len(steps) >= 2 * confirmed
    assert steps == list(range(len(steps))) and len(steps) % 2 == 0


def test_a_full_disk_is_said_and_damages_nothing(store):
    job = store.create(CONFIG, "x")
    with store.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreFull, match="Free some space"):
        store.append(job, [run_ended(f"r{i}") for i in range(50)])
    assert store.events(job) == []
    with store.reading() as db:
        db.execute("PRAGMA max_page_count = 100000")
    store.append(job, [run_ended("r1")])
    assert store.finished_run("r1") is not None


def test_a_damaged_file_is_refused_with_a_way_out(tmp_path):
    path = tmp_path / "store.sqlite3"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="backup"):
        Store(path)
    assert path.read_bytes().startswith(b"not a database")


def test_a_store_of_a_newer_version_is_refused_untouched(tmp_path):
    path = tmp_path / "store.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)


def test_a_backup_is_complete_while_the_store_is_open(store, tmp_path):
    job = store.create(CONFIG, "x")
    store.append(job, [run_ended("r1")])
    backups.write(store.path, tmp_path / "copy.sqlite3")
    copy = Store(tmp_path / "copy.sqlite3")
    assert copy.finished_run("r1") == run_ended("r1")
    copy.close()


def test_tags_are_kept_and_a_class_is_found_by_its_code(store):
    tags = Tags(class_code="7b", participant="Ada", guess="full_fine_tuning")
    marked = store.create(CONFIG, "x", tags=tags)
    plain = store.create(CONFIG, "y")
    assert store.get(marked).tags == tags
    assert store.get(plain).tags == Tags() == NO_TAGS
    assert [job.id for job in store.list(class_code="7b")] == [marked]
    assert [job.id for job in store.list()] == [plain, marked]
    assert store.list(class_code="8c") == []


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path):
    path = tmp_path / "store.sqlite3"
    with sqlite3.connect(path) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute(
            """INSERT INTO jobs (id, kind, name, owner, status, request, created, ticket)
               VALUES ('old', 'compare', 'kept', 'local', 'done', '{}', 1.0, 1)"""
        )
        db.execute("PRAGMA user_version = 1")
    db.close()
    opened = Store(path)
    assert (opened.get("old").name, opened.get("old").tags) == ("kept", NO_TAGS)
    opened.close()
