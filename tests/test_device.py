"""What is measured of a device: once, and then remembered."""

import os
import platform

import pytest

from tl_core import device, remembered
from tl_core.cores import cores
from tl_core.device import Compute
from tl_core.home import empty_home, folder

CPU = Compute("cpu", "float32", 2)


@pytest.fixture(autouse=True)
def _forgetful(home, monkeypatch):
    """Nothing that this process found out before."""
    device._bf16_is_faster.cache_clear()
    device.flops_per_second.cache_clear()
    yield
    device._bf16_is_faster.cache_clear()
    device.flops_per_second.cache_clear()


@pytest.mark.parametrize(("float32", "bf16", "chosen"), [(1.0, 0.5, "bf16"), (1.0, 0.9, "float32")])
def test_the_precision_is_measured_once_and_remembered(float32, bf16, chosen, monkeypatch):
    times = {False: float32, True: bf16}
    monkeypatch.setattr(device, "_convolution_seconds", lambda _, half: times[half])
    assert device.resolve("cpu", "auto", 2).precision == chosen
    device._bf16_is_faster.cache_clear()
    monkeypatch.setattr(device, "_convolution_seconds", lambda _, half: times[not half])
    assert device.resolve("cpu", "auto", 2).precision == chosen, "another process, the same answer"
    for path in folder("measured").iterdir():
        path.unlink()
    device._bf16_is_faster.cache_clear()
    assert device.resolve("cpu", "auto", 2).precision == "float32"


def test_workers_side_by_side_share_the_cores(monkeypatch):
    monkeypatch.setattr(device, "cores", lambda: 8)
    monkeypatch.setenv("TL_THREADS", "2")
    assert device.resolve("cpu", "float32", 0).threads == 2
    assert device.resolve("cpu", "float32", 1).threads == 1, "what a comparison says is kept"
    monkeypatch.setenv("TL_THREADS", "")
    assert device.resolve("cpu", "float32", 0).threads == 8


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are not bound here")
def test_only_the_cores_that_the_process_may_use_are_counted(monkeypatch):
    """A container or a scheduler often leaves fewer than the machine has."""
    monkeypatch.delenv("TL_THREADS", raising=False)
    allowed = os.sched_getaffinity(0)
    assert 1 <= cores() <= len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1 and device.resolve("cpu", "float32", 0).threads == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_the_speed_of_a_convolution_is_remembered(monkeypatch):
    first = device.flops_per_second(CPU)
    assert first > 1e8
    device.flops_per_second.cache_clear()
    monkeypatch.setattr(device, "_convolution_seconds", lambda *_: 1e9)
    assert device.flops_per_second(CPU) == first
    assert device.flops_per_second(Compute("cpu", "float32", 1)) < first


def test_what_cannot_be_read_is_as_good_as_unknown(home):
    assert remembered.recall("a" * 64) is None
    assert remembered.remember("a" * 64, 2.5) == remembered.recall("a" * 64) == 2.5
    (folder("measured") / ("a" * 32)).write_text("half a num")
    assert remembered.recall("a" * 64) is None


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_large_blocks_are_kept_for_the_next_step():
    """After `activate`, freeing and taking the same memory costs no new pages."""
    import resource

    import torch

    CPU.activate()
    for _ in range(3):
        torch.empty(30_000_000).fill_(1.0)
    faults = []
    for _ in range(8):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.empty(30_000_000).fill_(1.0)
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    # 120 MB are 29,297 pages, each time, were they returned. Other threads, and a system that takes
    # pages back on its own, may add to some.
    assert min(faults) < 4_000


def test_an_empty_home_is_one_s_own_and_gone_afterwards(home, monkeypatch):
    from tl_core import home as rooms

    with empty_home() as other:
        assert rooms.home() == other != home
        (other / "something").touch()
    assert not other.exists()
    assert rooms.home() == home
    monkeypatch.delenv("TL_HOME")
    with empty_home():
        pass
    assert "TL_HOME" not in os.environ
