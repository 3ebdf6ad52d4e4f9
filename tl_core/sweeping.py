"""A sweep: the comparison of each of its points, one after another, as one stream of events."""

import time
from collections.abc import Generator, Iterator

import msgspec

from tl_core.config import ComparisonConfig, NotPossible
from tl_core.earlier import Finished
from tl_core.events import Event, PointFailed, PointStarted, Progress, SweepEnded, SweepStarted
from tl_core.execution import LoadState
from tl_core.experiment import run_comparison
from tl_core.limits import BadInput
from tl_core.materials import Materials, open_materials
from tl_core.questions import ask
from tl_core.runs import SaveState
from tl_core.sweep import Sweep
from tl_core.weights import BadWeights


def run_sweep(
    sweep: Sweep,
    finished: Finished,
    load_state: LoadState,
    save_state: SaveState,
    halvings: int = 0,
    in_company: bool = False,
) -> Iterator[Event]:
    """Yield the events of a sweep: `PointStarted` and a whole comparison for each of its points.

    `finished`, `load_state`, `save_state` and `halvings` as in `run_comparison`: what an earlier
    point, or the same sweep before it was stopped, has finished is taken over. Where models are
    compared, their scores come first. Training from scratch runs at its extended steps alone, which
    is what its curve shows. A point that cannot be compared yields `PointFailed`, and the sweep
    goes on. `in_company`: other processes execute runs of it too.
    """
    started = time.perf_counter()
    yield SweepStarted(sweep=sweep)
    if sweep.name == "model":
        yield from _ranking(sweep)
    opener = _Opener()
    for place, point in enumerate(sweep.points):
        yield PointStarted(place=place)
        try:
            yield from run_comparison(
                point.config,
                finished,
                load_state,
                save_state,
                opener.open,
                equal_steps=False,
                halvings=halvings,
                longest_first=in_company and place == len(sweep.points) - 1,
            )
        except (NotPossible, BadInput, BadWeights) as error:
            yield PointFailed(place=place, reason=str(error))
    yield SweepEnded(seconds=time.perf_counter() - started)


class _Opener:
    """Opens materials, and once only for points in a row that work with the same.

    A sweep that is continued goes through its finished points in no time then.
    """

    def __init__(self) -> None:
        self._of: tuple[ComparisonConfig, set[str]] | None = None
        self._materials: Materials | None = None

    def open(self, config: ComparisonConfig) -> Generator[Progress, None, Materials]:
        """Return the materials of a comparison; raises as `open_materials` does."""
        wanted = _materials_of(config)
        if self._materials is None or wanted != self._of:
            self._of = self._materials = None  # two models at a time may be too many
            self._materials = yield from open_materials(config)
            self._of = wanted
        return self._materials


def _materials_of(config: ComparisonConfig) -> tuple[ComparisonConfig, set[str]]:
    """Return what decides a comparison's materials, and some that does not.

    Of strategies that is what their penalties need of source images.
    """
    same = msgspec.structs.replace(
        config, strategies=(), settings={}, steps=None, learning_rate=None, labels_per_class=None
    )
    return same, {strategy.penalty for strategy in config.strategies}


def _ranking(sweep: Sweep) -> Iterator[Event]:
    """Yield the scores of the sweep's models, before any of them is trained."""
    weights = [point.config.weights_sha256 for point in sweep.points]
    yield from ask("rank", sweep.points[0].config, {"models": weights})
