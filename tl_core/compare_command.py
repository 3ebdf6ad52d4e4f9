"""`compare` on the command line: options to a configuration, events to the store and the screen."""

import argparse
import json
import sys
from typing import Any, Final

from tl_core import own_job, weights, worker
from tl_core.command import NO_STRATEGY
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.device import device_report
from tl_core.document import document
from tl_core.estimate import Plan, counts_of, plan_of
from tl_core.events import ComparisonStarted
from tl_core.flags import Evidence, flags
from tl_core.range_test import findings
from tl_core.record import Record, add
from tl_core.request import Request, resolve
from tl_core.speeds import measured_speeds
from tl_core.store import Store
from tl_core.tables import rows
from tl_core.terminal import Bar, Reporter, raised, range_table, table
from tl_core.verdict import verdict
from tl_core.wording import duration

# Options that `Request` calls by the same name.
_SAME_NAME: Final = (
    *("data", "weights", "source_probe", "seeds", "budget", "steps", "learning_rate"),
    *("class_balance", "settings", "labels_per_class", "input_size", "augmentation"),
    *("regularisation", "device"),
)


def compare(options: argparse.Namespace) -> int:
    """Run a comparison in this process; return 0, or 1 if a run failed."""
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise NotPossible(f"There is no folder for {options.json}: make it, or write elsewhere.")
    with Bar(sys.stderr) as bar:
        config, found_data = resolve(request(options), bar.show)
        for dataset in found_data:
            for refused in dataset.refused:
                bar.say(f"left out: {refused.name}: {refused.reason}")
            for note in dataset.notes:
                bar.say(f"note: {note}")
        found = _execute(config, options.name or config.data.name, bar)
    measured = rows(found)
    tested = findings(found.ended.values())
    print(range_table(tested) if config.rate_range is not None else table(found, measured))
    said = verdict(found, measured)
    if said is not None:
        print(f"\n{said.text}")
    warnings = raised(flags(Evidence(found, measured)))
    if warnings and config.rate_range is None:
        print(f"\n{warnings}")
    if options.json is not None:
        options.json.write_text(json.dumps(document(found, measured), indent=1) + "\n")
    return 1 if found.failed else 0


def request(options: argparse.Namespace) -> Request:
    """Return what the options of `compare` ask for."""
    freeze = options.freeze
    if freeze is not None:
        freeze = () if freeze == "none" else tuple(freeze.split(","))
    asked: dict[str, Any] = {
        **{name: getattr(options, name) for name in _SAME_NAME},
        "backbone": options.backbone or weights.default_model(),
        "strategies": _strategies(options.strategies),
        "freeze": freeze,
        "mapping": options.class_map,
        "rate_range": tuple(options.rate_range) if options.rate_range else None,
    }
    return Request(**{name: value for name, value in asked.items() if value is not None})


def _plan(started: ComparisonStarted, store: Store, bar: Bar) -> Plan | None:
    """Say what the runs to come will take, as far as that can be known, and return the plan."""
    planned = plan_of(started.config, counts_of(started), device_report(), store.speeds())
    if planned is not None:
        runs = duration(round(sum(run.seconds for run in planned.runs)))
        bar.say("\n".join([f"training and measuring: about {runs}", *planned.notes]))
    return planned


def _execute(config: ComparisonConfig, name: str, bar: Bar) -> Record:
    """Run the comparison, draining its events through the store, so that History has it too."""
    store, found = Store(), Record()
    reporter = Reporter(bar, found)
    with own_job.executed(store, config, name) as job:
        for event in worker.compare(config, store.finished_run):
            add(found, event)
            if isinstance(event, ComparisonStarted):
                reporter.planned = _plan(event, store, bar)
            store.append(job, [event])
            reporter.tell(event)
            if store.cancel_requested(job):
                raise KeyboardInterrupt
    for key, value in measured_speeds(found).items():
        store.remember(key, value)
    return found


def _strategies(given: str | None) -> tuple[str, ...] | None:
    """Return the named strategies, none beside layers of one's own; None for the usual ones."""
    if given == NO_STRATEGY:
        return ()
    return tuple(given.split(",")) if given else None
