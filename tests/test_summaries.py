from pathlib import Path

import pytest

from tests import scripted
from tl_core import summaries
from tl_core.store import Store


@pytest.fixture
def store(home: Path) -> Store:
    return Store()


def finished(store: Store, scenario: scripted.Scenario, events: int | None = None) -> str:
    job = store.create(scripted.config(scenario), "job")
    store.claim()
    store.append(job, scripted.events(scenario)[:events])
    store.finish(job, "done")
    return job


def test_a_summary_says_what_the_verdict_recommends_and_is_kept(store: Store) -> None:
    job = store.get(finished(store, scripted.Scenario(seeds=1)))
    assert summaries.known(job) is None
    summary = summaries.compute(store, job)
    assert summary.strategy == "Feature extraction"
    assert summary.low < summary.accuracy < summary.high
    assert summaries.known(job) == summary


def test_nothing_is_recommended_where_nothing_was_measured(store: Store) -> None:
    job = store.get(finished(store, scripted.Scenario(seeds=1), events=1))
    assert summaries.compute(store, job).strategy is None


def test_a_comparison_that_ended_again_is_summarised_again(store: Store) -> None:
    job = store.get(finished(store, scripted.Scenario(seeds=1), events=1))
    summaries.compute(store, job)
    later = type(job)(**{f: getattr(job, f) for f in job.__struct_fields__} | {"ended": 1e12})
    assert summaries.known(later) is None


def test_a_damaged_or_forgotten_summary_is_none(store: Store, home: Path) -> None:
    job = store.get(finished(store, scripted.Scenario(seeds=1), events=1))
    summaries.compute(store, job)
    (path,) = (home / "summaries").iterdir()
    path.write_bytes(b"{")
    assert summaries.known(job) is None
    summaries.forget(job.id)
    summaries.forget(job.id)
    assert not path.exists()
