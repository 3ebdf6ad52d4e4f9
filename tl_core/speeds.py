"""How fast this machine is with a model: measured where anything was, else a guess."""

from collections.abc import Mapping
from dataclasses import dataclass

from tl_core.catalog import Model, catalog
from tl_core.config import BATCH_SIZE, Augmentation
from tl_core.record import Record
from tl_core.stages import block_factors, frozen_prefix, stages_of
from tl_core.strategies import Strategy

# Floating-point operations a second where not even a convolution was measured: a CPU core with
# bfloat16, a graphics card, an Apple GPU.
CORE_SPEED, CUDA_SPEED, MPS_SPEED = 1.4e11, 5.0e12, 1.0e12
# Of one core's convolution times the cores a whole network reaches this part: cores share what
# moves memory (SqueezeNet and ResNet-10 on two cores: 0.3 to 0.35).
NETWORK_SHARE = 0.32
# Depthwise convolutions move more memory per operation: a fraction of a convolution's speed.
_SLOW_FAMILIES = {"mobilenet": 0.25, "efficientnet": 0.25, "regnet": 0.5, "densenet": 0.5}

# Seconds of an optimiser per parameter, and of a fresh view per image and per pixel: cutting out a
# centre is nearly free, turning hues is what costs.
OPTIMIZER_SECONDS = 1.0e-9
VIEW_SECONDS: dict[Augmentation, tuple[float, float]] = {
    "none": (6e-6, 0.0),
    "crops": (6e-5, 5e-9),
    "colour": (2.8e-4, 7e-8),
}


@dataclass(frozen=True)
class Machine:
    """What is known of the device: operations a second with a model, threads, bytes of a value."""

    flops_per_second: float
    measured: bool = False
    threads: int = 2
    value_bytes: int = 2


def speed_key(model: str, device: str) -> str:
    """Return the name under which the store remembers a model's measured speed on a device."""
    return f"flops_per_second/{model}/{device}"


def machine(
    row: Model, device: Mapping[str, object] | None, measured: Mapping[str, float]
) -> Machine:
    """Return what is known of this machine with a model.

    `device` is what a worker reported, None for nothing yet; `measured` the store's speeds.
    """
    report = dict(device or {})
    kind, threads = str(report.get("device", "cpu")), report.get("threads")
    cores = threads if isinstance(threads, int) and threads > 0 else 2
    width = 4 if report.get("precision") == "float32" else 2
    known = measured.get(speed_key(row.name, kind))
    if known:
        return Machine(known, True, cores, width)
    convolution = report.get("flops_per_second")
    if isinstance(convolution, float):
        guess = NETWORK_SHARE * convolution
    else:
        guess = {"cuda": CUDA_SPEED, "mps": MPS_SPEED}.get(kind, CORE_SPEED * cores)
    return Machine(guess * _SLOW_FAMILIES.get(row.family, 1.0), False, cores, width)


def measured_speeds(found: Record) -> dict[str, float]:
    """Return what a comparison's trained runs say of the machine's speed, for the store.

    Nothing if they saw images at another size than the model's own, at which speed differs.
    """
    if found.started is None or found.started.config.input_size is not None:
        return {}
    config = found.started.config
    row = catalog().get(config.backbone)
    fresh = [
        ended
        for run_id, ended in found.ended.items()
        if ended.run.steps and run_id in found.runs and not found.runs[run_id].reused
    ]
    if row is None or not fresh:
        return {}
    seconds = sum(ended.result.train_seconds for ended in fresh)
    around = sum(
        (ended.result.steps or 0) * step_seconds(row, ended.run.strategy, ended.run.augmentation)
        for ended in fresh
    )
    flops = sum(ended.result.flops for ended in fresh)
    # However wrong the constants are here, most of a step is the network.
    return {speed_key(config.backbone, config.device): flops / max(seconds - around, seconds / 2)}


def step_seconds(row: Model, strategy: Strategy, augmentation: Augmentation = "crops") -> float:
    """Return the seconds of a step beside the network: the optimiser, and fresh views."""
    factors = block_factors(stages_of(strategy, len(row.blocks))[-1], len(row.blocks))
    pairs = zip(row.blocks, factors, strict=True)
    trained = 0
    if strategy.parameters == "all":
        trained = sum(block.parameters for block, factor in pairs if factor is not None)
    fresh = not strategy.pretrained or frozen_prefix(strategy, len(row.blocks)) == 0
    each, pixel = VIEW_SECONDS[augmentation]
    view = each + pixel * row.preprocessing.crop**2 if fresh else 0.0
    return OPTIMIZER_SECONDS * trained + BATCH_SIZE * view
