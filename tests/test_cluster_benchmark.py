"""The simulated queue: the real runner on a clock of its own, with no time lost or won."""

import pytest

from benchmarks import cluster


@pytest.fixture
def lengths(monkeypatch):
    """Jobs of three runs, 45 s together."""
    monkeypatch.setenv("TL_HOME", "set back afterwards")
    monkeypatch.setattr(cluster, "job_lengths", lambda: [[15.0, 15.0, 15.0]])


def test_one_slot_takes_the_sum_of_all_runs_and_starts(lengths):
    found = cluster.simulate(jobs=4, owners=4, slots=1, overhead=2.0)
    work, starts = 4 * 45.0, 2.0 * found.starts
    # Between two jobs the clock goes on by steps.
    assert work + starts <= found.makespan <= work + starts + 4 * 2.0 * found.starts
    assert found.starts > 4, "others wait: a job gives way when its slice is over"


def test_enough_slots_take_no_longer_than_one_job(lengths):
    found = cluster.simulate(jobs=4, owners=4, slots=4, overhead=2.0)
    assert found.makespan == pytest.approx(47.0, abs=2.0)
    assert found.starts == 4
    assert found.few[1] <= 4.0
