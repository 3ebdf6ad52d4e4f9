"""What a job of the queue still takes: by its plan, else as jobs of its kind took before."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tl_core import owners, sweep_estimate
from tl_core.config import ComparisonConfig
from tl_core.estimate import Counts, plan_of
from tl_core.limits import BadInput
from tl_core.store import Comparison
from tl_core.sweep import Sweep


class Planned(msgspec.Struct, frozen=True):
    """Seconds of a whole job, None where nobody knows; `run`: of one of its trainings."""

    seconds: float | None
    run: float = 0.0


UNKNOWN = Planned(None)


def planned(
    job: Comparison, device: Mapping[str, Any] | None, measured: Mapping[str, float]
) -> Planned:
    """Return what a comparison or a sweep is expected to take; other kinds have no plan.

    Reads the owner's data for their numbers of images. `device`, `measured`: as in `plan_of`.
    """
    if job.config is None or job.kind not in ("compare", "sweep"):
        return UNKNOWN
    try:
        with owners.acting(job.owner):
            counts = sweep_estimate.whole_counts(job.config)
            if job.kind == "compare":
                return _compared(job.config, counts, device, measured)
            sweep = msgspec.convert(job.request["sweep"], Sweep)
            run = _compared(sweep.points[0].config, counts, device, measured).run
            return Planned(sweep_estimate.sweep_seconds(sweep, counts, device, measured), run)
    except (BadInput, KeyError, msgspec.ValidationError, owners.NoOwner):
        return UNKNOWN


def _compared(
    config: ComparisonConfig,
    counts: Counts,
    device: Mapping[str, Any] | None,
    measured: Mapping[str, float],
) -> Planned:
    plan = plan_of(config, counts, device, measured)
    if plan is None or not plan.runs:
        return UNKNOWN
    return Planned(plan.seconds, statistics.fmean(run.seconds for run in plan.runs))


def of_kind(finished: Sequence[Comparison]) -> Planned:
    """Return what jobs of a kind usually take: the median of those that are done."""
    took = [job.seconds for job in finished if job.status == "done"]
    return Planned(statistics.median(took)) if took else UNKNOWN
