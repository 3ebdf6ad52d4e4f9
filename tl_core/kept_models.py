"""What a finished run leaves behind: the tensors that it changed, and its head.

Together with the original weights that is the whole model. A run's file can be made again by
repeating the run, so it lies in the cache and may go when room is needed.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tl_core import cache

_HEAD, _BACKBONE = "head.", "backbone."
_FILE = "model.safetensors"

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class KeptModel:
    """`changed`: the backbone's tensors that differ from the original's, by torchvision's names.

    `weight` C x D and `bias` C of the head.
    """

    changed: dict[str, Tensor]
    weight: Tensor
    bias: Tensor


def keep(run_id: str, original: State, state: State, weight: Tensor, bias: Tensor) -> None:
    """Keep a finished run's model, if there is room for it: a full disk costs it, not the run.

    `original` and `state` are the backbone's state dicts before and after training.
    """
    tensors = {f"{_BACKBONE}{name}": value for name, value in _changed(original, state).items()}
    tensors |= {f"{_HEAD}weight": _plain(weight), f"{_HEAD}bias": _plain(bias)}
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    path = cache.entry("models", run_id)
    if cache.is_ready(path) or not cache.has_room(size):
        return
    try:
        with cache.building(path, size) as part:
            save_file(tensors, part / _FILE)
    except (OSError, SafetensorError) as error:
        print(f"A finished model was not kept: {error}", file=sys.stderr)


def kept(run_id: str) -> KeptModel | None:
    """Return what a run left behind, None if it is not, or no longer, here."""
    path = cache.entry("models", run_id)
    if not cache.is_ready(path):
        return None
    try:
        tensors = load_file(path / _FILE)
    except (OSError, SafetensorError):  # evicted in this moment, or a damaged file
        return None
    return KeptModel(
        {name[len(_BACKBONE) :]: t for name, t in tensors.items() if name.startswith(_BACKBONE)},
        tensors[f"{_HEAD}weight"],
        tensors[f"{_HEAD}bias"],
    )


def _changed(original: State, state: State) -> dict[str, Tensor]:
    found = {}
    for name, value in state.items():
        if not torch.equal(value.cpu(), original[name].cpu()):
            found[name] = _plain(value)
    return found


def _plain(tensor: Tensor) -> Tensor:
    """Return a tensor as a file can hold it: on the CPU, in the usual order of its values."""
    return tensor.detach().cpu().contiguous()
