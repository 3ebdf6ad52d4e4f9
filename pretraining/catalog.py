"""Write `tl_core/data/catalog.json`, `layouts.json`, `procedural.json` and `imagenet1k.json`.

    python -m pretraining.catalog

Rows come from torchvision's own metadata and from counting on the built networks; the bundled
model's also from its weights file, whose source accuracy is measured on images drawn for that.
ImageNet's synsets and synonyms come from an installed timm (its data files, Apache-2.0;
`pip install --no-deps timm`); without timm that class file is left as it is.
"""

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import torch
import torchvision
from msgspec.structs import replace
from torch import nn

from pretraining import source_names
from pretraining.block_plans import PLANS
from pretraining.bundled import ARCHITECTURE, HELD_OUT, HELD_OUT_SEED, MEAN, STD
from tl_core import catalog
from tl_core.backbones import WIRING, Backbone, build, construct, load_weights
from tl_core.catalog import Block, Model, Preprocessing, Recipe, SourceClass, Weights, data_file
from tl_core.counting import counted
from tl_core.preprocessing import normalise
from tl_core.procedural import CLASSES, SIDE, VERSION

DATA = Path(__file__).parent.parent / "tl_core" / "data"

# V1 of every model: one name and one evaluation crop for all rows, and mostly plain training
# recipes. V2 weights score higher on ImageNet itself and can be brought as a file.
WEIGHTS_NAME = "IMAGENET1K_V1"
CODE_LICENCE = "BSD-3-Clause (torchvision)"
WEIGHTS_LICENCE = (
    "None stated for the weights themselves: published with torchvision (BSD-3-Clause), which "
    "notes that pretrained models may carry terms of their own, derived from their training data. "
    "Trained on ImageNet, whose terms allow its images for non-commercial research and education "
    "only."
)
COMMERCIAL = (
    "Commercial use is not cleared: the weights come without a licence statement of their own and "
    "were trained on ImageNet, whose images are for non-commercial research and education only; "
    "ask whoever is responsible for licences in your organisation."
)

BUNDLED = "resnet10_procedural"
BUNDLED_FILE = f"{BUNDLED}.safetensors"
BUNDLED_PREPROCESSING = Preprocessing(
    resize=SIDE,
    crop=SIDE,
    interpolation="bilinear",
    mean=(MEAN, MEAN, MEAN),
    std=(STD, STD, STD),
)
BUNDLED_LICENCE = (
    "Apache-2.0, the licence of this app: trained by its own code on images drawn by formula, "
    "without a photograph and without anybody else's data."
)
BUNDLED_COMMERCIAL = (
    "Commercial use is allowed: the weights are this project's own (Apache-2.0) and made from "
    "formulas alone, without photographs or anybody else's data."
)

# Lower rates without normalisation layers; transformers and ConvNeXt are trained by AdamW.
SGD_BATCH_NORM = Recipe(optimizer="sgd", rate=3e-3, scratch_rate=0.05)
SGD_NO_NORM = Recipe(optimizer="sgd", rate=2e-4, scratch_rate=0.01)
ADAMW = Recipe(optimizer="adamw", rate=5e-5, scratch_rate=5e-4)


class Entry(NamedTuple):
    """What cannot be read from torchvision about a model."""

    title: str
    family: str
    normalisation: Literal["batch", "layer", "none"]
    recipe: Recipe


MODELS: dict[str, Entry] = {
    BUNDLED: Entry("ResNet-10, drawn shapes", "resnet", "batch", SGD_BATCH_NORM),
    "squeezenet1_1": Entry("SqueezeNet 1.1", "squeezenet", "none", SGD_NO_NORM),
    "mobilenet_v3_small": Entry("MobileNetV3 small", "mobilenet", "batch", SGD_BATCH_NORM),
    "mobilenet_v3_large": Entry("MobileNetV3 large", "mobilenet", "batch", SGD_BATCH_NORM),
    "regnet_y_400mf": Entry("RegNetY 400MF", "regnet", "batch", SGD_BATCH_NORM),
    "efficientnet_b0": Entry("EfficientNet-B0", "efficientnet", "batch", SGD_BATCH_NORM),
    "resnet18": Entry("ResNet-18", "resnet", "batch", SGD_BATCH_NORM),
    "resnet50": Entry("ResNet-50", "resnet", "batch", SGD_BATCH_NORM),
    "densenet121": Entry("DenseNet-121", "densenet", "batch", SGD_BATCH_NORM),
    "convnext_tiny": Entry("ConvNeXt tiny", "convnext", "layer", ADAMW),
    "swin_t": Entry("Swin tiny", "swin", "layer", ADAMW),
    "vit_b_16": Entry("ViT-B/16", "vit", "layer", ADAMW),
}


def _count(parameters: Sequence[nn.Parameter] | Iterator[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _preprocessing(transforms: Any) -> Preprocessing:
    return Preprocessing(
        resize=transforms.resize_size[0],
        crop=transforms.crop_size[0],
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )


def _weights(published: Any) -> Weights:
    metrics = published.meta["_metrics"]["ImageNet-1K"]
    origin = " ".join(published.meta["_docs"].split())
    ported = f' torchvision on their origin: "{origin}"' if "ported" in origin else ""
    return Weights(
        name=published.name,
        url=published.url,
        megabytes=published.meta["_file_size"],
        top1=metrics["acc@1"],
        top5=metrics["acc@5"],
        source_task="ImageNet-1K: photographs in 1,000 classes",
        source_classes="imagenet1k",
        code_licence=CODE_LICENCE,
        weights_licence=WEIGHTS_LICENCE + ported,
        commercial=COMMERCIAL,
    )


def _bundled_weights() -> Weights:
    """Return what the weights file tells; `main` fills in the accuracies."""
    content = data_file(BUNDLED_FILE).read_bytes()
    return Weights(
        name=f"Drawn shapes, version {VERSION}",
        url="",
        file=BUNDLED_FILE,
        sha256=hashlib.sha256(content).hexdigest(),
        drawn=True,
        megabytes=round(len(content) / 1024**2, 3),
        top1=0.0,
        top5=0.0,
        source_task=f"images drawn by formula: shapes, signs and textures, {len(CLASSES)} classes",
        source_classes="procedural",
        code_licence=CODE_LICENCE,
        weights_licence=BUNDLED_LICENCE,
        commercial=BUNDLED_COMMERCIAL,
    )


def source_accuracy(row: Model) -> tuple[float, float]:
    """Return top-1 and top-5 accuracy (percent) of the bundled weights on held-out images."""
    from tl_core.procedural.drawing import draw

    backbone = build(row, load_weights(data_file(row.weights.file))).eval()
    drawn = draw(HELD_OUT, HELD_OUT_SEED)
    hits = torch.zeros(5)
    with torch.no_grad():
        for images, labels in zip(drawn.images.split(250), drawn.labels.split(250), strict=True):
            x = normalise(images, row.preprocessing)
            best = backbone.source_logits(backbone.forward_blocks(x)).topk(5).indices
            hits += (best == labels[:, None]).sum(dim=0)
    shares = 100 * hits.cumsum(0) / HELD_OUT
    return round(float(shares[0]), 1), round(float(shares[4]), 1)


def drawn_classes() -> list[SourceClass]:
    """Return the classes of the bundled model's source task."""
    return [
        SourceClass(index=index, names=source_names.names(title))
        for index, title in enumerate(CLASSES)
    ]


def _measured(backbone: Backbone) -> Model:
    """Return the backbone's row with parameters, FLOPs and values counted, block by block."""
    row = counted(backbone)
    pairs = zip(row.blocks, backbone.blocks, strict=True)
    blocks = tuple(replace(one, parameters=_count(block.parameters())) for one, block in pairs)
    return replace(row, blocks=blocks)


def row_and_layout(name: str) -> tuple[Model, dict[str, list[int]]]:
    """Return a model's catalog row and the shapes of its state dict."""
    entry = MODELS[name]
    if name == BUNDLED:
        architecture, classes = ARCHITECTURE, len(CLASSES)
        about, preprocessing = _bundled_weights(), BUNDLED_PREPROCESSING
    else:
        architecture, classes = name, 1000
        published = torchvision.models.get_model_weights(name)[WEIGHTS_NAME]
        about, preprocessing = _weights(published), _preprocessing(published.transforms())
    net = construct(architecture, classes).eval()
    head = net.get_submodule(WIRING[entry.family].head)
    width = head.in_features if isinstance(head, nn.Linear) else head.in_channels
    plan = PLANS[entry.family](net)
    row = Model(
        name=name,
        title=entry.title,
        architecture=architecture,
        family=entry.family,
        parameters=_count(net.parameters()),
        flops=0,
        feature_size=width,
        normalisation=entry.normalisation,
        preprocessing=preprocessing,
        weights=about,
        recipe=entry.recipe,
        blocks=tuple(
            Block(name=block, modules=modules, parameters=0, flops=0, values=0)
            for block, modules in plan
        ),
        head_parameters=_count(head.parameters()),
    )
    layout = {key: list(tensor.shape) for key, tensor in net.state_dict().items()}
    return _measured(Backbone(net, row)), layout


def imagenet_classes(folder: Path, categories: Sequence[str]) -> list[SourceClass]:
    """Return the 1,000 classes: torchvision's name first, then WordNet's lemmas without repeats.

    `folder` holds timm's `imagenet_synsets.txt` (in class order) and
    `imagenet_synset_to_lemma.txt`.
    """
    synsets = (folder / "imagenet_synsets.txt").read_text(encoding="utf-8").split()
    lines = (folder / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    lemmas = dict(line.split("\t") for line in lines if line)
    classes = []
    for index, (category, synset) in enumerate(zip(categories, synsets, strict=True)):
        # torchvision tells its two "crane" and two "maillot" apart; the plain names stay as
        # synonyms, so that a match on them is seen to be ambiguous.
        names: dict[str, str] = {}
        for name in [category, *lemmas[synset].split(", ")]:
            names.setdefault(name.casefold(), name)
        classes.append(SourceClass(index=index, synset=synset, names=tuple(names.values())))
    return classes


def _timm_folder() -> Path | None:
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "data" / "_info"


def _write(name: str, rows: Sequence[Any] | dict[str, Any]) -> None:
    """Write JSON with one row a line: small, and a change of one row is one changed line."""
    plain = msgspec.to_builtins(rows)
    if isinstance(plain, dict):
        lines = [f"{json.dumps(key)}:{_compact(value)}" for key, value in plain.items()]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
    else:
        text = "[\n" + ",\n".join(map(_compact, plain)) + "\n]\n"
    (DATA / name).write_text(text, encoding="utf-8")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Write all data files."""
    made = {name: row_and_layout(name) for name in MODELS}
    rows = {name: row for name, (row, _) in made.items()}
    DATA.mkdir(exist_ok=True)
    _write("catalog.json", list(rows.values()))
    _write("layouts.json", {name: layout for name, (_, layout) in made.items()})
    _write("procedural.json", drawn_classes())
    # Needs the row: loading checks the file against it.
    catalog.catalog.cache_clear()
    top1, top5 = source_accuracy(rows[BUNDLED])
    about = replace(rows[BUNDLED].weights, top1=top1, top5=top5)
    rows[BUNDLED] = replace(rows[BUNDLED], weights=about)
    _write("catalog.json", list(rows.values()))
    folder = _timm_folder()
    if folder is None:
        print("timm is not installed: imagenet1k.json is left as it is.")
        return
    published = torchvision.models.get_model_weights("resnet18")[WEIGHTS_NAME]
    _write("imagenet1k.json", imagenet_classes(folder, published.meta["categories"]))


if __name__ == "__main__":
    main()
