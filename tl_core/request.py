"""What a person asks for, in names and paths, made into a configuration."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tl_core import catalog, class_map, datasets, ingest, setting_text, unusual, weights
from tl_core.catalog import Model
from tl_core.config import (
    Augmentation,
    BudgetName,
    ClassBalance,
    ComparisonConfig,
    DataConfig,
    NotPossible,
    Regularisation,
)
from tl_core.datasets import Dataset
from tl_core.ingest import source_probe
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES, Strategy, custom_strategy
from tl_core.weights import WeightsFile

# In the place of a source probe: measure no forgetting.
NO_PROBE = "none"
MOST_STEPS = 100_000
PRECISIONS = ("auto", "float32", "bf16")

Report = Callable[[str, float | None], None]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison in the words of the command line.

    `data` and `source_probe`: a folder, zip, CSV, `sample:NAME` or `dataset:FINGERPRINT`. Without a
    source probe the model's own images are drawn, if its source task can be; `none` is no probe.
    `weights`: a file, `sha256:PREFIX` of a kept one, or None for one that is here or torchvision's.
    `freeze`: names of blocks that a strategy of one's own freezes, None for no such strategy.
    `steps` and `learning_rate`: instead of the budget's and the model's, for all that train.
    `input_size`, `augmentation`, `regularisation`, `rate_range`: as in `config.ComparisonConfig`.
    `mapping`: target class to source class indices as JSON text or a file of it, None to suggest.
    `settings`: of strategies whose trials are over, by name, as JSON text or a file of it.
    `labels_per_class`: so many training images of each class, None for all.
    `precision` and `threads`: what a comparison was resolved to, to repeat it on any machine.
    `data_fingerprint` and `probe_fingerprint`: what `data` and `source_probe` have to be; other
    images are refused.
    """

    data: str
    backbone: str
    weights: str | None = None
    source_probe: str | None = None
    strategies: tuple[str, ...] = TEXTBOOK_STRATEGIES
    freeze: tuple[str, ...] | None = None
    mapping: str | None = None
    seeds: int = 1
    budget: BudgetName = "quick"
    steps: int | None = None
    learning_rate: float | None = None
    class_balance: ClassBalance = "none"
    settings: str | None = None
    labels_per_class: int | None = None
    input_size: int | None = None
    augmentation: Augmentation = "crops"
    regularisation: Regularisation = "usual"
    rate_range: tuple[float, float] | None = None
    device: str = "auto"
    precision: str = "auto"
    threads: int = 0
    data_fingerprint: str | None = None
    probe_fingerprint: str | None = None


def resolve(request: Request, report: Report) -> tuple[ComparisonConfig, list[Dataset]]:
    """Return the configuration and the data sets that were brought, the source probe second.

    Raises BadInput, BadWeights or NotPossible with a sentence for the user. What is cheap to check
    is checked before anything is read.
    """
    row = catalog.find(request.backbone)
    if not 1 <= request.seeds <= 20:
        raise NotPossible("The number of seeds is from 1 to 20.")
    if request.steps is not None and not 1 <= request.steps <= MOST_STEPS:
        raise NotPossible(f"The number of steps is from 1 to {MOST_STEPS:,}.")
    if request.learning_rate is not None and not 0 < request.learning_rate <= 1:
        raise NotPossible("The learning rate is a number above 0, at most 1.")
    if request.labels_per_class is not None and request.labels_per_class < 2:
        raise NotPossible("Training needs 2 labelled images of each class at least.")
    if request.precision not in PRECISIONS:
        raise NotPossible(f"The precision is one of {', '.join(PRECISIONS)}.")
    strategies = _strategies(request, row)
    settings = {} if request.settings is None else setting_text.read(request.settings, strategies)
    unusual.check(row, strategies, request, request.learning_rate)
    file = _weights(request.weights, row, report)
    target = _data(request.data, "target", report)
    _refuse_others(request.data, target.fingerprint, request.data_fingerprint)
    given = request.source_probe
    probe = _data(given, "probe", report) if given and given != NO_PROBE else None
    data = data_config(target, probe, row, draws=given is None)
    _refuse_others(given or "The source probe", data.probe, request.probe_fingerprint)
    config = ComparisonConfig(
        data=data,
        backbone=row.name,
        weights_sha256=file.sha256,
        strategies=strategies,
        class_map=_class_map(request.mapping, target, row),
        seeds=request.seeds,
        budget=request.budget,
        steps=request.steps,
        learning_rate=request.learning_rate,
        class_balance=request.class_balance,
        settings=settings,
        labels_per_class=request.labels_per_class,
        input_size=request.input_size,
        augmentation=request.augmentation,
        regularisation=request.regularisation,
        rate_range=request.rate_range,
        device=request.device,
        precision=request.precision,
        threads=request.threads,
    )
    return config, [target, *([probe] if probe else [])]


def data_config(
    target: Dataset, probe: Dataset | None, row: Model, *, draws: bool = True
) -> DataConfig:
    """Return the data of a comparison; without a probe the model's own, if `draws` and it can."""
    drawn = source_probe.probe_of(row) if draws else None
    name = source_probe.NAME if drawn else None
    return DataConfig(
        fingerprint=target.fingerprint,
        name=target.name,
        probe=probe.fingerprint if probe else drawn,
        probe_name=probe.name if probe else name,
    )


def _refuse_others(given: str, found: str | None, wanted: str | None) -> None:
    """Raise NotPossible where a comparison is to be repeated and these are not its images."""
    if wanted is None or found == wanted:
        return
    raise NotPossible(
        f"{given} holds other images than the comparison had (fingerprint "
        f"{(found or 'none')[:16]}, not {wanted[:16]}): its numbers would be others. Give the same "
        "images, or leave the fingerprint out to compare these."
    )


def _strategies(request: Request, row: Model) -> tuple[Strategy, ...]:
    unknown = [name for name in request.strategies if name not in STRATEGIES]
    if unknown:
        raise NotPossible(
            f"There is no strategy '{unknown[0]}'. Strategies: {', '.join(STRATEGIES)}."
        )
    chosen = [STRATEGIES[name] for name in dict.fromkeys(request.strategies)]
    if request.freeze is not None:
        chosen.append(_own_strategy(request.freeze, row))
    if not chosen:
        raise NotPossible("Name at least one strategy, or the blocks that one of your own freezes.")
    return tuple(chosen)


def _own_strategy(wanted: Sequence[str], row: Model) -> Strategy:
    names = [block.name for block in row.blocks]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise NotPossible(
            f"{row.title} has no block '{unknown[0]}'. Blocks, input to output: {', '.join(names)}."
        )
    return custom_strategy([name in wanted for name in names])


def _weights(given: str | None, row: Model, report: Report) -> WeightsFile:
    """Return the file that was named, else one that is here, else torchvision's download."""
    if given and given.startswith("sha256:"):
        found = weights.find(given.removeprefix("sha256:"))
        if found is None or found.model != row.name:
            raise NotPossible(f"No kept weights file of {row.title} has the SHA-256 {given[7:]}….")
        return found
    if given:
        path = Path(given)
        if not path.is_file():
            raise NotPossible(f"There is no weights file {given}.")
        return weights.add(row, path, name=path.name)
    here = weights.available(row.name)
    if here:
        return here[0]
    return weights.download(row, lambda share: report(f"Downloading {row.title}", share))


def _data(given: str, kind: Any, report: Report) -> Dataset:
    if given.startswith("dataset:"):
        return datasets.load(given.removeprefix("dataset:"))
    return ingest.ingest_path(given, kind=kind, progress=report)


def _class_map(given: str | None, dataset: Dataset, row: Model) -> dict[str, tuple[int, ...]]:
    """Return the map that was given, else the one that the class names suggest."""
    classes = catalog.source_classes(row.weights.source_classes)
    if given is None:
        suggested = class_map.suggest(dataset.classes, classes)
        return {name: found.indices for name, found in suggested.items() if found.indices}
    text = given if given.lstrip().startswith("{") else _read(given)
    try:
        result = {
            name: tuple(int(index) for index in indices)
            for name, indices in json.loads(text).items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise NotPossible(
            'The class map is not JSON of the form {"my class": [source class index, …]}.'
        ) from error
    unknown = sorted(set(result) - set(dataset.classes))
    if unknown:
        raise NotPossible(f"The class map names a class that the data do not have: {unknown[0]}.")
    wrong = [i for indices in result.values() for i in indices if not 0 <= i < len(classes)]
    if wrong:
        raise NotPossible(
            f"The class map names source class {wrong[0]}; there are 0 to {len(classes) - 1}."
        )
    return result


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotPossible(f"The class map {path} cannot be read.") from error
