"""The collector: what tasks say is kept in order, and dropped leases are deaf."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import run_ended
from tl_core import pipe
from tl_core.executors.collector import Collector, CollectorEnd

A, B = ("a", 1), ("b", 1)


@pytest.fixture
def collector():
    return Collector()


def run(*coroutines):
    async def all_of_them():
        return [await one for one in coroutines]

    # In a thread of its own: the browser tests keep an event loop running in this one.
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, all_of_them()).result()


def end(collector, lease):
    """A task's end, in the same process."""
    return CollectorEnd(lambda method, *words: run(getattr(collector, method)(*words))[0], lease)


def test_lines_are_taken_once_and_in_order(collector):
    run(collector.say(A, b"1"), collector.say(B, b"2"), collector.say(A, b"3"))
    said = [(A, b"1"), (B, b"2"), (A, b"3")]
    assert run(collector.take(0), collector.take(0)) == [said, []]


def test_taking_waits_for_the_first_line(collector):
    async def both():
        return await asyncio.gather(collector.take(30), collector.say(A, b"1"))

    assert run(both())[0] == [[(A, b"1")], False]


def test_a_question_gets_its_answer(collector):
    async def both():
        asked = asyncio.create_task(collector.ask(A, b"?"))
        await collector.take(30)
        await collector.tell(A, pipe.encode(pipe.Found(run_ended("r1"))))
        return await asked

    assert pipe.to_worker.decode(run(both())[0]).run == run_ended("r1")


def test_a_worker_hears_at_its_next_word_that_it_must_give_way(collector):
    one, other = end(collector, A), end(collector, B)
    one.send(pipe.Alive())
    assert not one.must_give_way
    run(collector.tell(A, pipe.encode(pipe.GiveWay())))
    one.send(pipe.Alive())
    other.send(pipe.Alive())
    assert (one.must_give_way, other.must_give_way) == (True, False)


def test_a_dropped_lease_is_deaf_and_its_process_ends(collector, monkeypatch):
    async def asking():
        asked = asyncio.create_task(collector.ask(A, b"?"))
        await collector.take(30)
        await collector.drop(A)
        return await asked

    assert run(asking())[0] is None
    assert run(collector.say(A, b"1"), collector.ask(A, b"?"), collector.take(0)) == [
        None,
        None,
        [],
    ]
    exits = []
    monkeypatch.setattr("os._exit", exits.append)
    end(collector, A).send(pipe.Done())
    assert exits == [0]
