"""The device that trains: detected, measured once, reported."""

import contextlib
import ctypes
import functools
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
import torchvision
from torch import nn

from tl_core import remembered
from tl_core.config import NotPossible, content_hash
from tl_core.cores import cores


@dataclass(frozen=True)
class Compute:
    """Where and how numbers are computed; resolved once for a comparison and part of identity."""

    device: str
    precision: str
    threads: int

    def activate(self) -> None:
        """Apply the thread count to this process, and what makes this kind of device faster."""
        torch.set_num_threads(self.threads)
        if self.device == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32 in what stays float32
        else:
            _keep_freed_memory()

    def autocast(self) -> torch.autocast:
        """Return the mixed-precision context; it does nothing at float32."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")


def available_devices() -> list[str]:
    """Return usable device types, best first."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def resolve(device: str, precision: str, threads: int) -> Compute:
    """Return what `auto` and 0 stand for here; raises NotPossible for a device that is not here."""
    found = available_devices()
    chosen = found[0] if device == "auto" else device
    if chosen not in found:
        raise NotPossible(
            f"The device '{device}' is not available here; available: {', '.join(found)}. "
            "Choose one of these or 'auto'."
        )
    compute = Compute(chosen, "float32", threads or _threads(chosen))
    compute.activate()
    if precision == "auto":
        precision = "bf16" if _bf16_is_faster(compute) else "float32"
    return Compute(chosen, precision, compute.threads)


def _threads(device: str) -> int:
    """Return the cores to use: all, or this process's share where several work side by side."""
    share = os.environ.get("TL_THREADS", "")
    if device == "cpu" and share.isdecimal() and int(share) > 0:
        return int(share)
    return cores()


def synchronise(device: str) -> None:
    """Wait for queued work, so that clocks measure what they seem to."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def _keep_freed_memory() -> None:
    """Let the C library reuse large freed blocks instead of returning them to the system.

    Each step frees and needs the same large activations again; fresh pages cost up to a third of
    its time. Nothing happens where the C library is not glibc.
    """
    no_mappings, no_trimming = -4, -1
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(no_mappings, 0)
        library.mallopt(no_trimming, 2**31 - 1)


@functools.cache
def _bf16_is_faster(compute: Compute) -> bool:
    """Return whether bfloat16 is faster, measured once for a device and remembered on this disk.

    Remembered, because a loaded machine may answer otherwise each time, and another precision is
    another run. MPS is left at float32: its autocast supports too few operations.
    """
    if compute.device == "mps":
        return False
    if compute.device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    key = content_hash("bf16", device_name(compute.device), compute.threads, versions())
    known = remembered.recall(key)
    if known is None:
        # In turn, and more than once: other programs' load should fall on both alike.
        rounds = [[_convolution_seconds("cpu", half) for half in (False, True)] for _ in range(3)]
        float32, bf16 = (min(times) for times in zip(*rounds, strict=True))
        # The margin keeps what is hardly a gain at float32.
        known = remembered.remember(key, float(bf16 * 1.2 < float32))
    return bool(known)


@functools.cache
def flops_per_second(compute: Compute) -> float:
    """Return what a convolution reaches here, forward and backward: measured once, remembered."""
    where = (device_name(compute.device), msgspec.to_builtins(compute), versions())
    key = content_hash("speed", where)
    known = remembered.recall(key)
    if known is None:
        # Two forward, two gradients of weights, one of an input.
        flops = 5 * 2 * 9 * _CHANNELS**2 * _WIDTH**2 * _images(compute.device)
        seconds = _convolution_seconds(compute.device, compute.precision == "bf16")
        cores = compute.threads if compute.device == "cpu" else 1
        known = remembered.remember(key, cores * flops / seconds)
    return known


_CHANNELS, _WIDTH = 64, 56


def _images(device: str) -> int:
    return 8 if device == "cpu" else 64


def _convolution_seconds(device: str, bf16: bool) -> float:
    """Return the shortest time of two convolutions' forward and backward pass, on one core.

    On a CPU the time of this thread alone, where the system counts it finely: the app is first
    started while other processes of its own are busy, and what is measured then is remembered.
    """
    fine = time.get_clock_info("thread_time").resolution < 1e-3
    clock = time.thread_time if device == "cpu" and fine else time.perf_counter
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _shortest(device, bf16, clock)
    finally:
        torch.set_num_threads(threads)


def _shortest(device: str, bf16: bool, clock: Callable[[], float]) -> float:
    layer = nn.Sequential(*(nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1) for _ in range(2)))
    images = torch.ones(_images(device), _CHANNELS, _WIDTH, _WIDTH)
    layer = layer.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = images.to(device).contiguous(memory_format=torch.channels_last)
    best = float("inf")
    for _ in range(4):
        synchronise(device)
        started = clock()
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            layer(images).float().sum().backward()
        synchronise(device)
        best = min(best, clock() - started)
    return best


def device_name(device: str) -> str:
    """Return the name of the device as its maker gives it, as far as it can be known."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    number = os.cpu_count() or 1
    if device == "mps":
        return "Apple GPU"
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        name = found.group(1) if found else name
    return f"{name}, {number} core{'s' if number != 1 else ''}"


def versions() -> dict[str, str]:
    """Return the versions that can change a number."""
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchvision": str(torchvision.__version__),
    }


def device_report() -> dict[str, Any]:
    """Return what the rest of the app needs to know of this machine, JSON-able."""
    compute = resolve("auto", "auto", 0)
    return {
        "device": compute.device,
        "device_name": device_name(compute.device),
        "devices": available_devices(),
        "gpus": torch.cuda.device_count(),
        "precision": compute.precision,
        "threads": compute.threads,
        "flops_per_second": flops_per_second(compute),
        "versions": versions(),
    }


@contextlib.contextmanager
def peak_memory(device: str) -> Iterator[dict[str, float | None]]:
    """Measure the highest memory use (megabytes) inside the block, under the key `megabytes`.

    CUDA: memory allocated by torch. CPU: resident memory of this process, where the system lets
    its high-water mark be reset (Linux); None elsewhere, since a mark of the whole process's life
    would not belong to this block.
    """
    found: dict[str, float | None] = {"megabytes": None}
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        yield found
        found["megabytes"] = torch.cuda.max_memory_allocated() / 1e6
        return
    resettable = False
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        resettable = True
    yield found
    if resettable:
        with contextlib.suppress(OSError):
            mark = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
            found["megabytes"] = int(mark.group(1)) / 1e3 if mark else None
