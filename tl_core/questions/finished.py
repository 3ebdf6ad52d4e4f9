"""Models of finished runs, for the questions that are about them."""

from collections.abc import Generator, Mapping

import msgspec

from tl_core.adapted import Adapted
from tl_core.config import ComparisonConfig, RunConfig
from tl_core.events import Progress
from tl_core.materials import Materials, open_materials
from tl_core.strategies import learns_from_source
from tl_core.trained import open_trained


def open_models(
    config: ComparisonConfig, runs: Mapping[str, RunConfig]
) -> Generator[Progress, None, tuple[Materials, dict[str, Adapted]]]:
    """Yield progress; return the comparison's materials, and the models.

    Without source images, unless a run learnt from them and may have to be repeated.
    """
    if not any(learns_from_source(run.strategy) for run in runs.values()):
        data = msgspec.structs.replace(config.data, probe=None, probe_name=None)
        config = msgspec.structs.replace(config, data=data)
    materials = yield from open_materials(config)
    models = {}
    for run_id, run in runs.items():
        models[run_id] = yield from open_trained(materials, config, run_id, run)
    return materials, models
