"""When a waiting job starts, against cases worked out by hand."""

import pytest

from tl_core.waiting_time import Work, expected, said, starts


def work(name: str, left: float | None, **more) -> Work:
    """A job called `name`, of the owner that its first letter names."""
    return Work(name, name[0], left, **more)


CASES = {
    "alone: when the one that runs is over": (
        [work("a1", 50)],
        [work("a2", 30), work("a3", 30)],
        {},
        {"a2": 50, "a3": 80},
    ),
    "somebody else's gives way after its slice": (
        [work("a1", 50)],
        [work("b1", 10)],
        {},
        {"b1": 20},
    ),
    "a slice that is half over, and half a training to its end": (
        [work("a1", 50, held=10, run=6)],
        [work("b1", 10)],
        {},
        {"b1": 13},
    ),
    "one that has overrun its slice waits only for the training": (
        [work("a1", 50, held=100, run=6)],
        [work("b1", 10)],
        {},
        {"b1": 3},
    ),
    "everybody gets a slice before anyone gets a second": (
        [work("a1", 60)],
        [work("b1", 60), work("c1", 60), work("d1", 60), work("b2", 60)],
        {},
        # a1 0-20, b1 20-40, c1 40-60, d1 60-80, a1 80-100; then it is b's turn, whose second job
        # has waited longer than the first, which has given way.
        {"b1": 20, "c1": 40, "d1": 60, "b2": 100},
    ),
    "two places": (
        [work("a1", 30), work("b1", 12)],
        [work("c1", 20), work("d1", 20)],
        {"places": 2},
        {"c1": 12, "d1": 20},
    ),
    "what was moved to the front goes first, then turns": (
        [work("a1", 10)],
        [work("c1", 15, front=True), work("b1", 15)],
        {},
        {"c1": 10, "b1": 25},
    ),
    "one of a person's at a time: the free place is not theirs": (
        [work("a1", 15)],
        [work("a2", 15), work("b1", 40)],
        {"places": 2, "most_at_once": 1},
        {"b1": 0, "a2": 15},
    ),
    "nobody knows how long the one before takes": (
        [work("a1", 10)],
        [work("b1", None), work("c1", 10)],
        {},
        {"b1": 10, "c1": None},
    ),
    "a free place": ([], [work("a1", None)], {}, {"a1": 0}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_queue_is_played_ahead(case):
    running, waiting, more, wanted = CASES[case]
    assert starts(running, waiting, slice_seconds=20, **more) == wanted


def test_a_flood_says_nothing_and_takes_no_time():
    waiting = [work(f"{chr(97 + n % 26)}{n}", 60) for n in range(1000)]
    assert set(starts([], waiting, slice_seconds=20).values()) == {None}


def test_what_is_left_of_a_plan():
    assert expected(None, 5) is None
    assert expected(60, 20) == 40
    assert expected(60, 59) == 6  # about to end, or the plan was too short


def test_the_words():
    assert said(5, 178) == "Place 5 in the queue: starts in about 3 min, 4 jobs before it"
    assert said(2, 44) == "Place 2 in the queue: starts in about 40 s, 1 job before it"
    assert said(1, 3) == "Place 1 in the queue: starts in a few seconds, nothing before it"
    assert said(3, None) == "Place 3 in the queue: 2 jobs before it"
    assert said(3, 60, held=True) == "The queue is paused by the teacher; 2 jobs before it"
