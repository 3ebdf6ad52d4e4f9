"""A finished run's model, ready to be used: what it left behind, or the run repeated."""

from collections.abc import Callable, Generator
from typing import Any

from tl_core import backbones, kept_models
from tl_core.adapted import Adapted, ClassMapHead, LinearHead
from tl_core.config import ComparisonConfig, NotPossible, RunConfig
from tl_core.events import EpochEnded, Progress, RunFailed
from tl_core.execution import Execution
from tl_core.forgetting import ready
from tl_core.kept_models import KeptModel
from tl_core.materials import Materials


def open_trained(
    materials: Materials, config: ComparisonConfig, run_id: str, run: RunConfig
) -> Generator[Progress, None, Adapted]:
    """Yield progress while a run is repeated, if its model was not kept; return the model.

    `config` is the comparison's, as it was resolved. Raises NotPossible if the run fails now.
    """
    row, changed = materials.row, {}
    head: LinearHead | ClassMapHead
    if run.strategy.solver == "none":
        sources = row.head_parameters // (row.feature_size + 1)
        head = ClassMapHead(config.class_map, materials.dataset.classes, sources)
    else:
        kept = kept_models.kept(run_id)
        if kept is None:
            kept = yield from _again(materials, config, run)
        head, changed = LinearHead(kept.weight, kept.bias), kept.changed
    state = materials.original.net.state_dict() | changed
    backbone = ready(backbones.build(row, state), materials.compute)
    return Adapted(backbone, head.to(materials.compute.device).eval())


def _again(
    materials: Materials, config: ComparisonConfig, run: RunConfig
) -> Generator[Progress, None, KeptModel]:
    runs = Execution(config, materials, lambda _: None, lambda _: None, _save_nothing)
    runs.micro_batch = run.micro_batch
    title = f"Training {run.strategy.title} again: its model was not kept"
    yield Progress(message=title, fraction=0.0)
    for event in runs.execute(run):
        if isinstance(event, RunFailed):
            raise NotPossible(event.reason)
        if isinstance(event, EpochEnded):
            yield Progress(message=title, fraction=event.step / max(run.steps, 1))
    kept = kept_models.kept(runs.identity(run))
    if kept is None:
        raise NotPossible(
            "There is no room to keep the trained model, or its training diverged. Make room on "
            "the disk of the data directory, or choose another strategy."
        )
    return kept


def _save_nothing(run_id: str, state: Callable[[], dict[str, Any]]) -> None:
    """A repeated run is short: it keeps no checkpoints."""
