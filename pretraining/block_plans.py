"""How each family of torchvision models is cut into blocks: names and module paths, input first.

The finest natural cut. Downsampling between stages belongs to the block after it, a norm layer at
the end to the last block, bare parameters to the stem; only the last linear layer or 1x1
convolution is in no block.
"""

from collections.abc import Callable

from torch import nn

Plan = list[tuple[str, tuple[str, ...]]]


def _children(net: nn.Module, path: str) -> list[str]:
    return [f"{path}.{name}" for name, _ in net.get_submodule(path).named_children()]


def _with_last(plan: Plan, *paths: str) -> Plan:
    name, modules = plan[-1]
    return [*plan[:-1], (name, (*modules, *paths))]


def _resnet(net: nn.Module) -> Plan:
    plan: Plan = [("stem", ("conv1", "bn1", "relu", "maxpool"))]
    for stage in range(1, 5):
        for index, path in enumerate(_children(net, f"layer{stage}"), 1):
            plan.append((f"stage {stage} block {index}", (path,)))
    return plan


def _regnet(net: nn.Module) -> Plan:
    plan: Plan = [("stem", ("stem",))]
    for stage, stage_path in enumerate(_children(net, "trunk_output"), 1):
        for index, path in enumerate(_children(net, stage_path), 1):
            plan.append((f"stage {stage} block {index}", (path,)))
    return plan


def _efficientnet(net: nn.Module) -> Plan:
    stem, *stages, last = _children(net, "features")
    plan: Plan = [("stem", (stem,))]
    for stage, stage_path in enumerate(stages, 1):
        for index, path in enumerate(_children(net, stage_path), 1):
            plan.append((f"stage {stage} block {index}", (path,)))
    return [*plan, ("final convolution", (last,))]


def _mobilenet(net: nn.Module) -> Plan:
    stem, *blocks, last = _children(net, "features")
    plan: Plan = [("stem", (stem,))]
    plan += [(f"block {index}", (path,)) for index, path in enumerate(blocks, 1)]
    return [*plan, ("final layers", (last, "avgpool", "classifier.0", "classifier.1"))]


def _staged(net: nn.Module) -> Plan:
    """ConvNeXt and Swin: stem, then stages with a downsampling layer between them."""
    stem, *rest = _children(net, "features")
    plan: Plan = [("stem", (stem,))]
    downsampling: tuple[str, ...] = ()
    for position, path in enumerate(rest):
        if position % 2:
            downsampling = (path,)
            continue
        for index, block in enumerate(_children(net, path), 1):
            plan.append((f"stage {position // 2 + 1} block {index}", (*downsampling, block)))
            downsampling = ()
    return plan


def _vit(net: nn.Module) -> Plan:
    stem = ("conv_proj", "class_token", "encoder.pos_embedding", "encoder.dropout")
    plan: Plan = [("stem", stem)]
    layers = _children(net, "encoder.layers")
    plan += [(f"layer {index}", (path,)) for index, path in enumerate(layers, 1)]
    return _with_last(plan, "encoder.ln")


def _squeezenet(net: nn.Module) -> Plan:
    first, *rest = _children(net, "features")
    plan: Plan = [("stem", (first, *rest[:2]))]
    pooling: tuple[str, ...] = ()
    for path in rest[2:]:
        if isinstance(net.get_submodule(path), nn.MaxPool2d):
            pooling = (path,)
        else:
            # The paper counts the stem as conv1, so that its first Fire module is number 2.
            plan.append((f"fire {len(plan) + 1}", (*pooling, path)))
            pooling = ()
    return plan


def _densenet(net: nn.Module) -> Plan:
    stem = ("features.conv0", "features.norm0", "features.relu0", "features.pool0")
    plan: Plan = [("stem", stem), ("dense block 1", ("features.denseblock1",))]
    for stage in range(2, 5):
        modules = (f"features.transition{stage - 1}", f"features.denseblock{stage}")
        plan.append((f"dense block {stage}", modules))
    return _with_last(plan, "features.norm5")


PLANS: dict[str, Callable[[nn.Module], Plan]] = {
    "resnet": _resnet,
    "regnet": _regnet,
    "efficientnet": _efficientnet,
    "mobilenet": _mobilenet,
    "convnext": lambda net: _with_last(_staged(net), "avgpool", "classifier.0"),
    "swin": lambda net: _with_last(_staged(net), "norm"),
    "vit": _vit,
    "squeezenet": _squeezenet,
    "densenet": _densenet,
}
