"""The points of the sweep over models: the same comparison with each model that is here."""

from msgspec.structs import replace

from tl_core import catalog, class_map, datasets, source_images, weights
from tl_core.catalog import Model
from tl_core.config import DRAWN, ComparisonConfig, DataConfig, NotPossible
from tl_core.ingest import source_probe
from tl_core.strategies import STRATEGIES
from tl_core.sweep_axes import Axis, Values
from tl_core.sweep_settings import settled
from tl_core.wording import listed


def models(base: ComparisonConfig, row: Model, values: Values | None) -> Axis:
    """Return the comparison with every model whose weights are here, or with those named."""
    here = {file.model: file.sha256 for file in weights.local_models()}
    here |= {row.name: base.weights_sha256}
    rows, made = catalog.catalog(), Axis()
    wanted = list(rows) if values is None else [catalog.find(str(name)).name for name in values]
    for name in dict.fromkeys(wanted):
        if name in here:
            made.add(rows[name].title, None, _with_model(base, row, rows[name], here[name]))
    lacking = [rows[name].title for name in wanted if name not in here]
    if lacking:
        verb = "is" if len(lacking) == 1 else "are"
        made.notes.append(f"{listed(lacking)} {verb} left out: no weights on this machine.")
    if any(STRATEGIES.get(s.name) != s for s in base.strategies) and len(made.points) > 1:
        made.notes.append("Layers of your own belong to one model: other models are without them.")
    return made


def _with_model(
    base: ComparisonConfig, own: Model, row: Model, weights_sha256: str
) -> ComparisonConfig:
    """Return the comparison with another model: its own rates, probe and class map."""
    if row.name == own.name:
        return base
    strategies = tuple(s for s in base.strategies if STRATEGIES.get(s.name) == s)
    if not strategies:
        raise NotPossible("Layers of your own belong to one model. Add another strategy.")
    moved = replace(
        base,
        data=_data(base.data, row),
        backbone=row.name,
        weights_sha256=weights_sha256,
        strategies=strategies,
        class_map=_class_map(base, own, row),
        input_size=None,
        settings={},
    )
    return settled(moved, row)


def _class_map(base: ComparisonConfig, own: Model, row: Model) -> dict[str, tuple[int, ...]]:
    """Return the map of a model with the same source classes, else what class names suggest."""
    source = row.weights.source_classes
    if source == own.weights.source_classes:
        return base.class_map
    names = datasets.load(base.data.fingerprint).classes
    suggested = class_map.suggest(names, catalog.source_classes(source))
    return {name: found.indices for name, found in suggested.items() if found.indices}


def _data(data: DataConfig, row: Model) -> DataConfig:
    """Return the data with a source probe that this model can be measured on, or none."""
    if data.probe is None:
        return data
    brought = None if data.probe.startswith(DRAWN) else datasets.load(data.probe)
    if brought is not None and source_images.selected(brought, row).places:
        return data
    drawn = source_probe.probe_of(row) if brought is None else None
    return replace(data, probe=drawn, probe_name=source_probe.NAME if drawn else None)
