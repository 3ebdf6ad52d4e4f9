"""`sweep` on the command line: one comparison varied in one thing, a table over its points."""

import argparse
import json
import sys
from typing import Final

import msgspec

from tl_core import compare_command, own_job, worker
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.device import device_report
from tl_core.events import ComparisonStarted, Event, PointFailed, RunEnded, RunFailed
from tl_core.record import Record, record
from tl_core.report_command import find
from tl_core.request import resolve
from tl_core.store import Store
from tl_core.sweep import Sweep
from tl_core.sweep_document import sweep_document
from tl_core.sweep_estimate import sweep_seconds, whole_counts
from tl_core.sweep_points import SWEEPS, points
from tl_core.sweep_settings import settings_of
from tl_core.sweep_text import text
from tl_core.swept import Swept, add
from tl_core.terminal import Bar, Reporter
from tl_core.wording import duration

# What `--like` leaves as it is asked for: where it runs, what trials found, and other images.
_OF_THE_MACHINE: Final = ("device", "precision", "threads")
_SETTLED: Final = ("learning_rate", "settings", "rate_range")
_OF_THE_DATA: Final = ("data", "class_map", "weights_sha256")
# What an option that was given decides, whatever `--like` says.
_GIVEN: Final = {
    **{"strategies": "strategies", "freeze": "strategies", "class_map": "class_map"},
    **{"weights": "weights_sha256", "source_probe": "data"},
    **{name: name for name in ("seeds", "budget", "steps", "class_balance", "labels_per_class")},
    **{name: name for name in ("input_size", "augmentation", "regularisation")},
}


def sweep(options: argparse.Namespace) -> int:
    """Run a sweep in this process; return 0, or 1 if a run or a point failed."""
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise NotPossible(f"There is no folder for {options.json}: make it, or write elsewhere.")
    store = Store()
    with Bar(sys.stderr) as bar:
        wanted, base = _sweep(options, store, bar)
        title = options.name or f"{SWEEPS[wanted.name].title}: {base.data.name}"
        found = _execute(store, wanted, base, title, bar)
    print(text(found))
    if options.json is not None:
        options.json.write_text(json.dumps(sweep_document(found), indent=1) + "\n")
    return 1 if found.failed or any(one.failed for one in found.records.values()) else 0


def _sweep(options: argparse.Namespace, store: Store, bar: Bar) -> tuple[Sweep, ComparisonConfig]:
    """Return the sweep and the comparison that it varies."""
    like = None
    if options.like is not None:
        like = record(e for _, e in store.events(find(store, options.like).id))
        if like.started is None:
            raise NotPossible(f"The comparison '{options.like}' never started: name another one.")
    base, found_data = resolve(compare_command.request(options), bar.show)
    for dataset in found_data:
        for note in dataset.notes:
            bar.say(f"note: {note}")
    settings = None
    if like is not None and like.started is not None:
        given = {field for option, field in _GIVEN.items() if getattr(options, option) is not None}
        base = _like(base, like.started, given, chooses_model=options.backbone is not None)
        settings = settings_of(like)
    values = None if options.values is None else options.values.split(",")
    return points(options.what, base, values, settings), base


def _like(
    base: ComparisonConfig, started: ComparisonStarted, given: set[str], *, chooses_model: bool
) -> ComparisonConfig:
    """Return a comparison of these data that is like another one, its model too if they are its.

    `given`: fields that stay as they are asked for. Raises NotPossible where another model is asked
    for than the one whose rates were chosen.
    """
    of = started.config
    same = of.data.fingerprint == base.data.fingerprint
    if of.backbone != base.backbone and (chooses_model or not same):
        raise NotPossible(
            f"That comparison used {started.backbone_title}, and its rates are that model's: leave "
            f"out --like, or name the model: --backbone {of.backbone}."
        )
    kept = {*_OF_THE_MACHINE, *_SETTLED, *given, *(() if same else _OF_THE_DATA)}
    taken = {name: getattr(of, name) for name in of.__struct_fields__ if name not in kept}
    return msgspec.structs.replace(base, **taken)


def _execute(store: Store, wanted: Sweep, base: ComparisonConfig, name: str, bar: Bar) -> Swept:
    """Run the sweep, draining its events through the store, so that the app has it too."""
    found = Swept()
    request = {"sweep": msgspec.to_builtins(wanted)}
    seconds = sweep_seconds(wanted, whole_counts(base), device_report(), store.speeds())
    if seconds is not None:
        bar.say(f"all {len(wanted.points)} points: about {duration(round(seconds))}")
    with own_job.executed(store, base, name, kind="sweep", request=request) as job:
        headed: int | None = None
        for event in worker.sweep(wanted, store.finished_run):
            add(found, event)
            store.append(job, [event])
            headed = _tell(event, found, bar, headed)
            if store.cancel_requested(job):
                raise KeyboardInterrupt
    return found


def _tell(event: Event, found: Swept, bar: Bar, headed: int | None) -> int | None:
    """Show what an event means; `found` already contains it. Return `headed` anew.

    Lines of one point stand below its heading, `headed` is the point of the last heading: where
    runs go on side by side, those of two points may take turns.
    """
    is_line = isinstance(event, RunEnded | RunFailed | PointFailed)
    if is_line and found.sweep is not None and found.place != headed and found.place is not None:
        headed = found.place
        bar.say(f"{SWEEPS[found.sweep.name].axis}: {found.sweep.points[headed].label}")
    if isinstance(event, PointFailed):
        bar.say(f"not possible: {event.reason}")
    else:
        Reporter(bar, Record() if found.place is None else found.records[found.place]).tell(event)
    return headed
