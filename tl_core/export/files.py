"""A trained model written as safetensors and as ONNX, each with preprocessing and classes."""

import importlib.util
import json
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from tl_core.adapted import ClassMapHead
from tl_core.backbones import WIRING
from tl_core.catalog import Model
from tl_core.export.deployed import Deployed
from tl_core.export.preprocessing_graph import OPSET, preprocessing_graph

SAFETENSORS: Final = "model.safetensors"
ONNX: Final = "model.onnx"
# Where a safetensors file of zero-shot transfer keeps which source class belongs to which class.
CLASS_MAP: Final = "class_map"

_NEEDED: Final = ("onnx", "onnxscript", "onnxruntime")


def onnx_is_here() -> bool:
    """Return whether the packages that ONNX needs are installed."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


def write_safetensors(deployed: Deployed, row: Model, about: dict[str, Any], path: Path) -> None:
    """Write all weights by torchvision's names, and `about` as JSON in the file's metadata."""
    tensors = {name: t.contiguous() for name, t in _state(deployed, row).items()}
    save_file(tensors, path, metadata={"about": json.dumps(about)})


def _state(deployed: Deployed, row: Model) -> dict[str, Tensor]:
    state: dict[str, Tensor] = deployed.backbone.net.state_dict()
    wiring, head = WIRING[row.family], deployed.head
    if isinstance(head, ClassMapHead):
        return state | {CLASS_MAP: head.members}
    weight, bias = head.weight, head.bias
    owner = wiring.head.split(".")[0]
    if wiring.logits is None:
        return state | {f"{wiring.head}.weight": weight, f"{wiring.head}.bias": bias}
    # The head follows the average here, where torchvision's own comes before it.
    kept = {name: value for name, value in state.items() if not name.startswith(f"{owner}.")}
    return kept | {f"{owner}.2.weight": weight, f"{owner}.2.bias": bias}


def write_onnx(deployed: Deployed, row: Model, about: dict[str, Any], path: Path) -> None:
    """Write one graph from `image` (uint8, height x width x 3, any size) to `probabilities`.

    `about` is in the file's metadata. Needs the packages of `requirements-export.txt`.
    """
    import onnx
    from onnx import compose

    before = compose.add_prefix(
        preprocessing_graph(row.preprocessing),
        "preprocessing/",
        rename_inputs=False,
        rename_outputs=False,
    )
    network = network_graph(deployed, row)
    before.ir_version = network.ir_version
    merged = compose.merge_models(before, network, io_map=[("prepared", "prepared")])
    merged.producer_name = "Transfer Lab"
    onnx.helper.set_model_props(merged, {"about": json.dumps(about)})
    onnx.checker.check_model(merged)
    onnx.save(merged, path)


def network_graph(deployed: Deployed, row: Model) -> Any:
    """Return the ONNX model from `prepared` (1 x 3 x S x S) to `probabilities` (1 x C)."""
    side = row.preprocessing.crop
    program = torch.onnx.export(
        deployed,
        (torch.zeros(1, 3, side, side),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["prepared"],
        output_names=["probabilities"],
        verbose=False,
    )
    assert program is not None
    return program.model_proto
