"""How much memory a training needs, and how much there is."""

import contextlib
import re
from pathlib import Path
from typing import Final

import psutil
import torch
from torch import Tensor

from tl_core.backbones import Backbone, build
from tl_core.catalog import Model
from tl_core.config import BATCH_SIZE
from tl_core.device import Compute
from tl_core.freezing import unfreeze_all

# What a process takes that has imported what it trains with, and what it reads images into.
PROCESS_BYTES: Final = 700_000_000
# A parameter's value, gradient and two momenta, and its copy of half the size.
_PARAMETER_BYTES: Final = 18
# What is not kept for the backward pass, and what the allocator cannot use again.
_MARGIN: Final = 1.5


def training_bytes(row: Model, compute: Compute) -> int:
    """Return the memory of a process that trains all of a model, by what forward passes keep."""
    net = unfreeze_all(build(row, None)).to(memory_format=torch.channels_last)
    # Of two numbers of images: weights in another precision are kept as well, once.
    more = _kept_bytes(net, row, compute, 2) - _kept_bytes(net, row, compute, 1)
    parameters = sum(parameter.numel() for parameter in net.parameters())
    return int(PROCESS_BYTES + _PARAMETER_BYTES * parameters + _MARGIN * BATCH_SIZE * more)


def _kept_bytes(backbone: Backbone, row: Model, compute: Compute, images: int) -> int:
    """Return the bytes that are kept for the backward pass of so many images."""
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        kept[value.data_ptr()] = value.numel() * value.element_size()
        return value

    size = row.preprocessing.crop
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value), compute.autocast():
        final = backbone.forward_blocks(torch.zeros(images, 3, size, size))
        # What is kept is held by `final`: freed, its place could be another value's, counted once.
        bytes_kept = sum(kept.values())
    del final
    return bytes_kept


def free_bytes() -> int:
    """Return the memory that could be taken without anything being moved out: a container's too."""
    free = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        found = re.search(r"^0::/(.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
        group = Path("/sys/fs/cgroup") / (found.group(1) if found else "")
        limit = int((group / "memory.max").read_text())
        free = min(free, limit - int((group / "memory.current").read_text()))
    return free
