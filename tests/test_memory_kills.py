"""The system's count of processes that it ended because memory ran out."""

from pathlib import Path

import pytest

from tl_core.executors import memory_kills as counting

OWN = "low 0\nhigh 3\nmax 9\noom 4\noom_kill 2\noom_group_kill 0\n"
ALL = "nr_free_pages 5\noom_kill 7\n"


@pytest.mark.parametrize(
    ("files", "count"),
    [
        (
            {
                "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/a/b/memory.events": OWN,
                "/proc/vmstat": ALL,
            },
            2,
        ),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.events": OWN}, 2),
        ({"/proc/self/cgroup": "0::/\n", "/proc/vmstat": ALL}, 7),
        ({"/proc/self/cgroup": "4:memory:/x\n", "/proc/vmstat": ALL}, 7),
        ({"/proc/vmstat": "nr_free_pages 5\n"}, None),
        ({}, None),
    ],
    ids=["own group", "container", "machine", "older groups", "older system", "no Linux"],
)
def test_the_nearest_count_is_taken(files, count, monkeypatch):
    def read_text(path: Path) -> str:
        if str(path) not in files:
            raise FileNotFoundError(path)
        return files[str(path)]

    monkeypatch.setattr(counting.Path, "read_text", read_text)
    assert counting.memory_kills() == count
