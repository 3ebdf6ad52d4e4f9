"""`predict`, `export`, `interpolate` on the command line: a finished comparison's model in use."""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from tl_core import cache, finished_runs, ingest, interpolated, unsure
from tl_core.answer_text import text
from tl_core.answers import Export, Prediction
from tl_core.ask_command import answered
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.csv_export import csv_text
from tl_core.events import RunEnded
from tl_core.predicted import predicted_frame
from tl_core.record import Record, record
from tl_core.report_command import find
from tl_core.store import Store
from tl_core.tables import rows
from tl_core.terminal import Bar
from tl_core.verdict import verdict
from tl_core.wording import number_of


def predict(options: argparse.Namespace) -> int:
    """Predict unlabelled images with a finished run's model; write one line an image; return 0."""
    if not options.csv.absolute().parent.is_dir():
        raise NotPossible(f"There is no folder for {options.csv}: make it, or write elsewhere.")
    with Bar(sys.stderr) as bar:
        config, run = _chosen(options)
        brought = ingest.ingest_path(options.images, kind="unlabelled", progress=bar.show)
        request = {**finished_runs.named([run]), "unlabelled": brought.fingerprint}
        found = answered("predict", config, request, bar)
    assert isinstance(found, Prediction)
    limit = unsure.threshold(run)
    table = predicted_frame(found, limit.value if limit else None)
    options.csv.write_text(csv_text(table), encoding="utf-8", newline="\n")
    print(text(found))
    print(f"{number_of(int(table['unsure'].sum()), 'image')} unsure. Written: {options.csv}")
    names = ", ".join(found.images[i] for i in found.worth_labelling)
    print(f"Most worth labelling: {names}")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a finished run's model into a folder, held against the app; return 0."""
    with Bar(sys.stderr) as bar:
        config, run = _chosen(options)
        found = answered("export", config, finished_runs.named([run]), bar)
    assert isinstance(found, Export)
    _copy(found, options.to)
    print(text(found))
    print(f"Written: {', '.join(str(options.to / file) for file in found.files)}")
    return 0


def interpolate(options: argparse.Namespace) -> int:
    """Measure the models between the linear probe and a finished run's model; return 0."""
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise NotPossible(f"There is no folder for {options.json}: make it, or write elsewhere.")
    with Bar(sys.stderr) as bar:
        config, run = _chosen(options, _between)
        request = finished_runs.named([run])
        if options.norm_statistics:
            request["norm_statistics"] = True
        found = answered("interpolate", config, request, bar)
    print(text(found))
    if options.json is not None:
        options.json.write_text(json.dumps(msgspec.to_builtins(found), indent=1) + "\n")
    return 0


def _copy(found: Export, target: Path) -> None:
    source = cache.entry("exports", found.entry)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file in found.files:
            shutil.copyfile(source / file, target / file)
    except OSError as error:
        raise NotPossible(f"{target} cannot be written ({error.strerror}).") from error


def _chosen(
    options: argparse.Namespace, default: Callable[[Record], str | None] | None = None
) -> tuple[ComparisonConfig, RunEnded]:
    """Return a comparison's configuration and the run that is asked for, or the default one.

    That is of the recommended strategy unless `default` names another.
    """
    store = Store()
    job = find(store, options.run)
    found = record(event for _, event in store.events(job.id))
    if found.started is None:
        raise NotPossible(f"The comparison '{job.name}' has not measured anything yet.")
    name = options.strategy or (default or _recommended)(found)
    runs = found.final(name) if name else {}
    if options.seed - 1 not in runs:
        known = ", ".join(s.name for s in found.strategies if found.final(s.name))
        raise NotPossible(
            f"There is no finished run of '{name}' with seed {options.seed}. Strategies with a "
            f"result: {known or 'none'}; seeds: 1 to {found.started.config.seeds}."
        )
    return found.started.config, runs[options.seed - 1]


def _recommended(found: Record) -> str | None:
    said = verdict(found, rows(found))
    return said.recommended if said else None


def _between(found: Record) -> str | None:
    names = interpolated.candidates(found)
    if not names:
        raise NotPossible("No strategy of this comparison fine-tunes and has a result.")
    return interpolated.first_choice(names, rows(found))
