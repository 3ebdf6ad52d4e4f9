"""Checkpoints: what was saved comes back whole or not at all."""

import errno

import pytest
import torch

from tl_core import checkpoints
from tl_core.checkpoints import Checkpoints


@pytest.fixture
def saved(home, monkeypatch):
    """A folder without a minimum interval, with one checkpoint of the run `r1`."""
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "LARGEST_SHARE", float("inf"))
    found = Checkpoints()
    found.save("r1", lambda: {"weights": torch.arange(100.0), "step": 3})
    return found


def path(home):
    return home / "checkpoints" / "r1.pt"


def test_a_state_comes_back(saved):
    state = saved.load("r1")
    assert torch.equal(state["weights"], torch.arange(100.0)) and state["step"] == 3
    assert saved.load("r2") is None


@pytest.mark.parametrize("place", [0, 0.5, -1])
def test_a_flipped_bit_is_found(saved, home, place):
    data = bytearray(path(home).read_bytes())
    data[int(place * len(data))] ^= 1
    path(home).write_bytes(data)
    assert saved.load("r1") is None


@pytest.mark.parametrize("length", [0, 10, 500])
def test_a_torn_file_is_found(saved, home, length):
    path(home).write_bytes(path(home).read_bytes()[:length])
    assert saved.load("r1") is None


class Payload:
    """Runs code when unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


def test_a_checkpoint_runs_no_code(saved):
    saved.save("r1", lambda: {"payload": Payload()})
    assert saved.load("r1") is None


def test_a_full_disk_costs_only_the_checkpoint(saved, home, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    saved.save("r1", lambda: {"step": 4})
    assert saved.load("r1")["step"] == 3
    assert [file.name for file in (home / "checkpoints").iterdir()] == ["r1.pt"]


def test_removing_is_final_and_may_be_repeated(saved):
    saved.remove("r1")
    saved.remove("r1")
    assert saved.load("r1") is None


def test_saving_takes_a_small_share_of_the_time(home, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    found, made = Checkpoints(), []

    def state():
        made.append(now[0])
        now[0] += 1.0  # a large model: a second for every checkpoint
        return {}

    for _ in range(100):
        found.save("r1", state)
        now[0] += 1.0
    # A second of work, then 33.3 seconds and what is left of the second in which they end.
    assert made == [102.0, 137.0, 172.0]


def test_forgotten_checkpoints_are_swept(saved, home):
    import os

    os.utime(path(home), (0, 0))
    (home / "checkpoints" / "r2.tmp").write_bytes(b"torn")
    os.utime(home / "checkpoints" / "r2.tmp", (0, 0))
    Checkpoints()
    assert list((home / "checkpoints").iterdir()) == []


def test_what_two_processes_write_at_once_is_never_mixed(saved, home, monkeypatch):
    """One that was taken for lost still writes: its part is no other's."""
    written = []
    real = checkpoints.os.fsync

    def meanwhile(descriptor):
        written.append([file.name for file in (home / "checkpoints").glob("*.tmp")])
        if len(written) == 1:
            saved._write(path(home), {"step": 5})
        real(descriptor)

    monkeypatch.setattr(checkpoints.os, "fsync", meanwhile)
    monkeypatch.setattr(checkpoints, "_sync_folder", lambda folder: None)
    saved._write(path(home), {"step": 4})
    assert [len(names) for names in written] == [1, 2]
    assert saved.load("r1")["step"] == 4
    assert [file.name for file in (home / "checkpoints").iterdir()] == ["r1.pt"]


def test_a_run_id_is_never_a_path(saved):
    with pytest.raises(ValueError, match="letters"):
        saved.load("../store")
