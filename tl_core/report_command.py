"""`report` on the command line: a comparison that was made, as files to take away."""

import argparse
import json

from tl_core import columns, evidence, report
from tl_core.config import NotPossible
from tl_core.csv_export import csv_text
from tl_core.document import document
from tl_core.prediction_table import prediction_frame
from tl_core.report import Subject
from tl_core.script import script
from tl_core.store import Comparison, Store

LATEST = "latest"


def write(options: argparse.Namespace) -> int:
    """Write what is asked for of one comparison; return 0.

    Raises NotPossible where there is no such comparison, or nothing is asked for.
    """
    wanted = {kind: path for kind in _FILES if (path := getattr(options, kind)) is not None}
    if not wanted:
        raise NotPossible(f"Say what to write: {', '.join(f'--{kind} FILE' for kind in _FILES)}.")
    for path in wanted.values():
        if not path.absolute().parent.is_dir():
            raise NotPossible(f"There is no folder for {path}: make it, or write elsewhere.")
    store = Store()
    of = report.of_job(store, find(store, options.run))
    for kind, path in wanted.items():
        content = _FILES[kind](of)
        try:
            path.write_text(content, encoding="utf-8", newline="\n")
        except OSError as error:
            raise NotPossible(f"{path} cannot be written ({error.strerror}).") from error
        print(f"Written: {path}")
    return 0


def find(store: Store, run: str) -> Comparison:
    """Return the comparison of an id, the only one whose id begins so, or the `latest`.

    Raises NotPossible where there is none, or several.
    """
    if run == LATEST:
        latest = next((job for job in store.list(kind="compare") if not job.active), None)
        if latest is None:
            raise NotPossible("No comparison has ended yet: `compare` makes one.")
        return latest
    found = store.beginning(run, kind="compare")
    if not found:
        raise NotPossible(
            f"There is no comparison '{run[:40]}'. Give the id in its address in the app, its "
            f"first letters, or '{LATEST}'."
        )
    if len(found) > 1:
        raise NotPossible(f"Several comparisons begin with '{run}'. Give more of the id.")
    return found[0]


def _json(of: Subject) -> str:
    return json.dumps(document(of.found, of.rows), indent=1) + "\n"


def _csv(of: Subject) -> str:
    return csv_text(columns.export_frame(of.found, of.rows))


def _predictions(of: Subject) -> str:
    data = evidence.data_of(of.started.config)
    names = [image.name for image in data.images] if data is not None else None
    return csv_text(prediction_frame(of.found, names))


def _script(of: Subject) -> str:
    return script(of.started.config, of.data)


_FILES = {
    "out": report.html,
    "csv": _csv,
    "json": _json,
    "predictions": _predictions,
    "script": _script,
}
