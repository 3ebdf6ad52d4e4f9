"""docs/jobs.md names the limits that the code has."""

from pathlib import Path

import pytest

from tl_core import leases, pipe, runner, worker_process
from tl_core.executors import local
from tl_core.store import facts, queue

DOCS = (Path(__file__).parents[1] / "docs" / "jobs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("room", "name", "unit"),
    [
        (leases, "SLICE_SECONDS", " s"),
        (runner, "LEASE_SECONDS", " s"),
        (runner, "SMALLEST_ROOM_MB", " MB"),
        (pipe, "ALIVE_SECONDS", " s"),
        (worker_process, "TERM_SECONDS", " s"),
        (local, "READY_SECONDS", " s"),
        (queue, "MAX_ATTEMPTS", ""),
        (facts, "QUEUE_LIMIT", ""),
    ],
)
def test_a_limit_is_written_as_it_is(room, name, unit):
    (row,) = [line for line in DOCS.splitlines() if f"`{name}`" in line]
    value, place = row.split("|")[2:4]
    assert value.strip().removeprefix("every ") == f"{getattr(room, name):g}{unit}"
    assert room.__name__.replace(".", "/") in place
