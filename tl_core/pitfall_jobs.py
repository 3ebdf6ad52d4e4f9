"""What a small experiment asks the queue for, and the commands that ask the same."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from tl_core import catalog, class_map
from tl_core.catalog import Model
from tl_core.config import ComparisonConfig
from tl_core.datasets import Dataset
from tl_core.pitfalls import Asked, Preset
from tl_core.request import data_config
from tl_core.sameness import identity
from tl_core.strategies import STRATEGIES


class Experiment(Protocol):
    """What pitfalls and lessons have in common: what runs, on which sample set."""

    @property
    def sample(self) -> str:
        """The sample set's name."""

    @property
    def experiment(self) -> tuple[Preset | Asked, ...]:
        """The parts, in order."""

    @property
    def source_images(self) -> bool:
        """Whether source images are drawn for it."""


@dataclass(frozen=True)
class PitfallJob:
    """One part of an experiment, as the store keeps jobs."""

    kind: str
    config: ComparisonConfig
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def same(self) -> str:
        """What decides its result on one machine, as a hash: equal for equal jobs."""
        return identity(self.kind, self.config, self.request)


def jobs(wanted: Experiment, data: Dataset, row: Model, weights_sha256: str) -> list[PitfallJob]:
    """Return the parts of an experiment on some images, in order."""
    source = data_config(data, None, row, draws=wanted.source_images)
    plain = ComparisonConfig(
        data=source, backbone=row.name, weights_sha256=weights_sha256, strategies=()
    )
    return [
        PitfallJob(part.kind, plain, dict(part.request))
        if isinstance(part, Asked)
        else PitfallJob("compare", _comparison(part, plain, data, row))
        for part in wanted.experiment
    ]


def _comparison(
    part: Preset, plain: ComparisonConfig, data: Dataset, row: Model
) -> ComparisonConfig:
    classes = catalog.source_classes(row.weights.source_classes)
    mapped = class_map.suggest(data.classes, classes) if "zero_shot" in part.strategies else {}
    return msgspec.structs.replace(
        plain,
        strategies=tuple(STRATEGIES[name] for name in part.strategies),
        class_map={name: found.indices for name, found in mapped.items() if found.indices},
        seeds=part.seeds,
        steps=part.steps,
        learning_rate=part.learning_rate,
        class_balance=part.class_balance,
    )


def commands(wanted: Experiment) -> list[str]:
    """Return the command lines that run the experiment on its sample set."""
    return [_command(wanted, part) for part in wanted.experiment]


def _command(wanted: Experiment, part: Preset | Asked) -> str:
    kind = "compare" if isinstance(part, Preset) else part.kind
    words = ["python", "-m", "tl_core", kind, f"sample:{wanted.sample}"]
    if isinstance(part, Asked):
        for name, values in part.request.items():
            words += [f"--{name}", ",".join(values)]
    else:
        words += ["--strategies", ",".join(part.strategies)]
        if part.seeds > 1:
            words += ["--seeds", str(part.seeds)]
        if part.steps is not None:
            words += ["--steps", str(part.steps)]
        if part.learning_rate is not None:
            words += ["--learning-rate", f"{part.learning_rate:g}"]
        if part.class_balance != "none":
            words += ["--class-balance", part.class_balance]
    if not wanted.source_images:
        words += ["--source-probe", "none"]
    return shlex.join(words)
