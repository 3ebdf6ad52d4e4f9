"""Finished runs as a request names them: what is needed to have their models again."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tl_core.config import NotPossible, RunConfig
from tl_core.events import RunEnded


def named(ended: Iterable[RunEnded]) -> dict[str, Any]:
    """Return the part of a request that names finished runs, in plain values."""
    return {"runs": {run.run_id: msgspec.to_builtins(run.run) for run in ended}}


def runs_of(request: Mapping[str, Any]) -> dict[str, RunConfig]:
    """Return the runs that a request names, by id; raises NotPossible where it names none."""
    runs = msgspec.convert(request.get("runs", {}), dict[str, RunConfig])
    if not runs:
        raise NotPossible("Choose at least one strategy that has a result.")
    return runs
