"""The events of a whole sweep, each of its points a scripted comparison."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from tests import scripted
from tests.scripted import Scenario
from tl_core.events import Event, PointStarted, SweepEnded, SweepStarted
from tl_core.store import Status, Store
from tl_core.sweep import Sweep, SweepName, SweepPoint

# What 2, 5, 10, 20 and all labels do to the accuracy of everything.
LABELS = {2.0: -0.34, 5.0: -0.2, 10.0: -0.1, 20.0: -0.04, 40.0: 0.0}


def sweep(
    scenario: Scenario, name: SweepName = "labels", shifts: dict[float, float] | None = None
) -> tuple[Sweep, list[Scenario]]:
    """Return a sweep whose points, by their value, shift all accuracies, with their scenarios."""
    parts = {value: replace(scenario, shift=by) for value, by in (shifts or LABELS).items()}
    base = scripted.config(scenario)
    points = tuple(
        SweepPoint(
            label=f"{value:g}",
            value=value,
            config=msgspec.structs.replace(base, labels_per_class=round(value)),
        )
        for value in parts
    )
    return Sweep(name=name, points=points), list(parts.values())


def events(made: Sweep, scenarios: Sequence[Scenario]) -> list[Event]:
    """Return the full list, first event to last."""
    found: list[Event] = [SweepStarted(sweep=made)]
    for place, scenario in enumerate(scenarios):
        found.append(PointStarted(place=place))
        for event in scripted.events(scenario):
            if event.__class__.__name__ == "ComparisonStarted":
                event = msgspec.structs.replace(event, config=made.points[place].config)
            found.append(event)
    return [*found, SweepEnded(seconds=12.0)]


def stored(
    store: Store,
    scenario: Scenario,
    status: Status = "done",
    most: int | None = None,
    first: dict[str, Any] | None = None,
) -> str:
    """Put a sweep over labels into a store, of its events the first `most`; return its job.

    `first`: what else the configuration of the first point says.
    """
    made, scenarios = sweep(scenario)
    point = made.points[0]
    config = msgspec.structs.replace(point.config, **(first or {}))
    points = (msgspec.structs.replace(point, config=config), *made.points[1:])
    made = msgspec.structs.replace(made, points=points)
    request = {"sweep": msgspec.to_builtins(made)}
    job = store.create(
        scripted.config(scenario),
        "Would more data help? Digits",
        queued=False,
        kind="sweep",
        request=request,
    )
    store.append(job, events(made, scenarios)[:most])
    if status in ("done", "failed", "cancelled"):
        store.finish(job, status)
    return job
