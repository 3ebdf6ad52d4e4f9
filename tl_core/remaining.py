"""How long a running comparison still takes: the plan, corrected by what runs really took."""

from tl_core.config import RunKind
from tl_core.estimate import ExpectedRun, Plan
from tl_core.record import Record


def remaining_seconds(planned: Plan, found: Record) -> float:
    """Return the seconds still to go, the plan corrected by what finished runs really took.

    Needs no clock: a job that waited, was cancelled and continued counts only its own work.
    """
    if found.started is None:
        return planned.seconds
    left = list(planned.runs)
    expected = measured = 0.0
    for run_id, ended in found.ended.items():
        run = _take(left, ended.run.strategy.name, ended.run.seed, ended.run.kind)
        started = found.runs.get(run_id)
        if run is not None and started is not None and not started.reused:
            expected += run.seconds
            measured += ended.seconds or ended.result.train_seconds
    for failed in found.failed.values():
        _take(left, failed.run.strategy.name, failed.run.seed, failed.run.kind)
    open_run = current(found)
    done = 0.0
    if open_run is not None:
        curve = found.curves.get(open_run, {})
        started_run = found.runs[open_run].run
        share = max(curve, default=0) / max(started_run.steps, 1)
        wanted = (started_run.strategy.name, started_run.seed, started_run.kind)
        done = next((r.seconds for r in left if _names(r) == wanted), 0.0) * share
        if curve:
            expected += done
            measured += curve[max(curve)].seconds
    # The plan counts as much as a third of its own time: one short run must not overrule it.
    trust = planned.seconds / 3
    ratio = (measured + trust) / (expected + trust)
    return max(0.0, ratio * (sum(run.seconds for run in left) - done))


def current(found: Record) -> str | None:
    """Return the id of the run that was started last of those that have not ended."""
    over = found.ended.keys() | found.failed.keys()
    return next((run_id for run_id in reversed(found.runs) if run_id not in over), None)


def _take(left: list[ExpectedRun], strategy: str, seed: int, kind: RunKind) -> ExpectedRun | None:
    for place, run in enumerate(left):
        if _names(run) == (strategy, seed, kind):
            return left.pop(place)
    return None


def _names(run: ExpectedRun) -> tuple[str, int, str]:
    return run.strategy, run.seed, run.kind
