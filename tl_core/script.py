"""The Python script that reproduces a comparison, from its configuration."""

from collections.abc import Iterator, Sequence

from tl_core import setting_text
from tl_core.catalog import Model, catalog
from tl_core.command import frozen_blocks
from tl_core.config import DRAWN, ComparisonConfig
from tl_core.labels import plain_label
from tl_core.strategies import STRATEGIES, Strategy, custom_strategy

_SHOWN = ["strategy", "test_accuracy", "ci_low", "ci_high", "tied_with_best", "forgetting_points"]


def script(config: ComparisonConfig, data: str | None = None) -> str:
    """Return a script that gives a comparison's numbers again with `tl_core.notebook.compare`.

    `data`: how to name the images to it, None for their place in this machine's data directory.
    Whatever lies there, the script refuses other images. What it cannot express it says in a
    comment.
    """
    row = catalog().get(config.backbone)
    given = data or f"dataset:{config.data.fingerprint[:16]}"
    lines = [
        '"""Gives the numbers of a comparison again: save it in the folder that holds tl_core."""',
        "",
        "from tl_core.notebook import compare",
        "",
        f"# {plain_label(config.data.name)}: a folder, a zip, a CSV, sample:NAME, or",
        "# dataset:FINGERPRINT of what this machine's data directory holds.",
        f"DATA = {given!r}",
        "",
        *_remarks(config, row),
        "result = compare(",
        *(f"    {argument}," for argument in _arguments(config, row)),
        ")",
        "print(result.verdict)",
        f"columns = {_SHOWN!r}",
        "print(result.table[columns].to_string(index=False))",
    ]
    return "\n".join(lines) + "\n"


def _remarks(config: ComparisonConfig, row: Model | None) -> Iterator[str]:
    """Yield comments: where weights come from, and what the call below leaves out."""
    if row is None:
        yield "# The model is not in this version's catalog: the call below will say so."
    elif row.weights.url:
        yield f"# Weights that are not here yet: `python -m tl_core download-weights {row.name}`,"
        yield "# or weights='FILE.safetensors' for a file of your own."
    for strategy in _inexpressible(config, row):
        yield f"# Left out, because this version has no such strategy: {strategy.title}."


def _arguments(config: ComparisonConfig, row: Model | None) -> Iterator[str]:
    """Yield the arguments of the call: all that the configuration decides."""
    yield "DATA"
    yield repr(config.backbone)
    yield f"data_fingerprint={config.data.fingerprint!r}"
    yield f"weights={f'sha256:{config.weights_sha256}'!r}"
    yield from _probe(config, row)
    names = [s.name for s in config.strategies if STRATEGIES.get(s.name) == s]
    yield f"strategies={names!r}"
    for strategy in config.strategies:
        if row is not None and _is_own(strategy, row):
            yield f"freeze={frozen_blocks(strategy, row.name)!r}"
    yield f"class_map={_listed(config.class_map)}"
    yield f"seeds={config.seeds}"
    yield f"budget={config.budget!r}"
    if config.steps is not None:
        yield f"steps={config.steps}"
    if config.learning_rate is not None:
        yield f"learning_rate={config.learning_rate!r}"
    if config.class_balance != "none":
        yield f"class_balance={config.class_balance!r}"
    if config.settings:
        yield f"settings={setting_text.plain(config.settings)!r}"
    if config.labels_per_class is not None:
        yield f"labels_per_class={config.labels_per_class}"
    if config.input_size is not None:
        yield f"input_size={config.input_size}"
    if config.augmentation != "crops":
        yield f"augmentation={config.augmentation!r}"
    if config.regularisation != "usual":
        yield f"regularisation={config.regularisation!r}"
    if config.rate_range is not None:
        yield f"rate_range={config.rate_range!r}"
    yield f"device={config.device!r}"
    yield f"precision={config.precision!r}"
    yield f"threads={config.threads}"


def _probe(config: ComparisonConfig, row: Model | None) -> Iterator[str]:
    """Yield what makes the same source probe: none, one that is drawn, or brought images."""
    probe = config.data.probe
    if probe is None:
        yield "source_probe='none'"
        return
    if not (probe.startswith(DRAWN) and row is not None and row.weights.drawn):
        yield f"source_probe={f'dataset:{probe[:16]}'!r}"
    yield f"probe_fingerprint={probe!r}"


def _inexpressible(config: ComparisonConfig, row: Model | None) -> list[Strategy]:
    return [
        strategy
        for strategy in config.strategies
        if STRATEGIES.get(strategy.name) != strategy and (row is None or not _is_own(strategy, row))
    ]


def _is_own(strategy: Strategy, row: Model) -> bool:
    """Return whether a strategy is the user's own choice of frozen blocks."""
    if strategy.name in STRATEGIES or not strategy.stages:
        return False
    frozen = frozen_blocks(strategy, row.name)
    return strategy == custom_strategy([block.name in frozen for block in row.blocks])


def _listed(mapping: dict[str, tuple[int, ...]]) -> str:
    """Return a class map as an expression, a class on each line."""
    if not mapping:
        return "{}"
    lines: Sequence[str] = [f"        {name!r}: {list(i)}," for name, i in mapping.items()]
    return "\n".join(["{", *lines, "    }"])
