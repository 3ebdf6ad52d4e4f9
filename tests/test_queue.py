"""The queue for many: several run at once, limits, a hand on it, and leases that fence."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import comparison_config, comparison_started, epoch_ended, run_ended
from tl_core.events import JobEnded, MicroBatchHalved, PointStarted, SweepStarted
from tl_core.store import MAX_ATTEMPTS, Limits, QueueFull, Store
from tl_core.sweep import Sweep, SweepPoint

CONFIG = comparison_config()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite3")
    yield store
    store.close()


def create(store: Store, *names: str) -> list[str]:
    """Queue jobs whose owner is the first word of their name."""
    return [store.create(CONFIG, name, owner=name.split()[0]) for name in names]


def claimed(store: Store, times: int) -> list[str]:
    jobs = [store.claim() for _ in range(times)]
    return [job.name for job in jobs if job is not None]


def test_what_runs_counts_as_served(store):
    create(store, "ada 0", "bob 0")
    first, second = store.claim(), store.claim()
    create(store, "ada 1", "bob 1", "cem 0", "ada 2")
    assert claimed(store, 2) == ["cem 0", "ada 1"]
    store.finish(second.id, "done")
    assert claimed(store, 1) == ["bob 1"], "bob has nothing running, ada has two"
    store.finish(first.id, "done")
    assert claimed(store, 1) == ["ada 2"]


def test_a_slot_is_given_up_only_to_who_would_get_it(store):
    create(store, "ada 0", "ada 1")
    claimed(store, 2)
    assert store.line().due_before("ada") == 0
    create(store, "ada 2", "bob 0", "bob 1", "bob 2")
    assert store.line().due_before("ada") == 1, (
        "with two each, ada's would come back to the same place"
    )
    claimed(store, 1)
    assert store.line().due_before("bob") == 0, "ada has more running than bob"
    assert store.line().due_before("ada") == 0


def test_a_job_of_ones_own_at_the_front_does_not_drive_out_the_other(store):
    create(store, "ada 0", "ada 1")
    claimed(store, 1)
    store.to_front(store.waiting()[0].id)
    assert store.line().due_before("ada") == 0


def test_a_held_queue_starts_nothing_and_nobody_gives_way(store):
    running, waiting = create(store, "ada 0", "bob 0")
    store.claim()
    store.hold(True)
    assert store.held() and store.claim() is None
    assert not store.anyone_waits() and store.line().due_before("ada") == 0
    assert store.get(running).status == "running" and store.position(waiting) == 1
    store.hold(False)
    assert store.line().due_before("ada") == 1 and store.claim().id == waiting


def test_the_front_belongs_to_who_was_put_there_last(store):
    create(store, "ada 0", "ada 1", "bob 0", "cem 0")
    last, later = store.waiting()[-1].id, store.waiting()[1].id
    store.to_front(last)
    store.to_front(later)
    assert [job.id for job in store.waiting()][:2] == [later, last]
    assert store.claim().id == later
    store.to_front(later)
    assert store.get(later).status == "running", "what runs stays where it is"
    assert store.claim().id == last
    assert [store.position(job.id) for job in store.waiting()] == [1, 2]


def test_limits_hold_for_each_person_alone(store):
    assert store.limits() == Limits()
    store.set_limits(Limits(active_per_person=2, waiting_per_person=4))
    create(store, *(f"ada {i}" for i in range(4)), "bob 0")
    with pytest.raises(QueueFull, match=r"already have 4 comparisons waiting.*cancel one"):
        create(store, "ada 4")
    assert claimed(store, 5) == ["ada 0", "bob 0", "ada 1"]
    assert not store.anyone_waits()
    store.to_front(store.waiting()[-1].id)
    assert claimed(store, 2) == ["ada 3"], "what was moved to the front starts all the same"
    store.set_limits(Limits())
    assert claimed(store, 2) == ["ada 2"]


def test_who_follows_another_job_is_never_started(store):
    leader, follower = create(store, "shared:x", "ada")
    with store.writing() as db:
        db.execute("UPDATE jobs SET leader = ? WHERE id = ?", (leader, follower))
    assert [job.id for job in store.waiting()] == [leader]
    assert store.claim().id == leader and store.claim() is None


@pytest.mark.parametrize(
    "write",
    [
        lambda store, job, lease: store.append(job, [epoch_ended("r1", 1)], lease=lease),
        lambda store, job, lease: store.finish(job, "done", lease=lease),
        lambda store, job, lease: store.give_back(job, lease=lease),
        lambda store, job, lease: store.lose(job, "why", lease=lease, memory=True),
    ],
    ids=["append", "finish", "give_back", "lose"],
)
@pytest.mark.parametrize("since", ["started again", "waiting again", "ended", "deleted"])
def test_a_start_that_is_over_writes_nothing(store, write, since):
    (job,) = create(store, "ada")
    old = store.claim().lease
    if since == "ended":
        store.finish(job, "cancelled", lease=old)
    else:
        store.lose(job, "gone", lease=old)
    if since == "started again":
        assert store.claim().lease == old + 1
    elif since == "deleted":
        store.delete(job)
    before = (store.get(job), store.events(job))
    assert not write(store, job, old)
    assert (store.get(job), store.events(job)) == before
    assert store.cancel_requested(job, lease=old)


def test_the_latest_start_writes(store):
    (job,) = create(store, "ada")
    lease = store.claim().lease
    assert not store.cancel_requested(job, lease=lease)
    assert store.append(job, [epoch_ended("r1", 1)], lease=lease)
    assert store.finish(job, "done", lease=lease)
    assert not store.finish(job, "failed", lease=lease)
    assert len(store.events(job)) == 2


def test_a_lost_job_comes_first_and_fails_after_three_starts(store):
    lost, _ = create(store, "ada", "bob")
    for _ in range(MAX_ATTEMPTS - 1):
        store.lose(lost, "It died.", lease=store.claim().lease)
        assert store.position(lost) == 1
    store.lose(lost, "It died.", lease=store.claim().lease)
    assert (store.get(lost).status, store.get(lost).attempts) == ("failed", 3)
    assert store.get(lost).reason.startswith("It died. It was started 3 times")
    assert store.events(lost)[-1][1] == JobEnded(status="failed", reason=store.get(lost).reason)


def test_starts_count_that_finish_no_run(store):
    job = store.create(None, "long")
    for number in range(2 * MAX_ATTEMPTS):
        lease = store.claim().lease
        runs = [run_ended(f"r{n}") for n in range(number + 1)]
        store.append(job, runs, lease=lease)
        store.lose(job, "gone", lease=lease)
        assert (store.get(job).status, store.get(job).attempts) == ("queued", 1)
    for _ in range(MAX_ATTEMPTS - 1):
        lease = store.claim().lease
        store.append(job, runs, lease=lease)  # taken over: nothing new
        store.lose(job, "gone", lease=lease)
    assert store.get(job).status == "failed"


def test_a_lost_job_that_was_to_be_cancelled_is(store):
    (job,) = create(store, "ada")
    lease = store.claim().lease
    store.request_cancel(job)
    store.lose(job, "It died.", lease=lease)
    assert store.get(job).status == "cancelled"


def test_short_memory_halves_once_and_then_explains(store):
    (job,) = create(store, "ada")
    store.lose(job, "It died.", lease=store.claim().lease)
    store.lose(job, "No memory.", lease=store.claim().lease, memory=True)
    again = store.claim()
    assert (again.halvings, again.attempts) == (1, 3)
    store.lose(job, "No memory.", lease=again.lease, memory=True)
    assert store.get(job).status == "failed"
    assert "No memory. Half as many images at a time did not help." in store.get(job).reason


def test_a_continued_comparison_begins_as_small_as_it_ended(store):
    (job,) = create(store, "ada")
    lease = store.claim().lease
    small = [MicroBatchHalved(micro_batch=16), MicroBatchHalved(micro_batch=8)]
    store.append(job, [comparison_started(CONFIG), *small], lease=lease)
    store.give_back(job, lease=lease)
    again = store.claim()
    assert again.halvings == 2
    store.append(job, [comparison_started(CONFIG), *small], lease=again.lease)
    assert [event for _, event in store.events(job)][1:] == small, "said once"
    store.lose(job, "No memory.", lease=again.lease, memory=True)
    assert store.claim().halvings == 3


def test_each_point_of_a_sweep_begins_in_full(store):
    (job,) = create(store, "ada")
    sweep = Sweep(name="labels", points=(SweepPoint(label="1", value=1.0, config=CONFIG),))
    halved = MicroBatchHalved(micro_batch=16)
    store.append(job, [SweepStarted(sweep=sweep), PointStarted(place=0), halved])
    assert store.claim().halvings == 0


def test_a_finished_run_is_found_by_its_owner_and_from_what_everybody_has(store):
    (mine, shared) = create(store, "ada", "shared:sample")
    store.append(mine, [run_ended("r1")])
    store.append(shared, [run_ended("r2")])
    assert store.finished(["r1", "r2"], "ada").keys() == {"r1", "r2"}
    assert store.finished(["r1", "r2"], "bob").keys() == {"r2"}
    assert store.finished(["r1", "r2"]).keys() == {"r1", "r2"}
