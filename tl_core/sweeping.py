"""A sweep: the comparison of each of its points, one after another, as one stream of events."""

import time
from collections.abc import Iterator

from tl_core.config import NotPossible
from tl_core.datasets.limits import BadInput
from tl_core.events import Event, PointFailed, PointStarted, SweepEnded, SweepStarted
from tl_core.execution import Finished, LoadState
from tl_core.experiment import run_comparison
from tl_core.questions import ask
from tl_core.runs import SaveState
from tl_core.sweep import Sweep
from tl_core.weights import BadWeights


def run_sweep(
    sweep: Sweep, finished: Finished, load_state: LoadState, save_state: SaveState
) -> Iterator[Event]:
    """Yield the events of a sweep: `PointStarted` and a whole comparison for each of its points.

    `finished`, `load_state` and `save_state` as in `run_comparison`: what an earlier point, or the
    same sweep before it was stopped, has finished is taken over. Where models are compared, their
    scores come first. A point that cannot be compared yields `PointFailed`, and the sweep goes on.
    """
    started = time.perf_counter()
    yield SweepStarted(sweep=sweep)
    if sweep.name == "model":
        yield from _ranking(sweep)
    for place, point in enumerate(sweep.points):
        yield PointStarted(place=place)
        try:
            yield from run_comparison(point.config, finished, load_state, save_state)
        except (NotPossible, BadInput, BadWeights) as error:
            yield PointFailed(place=place, reason=str(error))
    yield SweepEnded(seconds=time.perf_counter() - started)


def _ranking(sweep: Sweep) -> Iterator[Event]:
    """Yield the scores of the sweep's models, before any of them is trained."""
    weights = [point.config.weights_sha256 for point in sweep.points]
    yield from ask("rank", sweep.points[0].config, {"models": weights})
