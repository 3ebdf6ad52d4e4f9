"""What every executor keeps: the same tests over processes here and over a cluster's tasks."""

import os
import signal

import pytest

from tests.executors.talking import Talk, is_last, wait_for_all, wait_for_end
from tests.factories import epoch_ended, run_ended, run_started
from tl_core import pipe
from tl_core.executor import Lost


def test_jobs_run_up_to_the_capacity_and_then_there_is_room_again(executor):
    talk = Talk(executor)
    talk.until(lambda: executor.free() == 2)
    leases = [talk.start(name, "until_give_way") for name in "ab"]
    assert executor.free() == 0
    talk.until(lambda: all(talk.told[lease] for lease in leases))
    for lease in leases:
        executor.send(lease, pipe.GiveWay())
    assert [talk.last(lease) for lease in leases] == [pipe.Done(), pipe.Done()]
    talk.until(lambda: executor.free() == 2)


def test_what_a_worker_says_arrives_in_order_and_is_answered(executor):
    talk = Talk(executor)
    lease = talk.start("a", "say one", "run r1", *(f"say {i}" for i in range(50)))
    assert talk.last(lease) == pipe.Done()
    run = [run_started("r1"), epoch_ended("r1", 1), run_ended("r1")]
    assert talk.words(lease) == ["one", *(str(i) for i in range(50))]
    assert talk.events(lease)[1:4] == run
    assert sum(is_last(message) for message in talk.told[lease]) == 1


def test_a_finished_run_is_found_and_a_worker_gives_way_between_runs(executor):
    talk = Talk(executor)
    lease = talk.start("a", "run r1", "until_give_way", "run r2")
    talk.until(lambda: len(talk.events(lease)) == 3)
    executor.send(lease, pipe.GiveWay())
    assert talk.last(lease) == pipe.Yielded()
    assert talk.events(lease)[-1] == run_ended("r1")


def test_an_exception_fails_the_job_with_its_reason(executor):
    talk = Talk(executor)
    assert talk.last(talk.start("a", "raise a sentence")) == pipe.Failed("a sentence")


@pytest.mark.parametrize("deed", ["signal SIGSEGV", "signal SIGKILL", "exit at once"])
def test_a_process_that_dies_is_lost_and_hurts_nobody_else(executor, deed):
    talk = Talk(executor)
    other = talk.start("b", "say fine", "until_give_way")
    lease = talk.start("a", *(f"say {i}" for i in range(9)), deed)
    lost = talk.last(lease)
    assert isinstance(lost, Lost) and "ended" in lost.reason
    # Trap 2: what a lost worker said is all there, nothing twice.
    assert talk.words(lease) == [str(i) for i in range(9)]
    executor.send(other, pipe.GiveWay())
    assert talk.last(other) == pipe.Done()


def test_trap_1_a_lost_job_is_not_repeated_but_goes_to_the_front(executor, home):
    talk = Talk(executor)
    lease = talk.start("a", "pid", "hang")
    os.kill(talk.pid(lease), signal.SIGKILL)
    assert isinstance(talk.last(lease), Lost)
    # The runner's own repetition comes before what is submitted later.
    again, later = talk.start("a", "run r1", start=2), talk.start("b", "run r2")
    assert (talk.last(again), talk.last(later)) == (pipe.Done(), pipe.Done())
    assert len(talk.words(lease)) == 1


@pytest.mark.parametrize("manner", ["hang", "ignore_sigterm", "stuck"])
def test_stopping_ends_a_process_whatever_it_does(executor, home, manner):
    talk = Talk(executor)
    lease = talk.start("a", "pid", manner, "hang")
    pid = talk.pid(lease)
    executor.stop(lease)
    wait_for_end(home, pid)
    talk.until(lambda: executor.free() == 2)
    executor.send(lease, pipe.GiveWay())
    executor.stop(lease)
    assert not any(is_last(message) for message in talk.told[lease])


def test_an_older_start_of_a_job_is_not_heard(executor):
    talk = Talk(executor)
    older = talk.start("a", "pid", "until_give_way", "say old")
    talk.pid(older)
    executor.stop(older)
    newer = talk.start("a", "say new", start=2)
    assert talk.last(newer) == pipe.Done()
    assert talk.words(newer) == ["new"]
    assert len(talk.told[older]) == len([m for m in talk.told[older] if not is_last(m)])


def test_workers_say_what_they_run_on(executor):
    talk = Talk(executor)
    talk.until(lambda: executor.report() is not None)
    assert executor.report()["device"] == "fake"


def test_no_process_is_left_after_closing(make, home):
    executor = make()
    talk = Talk(executor)
    for name in "ab":
        talk.pid(talk.start(name, "pid", "ignore_sigterm", "hang"))
    executor.close()
    wait_for_all(home)
