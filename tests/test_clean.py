"""Deleting returns the room, and cleaning removes what nobody needs, and nothing else."""

import os
import time
from pathlib import Path

import pytest

from tests.factories import comparison_config, comparison_started, run_ended, run_started
from tl_core import cache, cleaning, cli, deletion
from tl_core.home import folder
from tl_core.store import Store

CONFIG = comparison_config()
DAY = 24 * 3600.0


@pytest.fixture
def store(home: Path):
    store = Store()
    yield store
    store.close()


def test_the_structured_log_is_nobodys_leftover(store):
    for name in ("runner.jsonl", "runner.jsonl.1", "gone.txt"):
        path = folder("logs") / name
        path.write_text("{}")
        os.utime(path, (time.time() - 30 * DAY,) * 2)
    cleaning.remove(store, cleaning.found(store))
    assert sorted(path.name for path in folder("logs").iterdir()) == [
        "runner.jsonl",
        "runner.jsonl.1",
    ]


def put(store: Store, name: str, *runs: str, status: str = "done", age: float = 0.0) -> str:
    """Save a job with runs that have ended, their models, its summary and its log."""
    job = store.create(CONFIG, name, queued=False)
    store.append(job, [comparison_started(CONFIG)])
    for run in runs:
        store.append(job, [run_started(run), run_ended(run)])
        with cache.building(cache.entry("models", run), 1) as part:
            (part / "model.safetensors").write_bytes(b"x" * 1000)
    for kind, end in (("summaries", "json"), ("logs", "txt")):
        (folder(kind) / f"{job}.{end}").write_text("{}")
    if status != "running":
        store.finish(job, status)
    with store.writing() as db:
        db.execute("UPDATE jobs SET ended = ended - ? WHERE id = ?", (age * DAY, job))
    return job


def left(run: str) -> Path:
    """A checkpoint as a killed process leaves it."""
    path = folder("checkpoints") / f"{run}.pt"
    path.write_bytes(b"x" * 1000)
    return path


def aged(path: Path, days: float) -> Path:
    moment = time.time() - days * DAY
    os.utime(path, (moment, moment))
    return path


def files() -> list[str]:
    root = folder("logs").parent
    places = ("summaries", "logs", "checkpoints", "cache/models")
    return sorted(path.name for place in places for path in (root / place).glob("*"))


def test_deleting_a_job_leaves_nothing_of_it(store):
    before = files()
    job = put(store, "x", "r1", "r2")
    left("r2")
    deletion.delete_job(store, job)
    assert store.list() == [] and store.finished_run("r1") is None
    assert files() == before


def test_what_another_job_has_too_stays(store):
    first, second = put(store, "x", "own", "both"), put(store, "y", "both")
    third = store.create(CONFIG, "z", queued=False)
    store.append(third, [run_started("begun")])
    store.append(first, [run_started("begun")])
    store.finish(third, "failed")
    shared = left("begun")
    assert store.runs_alone(first) == ["own"]
    deletion.delete_job(store, first)
    assert [cache.entry("models", run).is_dir() for run in ("own", "both")] == [False, True]
    assert shared.exists() and store.get(second) is not None
    deletion.delete_job(store, third)
    assert not shared.exists()


def test_a_run_inside_a_sweep_counts_as_the_same_run(store):
    from tl_core.events import PointStarted

    job = put(store, "x", "both")
    sweep = store.create(CONFIG, "sweep", queued=False, kind="sweep")
    store.append(sweep, [PointStarted(place=1), run_started("both"), run_started("begun")])
    assert store.runs_alone(sweep) == ["begun"]
    assert store.runs_alone(job) == []


def test_the_history_shrinks_when_jobs_go(store):
    jobs = [put(store, str(number), f"r{number}") for number in range(4)]
    for job in jobs:
        store.append(job, [run_ended(f"{job} {number}") for number in range(60)])
    store.shrink()
    before = store.path.stat().st_size
    for job in jobs[1:]:
        deletion.delete_job(store, job)
    assert store.path.stat().st_size < before / 2
    assert store.free_bytes() == 0


def test_old_jobs_go_and_younger_or_active_ones_stay(store, capsys):
    old = put(store, "old", "r1", age=40)
    failed = put(store, "failed", "r2", status="failed", age=31)
    young, running = put(store, "young", "r3", age=2), put(store, "running", status="running")
    waiting = store.create(CONFIG, "waiting")
    before = files()
    assert cli.main(["clean", "--older-than", "30", "--dry-run"]) == 0
    assert "2 finished jobs" in capsys.readouterr().out
    assert files() == before and store.get(old) is not None
    assert cli.main(["clean", "--older-than", "30"]) == 0
    assert "returned" in capsys.readouterr().out
    assert store.ids() == {young, running, waiting}
    assert store.get(failed) is None
    assert not cache.entry("models", "r1").is_dir() and cache.entry("models", "r3").is_dir()
    assert cli.main(["clean", "--older-than", "30"]) == 0
    assert "Nothing to remove" in capsys.readouterr().out


def test_what_somebody_follows_stays_with_its_leader(store):
    leader = put(store, "shared", "r1", age=40)
    early, late = (store.create(CONFIG, name) for name in ("early", "late"))
    with store.writing() as db:
        db.execute("UPDATE jobs SET owner = 'shared:x' WHERE id = ?", (leader,))
        for job, days in ((early, 40), (late, 2)):
            db.execute(
                "UPDATE jobs SET leader = ?, status = 'following', created = created - ? "
                "WHERE id = ?",
                (leader, days * DAY, job),
            )
    assert store.ended_before(time.time() - 30 * DAY) == [early]
    assert store.runs_alone(late) == []
    deletion.delete_job(store, early)
    assert store.runs_alone(late) == ["r1"]
    assert store.ended_before(time.time() - 1 * DAY) == [late, leader]
    cleaning.remove(store, cleaning.found(store, older_than=1))
    assert store.ids() == set() and files() == []


def test_nobody_deletes_what_is_somebody_elses(store):
    job = put(store, "x", "r1")
    before = files()
    deletion.delete_job(store.seen_by("a" * 32), job)
    assert store.get(job) is not None and files() == before
    deletion.delete_job(store.seen_by("local"), job)
    assert store.get(job) is None and files() == []


def test_leftovers_go_by_their_age_and_use(store):
    put(store, "x", "done")
    unfinished = store.create(CONFIG, "y", queued=False)
    store.append(unfinished, [run_started("wanted"), run_started("forgotten")])
    store.finish(unfinished, "cancelled")
    gone = [
        aged(left("done"), 2),
        aged(left("of no job"), 2),
        aged(left("forgotten"), 15),
        aged(_file("summaries/" + "a" * 32 + ".json"), 2),
        aged(_file("logs/" + "b" * 32 + ".txt"), 2),
        aged(_file("cache/models/" + "c" * 32), 2),
        aged(_file("datasets/.unfinished-1"), 2),
        aged(_file("people/" + "d" * 32 + "/datasets/.deleted-2"), 2),
        aged(_file("people/" + "d" * 32 + "/uploads/room"), 2),
        aged(_file("weights/squeezenet1_1/x.part"), 2),
    ]
    kept = [
        aged(left("wanted"), 13),
        left("of a command that has just begun"),
        _file("uploads/of a browser that is open"),
        _file("datasets/.unfinished-3"),
        aged(_file("datasets/" + "e" * 24), 400),
        aged(_file("weights/squeezenet1_1/x.safetensors"), 400),
        aged(_file("cache/pixels/" + "f" * 32), 400),
    ]
    items = cleaning.found(store)
    assert {path for item in items for path in item.paths} == set(gone)
    cleaning.remove(store, items)
    assert [path for path in gone if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


def _file(name: str) -> Path:
    path = folder("logs").parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    return path


def test_the_cache_goes_only_when_asked(store, capsys):
    put(store, "x", "r1")
    pixels = _file("cache/pixels/" + "f" * 32)
    assert cli.main(["clean"]) == 0
    assert pixels.exists()
    assert cli.main(["clean", "--cache"]) == 0
    assert not pixels.exists() and not cache.entry("models", "r1").exists()
    assert "2 entries of the cache" in capsys.readouterr().out


def test_days_are_a_number_of_days(capsys):
    with pytest.raises(SystemExit):
        cli.main(["clean", "--older-than", "-3"])
    with pytest.raises(SystemExit):
        cli.main(["clean", "--older-than", "month"])


def test_comparisons_with_a_data_set_are_counted(store):
    put(store, "x")
    data = CONFIG.data.fingerprint
    assert store.comparisons_with(data) == 1
    assert store.comparisons_with("0" * 64) == 0
    assert store.comparisons_with(data, owner="a" * 32) == 0
