"""What several people ask for alike runs once, and what each of them sees of it."""

import inspect
import threading
from pathlib import Path

import msgspec
import pytest

from tests import brought
from tests.factories import comparison_config, comparison_started, run_ended
from tl_core import owners, sameness, weights
from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig, DataConfig
from tl_core.events import JobEnded, Progress
from tl_core.owners import SHARED
from tl_core.store import Comparison, QueueFull, Room, Store, StoreDamaged, StoreError, Tags, View
from tl_core.weights import FIRST_MODEL

ANNA, BEN, CLEO = "a" * 32, "b" * 32, "c" * 32
CONFIG = comparison_config()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.sqlite3")


def joined(store: Store, owner: str, same: str = "s" * 64, name: str = "Mine") -> str:
    return store.join(CONFIG, name, owner, same, tags=Tags(class_code="ROOM", participant=owner))


def leader_of(store: Store, job: str) -> str:
    found = store.get(job)
    assert found is not None
    assert found.leader is not None
    return found.leader


def status(store: Store, job: str) -> str:
    found = store.get(job)
    assert found is not None
    return found.status


def test_thirty_who_ask_for_the_same_have_one_job_run(store: Store) -> None:
    jobs = [joined(store, f"{person:032x}") for person in range(30)]
    first = store.claim()
    assert first is not None
    assert first.owner.startswith(SHARED)
    assert store.claim() is None
    assert {status(store, job) for job in jobs} == {"running"}
    store.append(first.id, [comparison_started(CONFIG), Progress(message="Half", fraction=0.5)])
    for job in jobs:
        assert store.events(job) == store.events(first.id)
        seen = store.get(job)
        assert seen is not None
        assert seen.progress == Progress(message="Half", fraction=0.5)
    store.finish(first.id, "done")
    assert {status(store, job) for job in jobs} == {"done"}
    assert store.active_jobs() == 0


def test_a_follower_has_its_own_name_tags_and_owner(store: Store) -> None:
    one, two = joined(store, ANNA, name="Anna's"), joined(store, BEN)
    store.rename(two, "Ben's")
    found = {job.id: job for job in store.list()}
    assert [(found[job].name, found[job].owner) for job in (one, two)] == [
        ("Anna's", ANNA),
        ("Ben's", BEN),
    ]
    assert found[one].tags.participant == ANNA
    # The leader is nobody's: not listed, not by its id, and called after its data.
    leader = store.get(leader_of(store, one))
    assert leader is not None
    assert leader.name == CONFIG.data.name
    assert leader.tags == Tags()
    assert leader.id not in found
    assert store.beginning(leader.id, kind="compare") == []


def test_waiting_followers_stand_where_their_leader_stands(store: Store) -> None:
    store.create(CONFIG, "before", CLEO)
    one, two = joined(store, ANNA), joined(store, BEN)
    other = store.create(CONFIG, "behind", "d" * 32)
    assert [store.position(job) for job in (one, two, other)] == [2, 2, 3]


def test_who_cancels_ends_alone_and_the_last_takes_the_leader_along(store: Store) -> None:
    one, two = joined(store, ANNA), joined(store, BEN)
    leader = store.claim()
    assert leader is not None
    store.append(leader.id, [comparison_started(CONFIG)])
    store.request_cancel(one)
    assert (status(store, one), status(store, two)) == ("cancelled", "running")
    store.append(leader.id, [run_ended("r1")])
    # What was measured until then stays, what comes later is not for who left.
    kept, ended = store.events(one)
    assert kept == store.events(leader.id)[0]
    assert ended[1] == JobEnded(status="cancelled", reason="")
    assert len(store.events(two)) == 2
    assert not store.cancel_requested(leader.id)
    store.request_cancel(two)
    assert store.cancel_requested(leader.id)
    store.finish(leader.id, "cancelled")
    assert status(store, leader.id) == "cancelled"


def test_a_waiting_leader_goes_at_once_when_its_last_follower_is_deleted(store: Store) -> None:
    one, two = joined(store, ANNA), joined(store, BEN)
    leader = leader_of(store, one)
    store.delete(one)
    assert store.get(one) is None
    assert status(store, leader) == "queued"
    store.delete(two)
    assert status(store, leader) == "cancelled"
    assert store.claim() is None


def test_cancelling_what_is_done_changes_nothing(store: Store) -> None:
    job = joined(store, ANNA)
    leader = store.claim()
    assert leader is not None
    store.finish(leader.id, "done")
    store.request_cancel(job)
    assert status(store, job) == "done"


def test_what_stays_with_who_leaves_is_still_held_against_its_sum(store: Store) -> None:
    anna, _ben = joined(store, ANNA), joined(store, BEN)
    leader = store.claim()
    assert leader is not None
    store.append(leader.id, [run_ended("r1")])
    store.request_cancel(anna)
    with store.writing() as db:
        db.execute("UPDATE events SET body = '{}' WHERE job = ? AND ended_run = 'r1'", (anna,))
    with pytest.raises(StoreDamaged):
        store.events(anna)


def test_who_comes_late_has_the_result_at_once(store: Store) -> None:
    joined(store, ANNA)
    leader = store.claim()
    assert leader is not None
    store.append(leader.id, [comparison_started(CONFIG), run_ended("r1")])
    store.finish(leader.id, "done")
    late = joined(store, BEN)
    assert status(store, late) == "done"
    assert len(store.events(late)) == 3
    assert store.claim() is None


def test_what_failed_is_not_joined_but_begun_anew(store: Store) -> None:
    first = joined(store, ANNA)
    leader = store.claim()
    assert leader is not None
    store.finish(leader.id, "failed", "No memory.")
    found = store.get(first)
    assert found is not None
    assert (found.status, found.reason) == ("failed", "No memory.")
    assert leader_of(store, joined(store, BEN)) != leader.id


def test_a_download_is_not_joined_once_it_is_over(store: Store) -> None:
    one = store.join(None, "Weights", ANNA, "d" * 64, kind="download", request={"model": "m"})
    two = store.join(None, "Weights", BEN, "d" * 64, kind="download", request={"model": "m"})
    leader = store.claim()
    assert leader is not None
    assert leader_of(store, one) == leader_of(store, two) == leader.id
    store.finish(leader.id, "done")
    three = store.join(None, "Weights", CLEO, "d" * 64, kind="download", request={"model": "m"})
    assert status(store, three) == "queued"


def test_a_follower_that_was_cancelled_follows_again(store: Store) -> None:
    one, two = joined(store, ANNA), joined(store, BEN)
    with pytest.raises(StoreError, match="Only a failed or cancelled"):
        store.resume(one)
    store.request_cancel(one)
    store.resume(one)
    assert status(store, one) == "queued"
    store.request_cancel(one)
    store.request_cancel(two)
    store.resume(two)
    assert (status(store, one), status(store, two)) == ("cancelled", "queued")
    assert store.claim() is not None


def test_a_follower_whose_leader_is_gone_has_failed(store: Store) -> None:
    job = joined(store, ANNA)
    leader = leader_of(store, job)
    store.request_cancel(leader)
    Store.__mro__[2].delete(store, leader)
    assert status(store, job) == "failed"
    with pytest.raises(StoreError, match="is gone"):
        store.resume(job)


def test_followers_count_against_what_one_person_may_have_waiting(store: Store) -> None:
    for number in range(20):
        joined(store, ANNA, same=f"{number:064x}")
    with pytest.raises(QueueFull):
        joined(store, ANNA)
    with pytest.raises(QueueFull):
        store.create(CONFIG, "own", ANNA)
    joined(store, BEN)


def test_people_who_ask_at_the_same_moment_share_one_leader(store: Store) -> None:
    jobs: list[str] = []
    threads = [
        threading.Thread(target=lambda owner=f"{person:032x}": jobs.append(joined(store, owner)))
        for person in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({leader_of(store, job) for job in jobs}) == 1


# ---- which jobs may be shared


@pytest.fixture
def sample_config(sampled_home: Path) -> ComparisonConfig:
    from tl_core import ingest

    data = ingest.sample(next(iter(ingest.SAMPLES)))
    file = weights.bundled(catalog()[FIRST_MODEL])
    assert file is not None
    return comparison_config(
        data=DataConfig(fingerprint=data.fingerprint, name=data.name),
        backbone=FIRST_MODEL,
        weights_sha256=file.sha256,
    )


def test_only_jobs_on_what_comes_with_the_app_are_for_all(
    sample_config: ComparisonConfig, tmp_path: Path
) -> None:
    own = brought.dataset(tmp_path, "mine")
    model = "mobilenet_v3_small"
    file = brought.weights_file(model, "mine")
    theirs = DataConfig(fingerprint=own.fingerprint, name=own.name)
    replaced = msgspec.structs.replace
    assert sameness.is_for_all(sample_config, {"rates": [0.1], "note": "plain"})
    assert sameness.is_for_all(None, {"model": model})
    for changed in (
        replaced(sample_config, data=theirs),
        replaced(sample_config, data=replaced(sample_config.data, probe=own.fingerprint)),
        replaced(sample_config, data=replaced(sample_config.data, name="My own name for it")),
        replaced(sample_config, backbone=model, weights_sha256=file.sha256),
    ):
        assert not sameness.is_for_all(changed, {})
    for request in ({"unlabelled": own.fingerprint}, {"models": [file.sha256]}, {"x": "a" * 32}):
        assert not sameness.is_for_all(sample_config, request)


def test_what_is_shared_is_joined_and_what_is_brought_is_not(
    store: Store, sample_config: ComparisonConfig
) -> None:
    views = [store.seen_by(owner, shares=True) for owner in (ANNA, BEN)]
    jobs = [view.create(sample_config, "x") for view in views]
    assert len({leader_of(store, job) for job in jobs}) == 1
    alone = store.get(views[0].create(CONFIG, "own"))
    assert alone is not None
    assert (alone.leader, alone.owner) == (None, ANNA)
    single = store.get(store.seen_by(owners.LOCAL).create(sample_config, "x"))
    assert single is not None
    assert single.leader is None


# ---- the store as one person sees it


def calls(view: View, job: str) -> dict[str, object]:
    """Call everything that takes a job's id; return what came back."""
    found = {}
    for name, method in inspect.getmembers(view, inspect.ismethod):
        parameters = list(inspect.signature(method).parameters)
        if name[0] != "_" and parameters[:1] == ["job"] and name != "may_open":
            found[name] = method(job, "Taken") if name == "rename" else method(job)
    return found


@pytest.mark.parametrize("state", ["queued", "running", "done", "failed"])
def test_another_persons_job_does_not_exist(store: Store, state: str) -> None:
    job = store.create(CONFIG, "Secret", ANNA, tags=Tags(participant="Anna"))
    if state != "queued":
        assert store.claim() is not None
        store.append(job, [comparison_started(CONFIG)])
    if state in ("done", "failed"):
        store.finish(job, state)
    before = store.get(job), store.events(job), store.cancel_requested(job)
    view = store.seen_by(BEN, shares=True)
    found = calls(view, job)
    assert {"get", "events", "position", "request_cancel", "delete", "resume"} <= set(found)
    assert found == calls(view, "0" * 32)
    assert view.list() == []
    assert view.beginning(job[:4], kind="compare") == []
    assert (store.get(job), store.events(job), store.cancel_requested(job)) == before


def test_ones_own_jobs_are_all_there(store: Store) -> None:
    view = store.seen_by(ANNA, shares=True)
    job = view.create(CONFIG, "Mine")
    assert [one.id for one in view.list()] == [job]
    assert view.position(job) == 1
    view.rename(job, "Still mine")
    found = view.get(job)
    assert found is not None
    assert found.name == "Still mine"
    view.request_cancel(job)
    view.resume(job)
    assert view.list(active=True)
    view.delete(job)
    assert view.list() == []


def test_the_teacher_opens_and_ends_any_job(store: Store) -> None:
    job = store.create(CONFIG, "Anna's", ANNA)
    teacher = store.seen_by(owners.LOCAL, shares=True, everyones=True)
    found = teacher.get(job)
    assert found is not None
    assert found.name == "Anna's"
    assert teacher.list() == []
    teacher.request_cancel(job)
    assert status(store, job) == "cancelled"


def in_class(store: Store) -> tuple[Comparison, Comparison]:
    """Open a room; return a person's job on shared and one on brought images."""
    store.set_room(Room(code="ROOM", key_sha256="0" * 64, opened=0.0))
    tags = Tags(class_code="ROOM", participant="Anna")
    jobs = joined(store, ANNA, name="Anna's"), store.create(CONFIG, "Brought", ANNA, tags=tags)
    found = [store.get(job) for job in jobs]
    assert found[0] is not None
    assert found[1] is not None
    return found[0], found[1]


def test_a_class_opens_results_on_images_that_all_have(store: Store) -> None:
    shared, own = in_class(store)
    view = store.seen_by(BEN, shares=True)
    assert [job.id for job in view.of_class("ROOM")] == [own.id, shared.id]
    assert view.of_class("OTHER") == []
    opened = view.get(shared.id)
    assert opened is not None
    assert opened.name == CONFIG.data.name
    assert view.get(own.id) is None
    assert view.may_open(shared)
    assert not view.may_open(own)
    # Looking is all: it stays Anna's.
    view.rename(shared.id, "Ben's")
    view.request_cancel(shared.id)
    view.delete(shared.id)
    assert store.get(shared.id) == shared


def test_a_class_sums_up_what_it_may_not_open(store: Store) -> None:
    _, own = in_class(store)
    store.append(own.id, [comparison_started(CONFIG)])
    view = store.seen_by(BEN, shares=True)
    assert view.events(own.id) == []
    assert len(view.class_events(own.id)) == 1
    alone = store.create(CONFIG, "Outside", ANNA)
    store.append(alone, [comparison_started(CONFIG)])
    assert view.class_events(alone) == []


def test_alone_on_a_machine_any_class_is_ones_own(store: Store) -> None:
    job = store.create(CONFIG, "x", tags=Tags(class_code="bees"))
    view = store.seen_by(owners.LOCAL)
    assert [one.id for one in view.of_class("bees")] == [job]
    logged_in = store.seen_by(ANNA)
    assert logged_in.of_class("bees") == []
    own = logged_in.create(CONFIG, "y", tags=Tags(class_code="bees"))
    assert [one.id for one in logged_in.of_class("bees")] == [own]
