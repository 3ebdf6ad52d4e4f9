"""Short scripts that use an exported model without this project; users get them as files."""

from typing import Final

from tl_core.backbones import CONSTRUCTORS, WIRING
from tl_core.catalog import Model
from tl_core.export.files import CLASS_MAP, ONNX, SAFETENSORS
from tl_core.preprocessing import LONGEST_ASPECT

USE_ONNX: Final = "use_onnx.py"
USE_SAFETENSORS: Final = "use_safetensors.py"

_MAIN: Final = """
if __name__ == "__main__":
    photo = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGBA")
    photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")
    for name, share in zip(about["classes"], probabilities(np.array(photo))):
        print(f"{share:6.1%}  {name}")
"""

_ONNX: Final = f'''"""python {USE_ONNX} PHOTO   (pip install onnxruntime pillow numpy)"""
import json, pathlib, sys
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession(pathlib.Path(__file__).with_name("{ONNX}"))
about = json.loads(session.get_modelmeta().custom_metadata_map["about"])

def probabilities(image):  # decoded RGB, height x width x 3, uint8: the file does the rest
    return session.run(None, {{"image": image}})[0][0]
'''

_TORCH: Final = f'''"""python {USE_SAFETENSORS} PHOTO   (needs torchvision, safetensors)"""
import json, pathlib, sys
import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import safe_open
from torchvision.transforms.v2 import InterpolationMode, functional as F
{{imports}}
with safe_open(pathlib.Path(__file__).with_name("{SAFETENSORS}"), "pt") as file:
    about = json.loads(file.metadata()["about"])
    state = {{{{name: file.get_tensor(name) for name in file.keys()}}}}
{{network}}
net.load_state_dict(state)
net.eval()

def probabilities(image):  # decoded RGB, height x width x 3, uint8
    x, (height, width) = torch.from_numpy(image).permute(2, 0, 1), image.shape[:2]
    x = F.center_crop(x, [min(height, {{aspect}} * width), min(width, {{aspect}} * height)])
    x = F.resize(x, [{{resize}}], InterpolationMode("{{interpolation}}"), antialias=True)
    x = F.center_crop(x, [{{crop}}, {{crop}}])[None].float() / 255
    x = F.normalize(x, {{mean}}, {{std}})
    with torch.no_grad():
{{answer}}
'''


def use_onnx() -> str:
    """Return the script for the ONNX file."""
    return _ONNX + _MAIN


def use_safetensors(row: Model, classes: int, zero_shot: bool) -> str:
    """Return the script for the safetensors file of a model with so many classes."""
    wanted = row.preprocessing
    script = _TORCH.format(
        imports=_imports(row),
        network=_network(row, classes, zero_shot),
        aspect=LONGEST_ASPECT,
        resize=wanted.resize,
        crop=wanted.crop,
        interpolation=wanted.interpolation,
        mean=list(wanted.mean),
        std=list(wanted.std),
        answer=_answer(zero_shot),
    )
    return script + _MAIN


def _imports(row: Model) -> str:
    if row.architecture in CONSTRUCTORS:
        return "from torchvision.models.resnet import BasicBlock, ResNet\n"
    return "from torchvision.models import get_model\n"


def _network(row: Model, classes: int, zero_shot: bool) -> str:
    wiring, source = WIRING[row.family], row.head_parameters // (row.feature_size + 1)
    outputs = source if zero_shot or wiring.logits is not None else classes
    if row.architecture in CONSTRUCTORS:
        made = f"net = ResNet(BasicBlock, [1, 1, 1, 1], num_classes={outputs})"
    else:
        made = f'net = get_model("{row.architecture}", weights=None, num_classes={outputs})'
    if zero_shot:
        return f'{made}\nmembers = state.pop("{CLASS_MAP}")'
    if wiring.logits is None:
        return made
    owner = wiring.head.split(".")[0]
    return (
        f"{made}\nnet.{owner} = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), "
        f"torch.nn.Flatten(), torch.nn.Linear({row.feature_size}, {classes}))"
    )


def _answer(zero_shot: bool) -> str:
    if not zero_shot:
        return "        return net(x).softmax(dim=1)[0].numpy()"
    return (
        "        shares = net(x).softmax(dim=1) @ members\n"
        "        return (shares / shares.sum(dim=1, keepdim=True))[0].numpy()"
    )
