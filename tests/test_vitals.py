"""How the server is: counted from the store, written for a monitor, asked by a script."""

import json

import filelock
import pytest

from tests.factories import run_ended
from tl_core import cli, vitals
from tl_core.store import Store


@pytest.fixture
def store(home):
    home.mkdir(parents=True, exist_ok=True)
    found = Store()
    yield found
    found.close()


def test_jobs_are_counted_by_status_and_the_oldest_wait_is_told(store):
    first, second = store.create(None, "a"), store.create(None, "b", owner="x" * 32)
    store.append(second, [run_ended("r1")])
    store.finish(second, "failed", "no")
    now = vitals.vitals(store)
    assert (now.waiting, now.running, now.jobs["failed"]) == (1, 0, 1)
    assert now.oldest_wait == pytest.approx(vitals.time.time() - store.get(first).created, abs=60)


def test_it_is_healthy_only_with_a_runner_that_may_start_jobs(store, home):
    assert not vitals.vitals(store).runner and not vitals.vitals(store).healthy
    with filelock.FileLock(home / "runner.lock"):
        assert vitals.vitals(store).healthy
        store.set_notice("Only 3 MB are free.")
        assert not vitals.vitals(store).healthy


def test_the_monitors_file_names_every_value_once_and_is_replaced_whole(store, home):
    store.create(None, "a")
    vitals.write(vitals.vitals(store, runner=True), home)
    text = (home / vitals.FILE).read_text()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert values["transferlab_runner_up"] == "1"
    assert values['transferlab_jobs{status="queued"}'] == "1"
    assert float(values["transferlab_disk_free_bytes"]) > 0
    helped = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    assert {name.partition("{")[0] for name in values} == set(helped)
    assert not list(home.glob("*.part"))


def test_the_command_tells_people_and_scripts_and_fails_where_nobody_works(store, capsys, home):
    store.create(None, "a")
    assert cli.main(["status"]) == 1
    said = capsys.readouterr().out
    assert "Nobody works on the queue" in said and "1 waiting" in said
    with filelock.FileLock(home / "runner.lock"):
        assert cli.main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["healthy"] is True
