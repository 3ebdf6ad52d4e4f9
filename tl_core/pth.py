"""PyTorch's pickled checkpoints to safetensors; torch is imported only when one is read."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from tl_core.layouts import BadWeights
from tl_core.limits import MAX_WEIGHTS_BYTES, MB

if TYPE_CHECKING:
    from torch import Tensor

WRAPPERS = ("state_dict", "model")
# Left by DistributedDataParallel and by torch.compile.
PREFIXES = ("module.", "_orig_mod.")
# DenseNet's published files have names from before dots in module names were forbidden.
OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")

ADVICE = "Save it again with torch.save(model.state_dict(), FILE) and convert that file."


def convert(pth: Path, out: Path) -> None:
    """Write the state dict in a `.pth` file as safetensors, tensor types unchanged.

    Nothing in the file is executed (`weights_only=True`). A state dict inside `state_dict` or
    `model` is found, `module.` prefixes are dropped. Raises BadWeights if the file holds anything
    else than a state dict, or more than 400 MB of tensors.
    """
    from safetensors.torch import save_file

    tensors = _owned(_plain(_read(pth), pth.name), pth.name)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        save_file(tensors, part, metadata={"format": "pt"})
        part.replace(out)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise BadWeights(
            f"{out.name} cannot be written ({reason}). Choose a folder that exists, can be "
            "written to and has room."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _read(pth: Path) -> Any:
    import torch

    if not pth.is_file():
        raise BadWeights(f"There is no file {pth.name}. Check the path of the .pth file.")
    if pth.suffix.lower() == ".safetensors":
        raise BadWeights(f"{pth.name} is a safetensors file already: use it as it is.")
    try:
        return torch.load(pth, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged or hostile file makes torch.load raise nearly any exception.
        raise BadWeights(
            f"{pth.name} is not a plain state dict: it is damaged, or holds Python objects beside "
            f"tensors, which are not loaded because they could run code. {ADVICE}",
        ) from error


def _plain(content: Any, name: str) -> "Mapping[str, Tensor]":
    import torch

    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise BadWeights(f"{name} is not a state dict, which maps names to tensors. {ADVICE}")
    wrong = [str(k) for k, value in content.items() if not isinstance(value, torch.Tensor)]
    if wrong:
        raise BadWeights(
            f"{name} is not a plain state dict: {len(wrong)} entries are no tensors "
            f"({wrong[0][:120]}). {ADVICE}",
            tuple(wrong),
        )
    return content


def _owned(tensors: "Mapping[str, Tensor]", name: str) -> "dict[str, Tensor]":
    """Return contiguous copies under torchvision's names; safetensors takes no shared memory."""
    import torch

    for key, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise BadWeights(f"{name} holds a sparse or quantised tensor ({key}). {ADVICE}")
    # An expanded tensor is small in the file and large in memory.
    if (
        sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        > MAX_WEIGHTS_BYTES
    ):
        raise BadWeights(
            f"{name} unpacks to more than {MAX_WEIGHTS_BYTES // MB} MB of tensors. No model in the "
            "catalog needs more: check that it is the right file, or store it as float16."
        )
    return {
        key: tensor.detach().clone(memory_format=torch.contiguous_format)
        for key, tensor in _renamed(tensors).items()
    }


def _renamed(tensors: "Mapping[str, Tensor]") -> "Mapping[str, Tensor]":
    named = {str(key): tensor for key, tensor in tensors.items()}
    while prefix := next((p for p in PREFIXES if all(key.startswith(p) for key in named)), None):
        named = {key.removeprefix(prefix): tensor for key, tensor in named.items()}
    return {OLD_DENSENET.sub(r"\1\2", key): tensor for key, tensor in named.items()}
