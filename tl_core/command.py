"""The command that reproduces a comparison, from its configuration."""

import shlex
from typing import Final

import msgspec

from tl_core import setting_text
from tl_core.catalog import catalog
from tl_core.config import DRAWN, ComparisonConfig
from tl_core.stages import block_factors
from tl_core.strategies import STRATEGIES, Strategy

# What `--strategies` says where layers of one's own are compared alone.
NO_STRATEGY: Final = "none"


def command(config: ComparisonConfig) -> str:
    """Return a `python -m tl_core compare` line that gives the same numbers on this machine."""
    words = ["python", "-m", "tl_core", "compare", f"dataset:{config.data.fingerprint[:16]}"]
    words += ["--backbone", config.backbone, "--weights", f"sha256:{config.weights_sha256[:16]}"]
    row = catalog().get(config.backbone)
    drawn = row is not None and row.weights.drawn
    if config.data.probe is None:
        words += ["--source-probe", "none"] if drawn else []
    elif not config.data.probe.startswith(DRAWN):
        words += ["--source-probe", f"dataset:{config.data.probe[:16]}"]
    known = [s.name for s in config.strategies if STRATEGIES.get(s.name) == s]
    words += ["--strategies", ",".join(known) or NO_STRATEGY]
    for strategy in config.strategies:
        if strategy.name not in known:
            words += ["--freeze", ",".join(frozen_blocks(strategy, config.backbone)) or "none"]
    words += ["--class-map", msgspec.json.encode(config.class_map).decode()]
    words += ["--seeds", str(config.seeds), "--budget", config.budget]
    if config.steps is not None:
        words += ["--steps", str(config.steps)]
    if config.learning_rate is not None:
        words += ["--learning-rate", str(config.learning_rate)]
    if config.class_balance != "none":
        words += ["--class-balance", config.class_balance]
    if config.settings:
        words += ["--settings", setting_text.text(config.settings)]
    if config.labels_per_class is not None:
        words += ["--labels-per-class", str(config.labels_per_class)]
    if config.input_size is not None:
        words += ["--input-size", str(config.input_size)]
    if config.augmentation != "crops":
        words += ["--augmentation", config.augmentation]
    if config.regularisation != "usual":
        words += ["--regularisation", config.regularisation]
    if config.rate_range is not None:
        words += ["--rate-range", *(str(rate) for rate in config.rate_range)]
    words += ["--device", config.device]
    return shlex.join(words)


def frozen_blocks(strategy: Strategy, backbone: str) -> list[str]:
    """Return the names of the blocks that a strategy's last stage freezes."""
    blocks = catalog()[backbone].blocks
    factors = block_factors(strategy.stages[-1], len(blocks))
    return [block.name for block, factor in zip(blocks, factors, strict=True) if factor is None]
