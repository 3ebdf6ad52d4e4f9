"""`rank`, `check`, `stress` and `shift` on the command line: a question, its answer as a table."""

import argparse
import json
import sys
from typing import Any

import msgspec

from tl_core import ingest, own_job, questions, weights
from tl_core.answer_text import text
from tl_core.answers import AnyAnswer, Question
from tl_core.config import ComparisonConfig, NotPossible
from tl_core.events import Answered, Progress
from tl_core.request import Request, resolve
from tl_core.store import Store
from tl_core.terminal import Bar
from tl_core.transferability import SCORES


def ask(options: argparse.Namespace) -> int:
    """Answer a question in this process, keep the answer in the store and print it; return 0."""
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise NotPossible(f"There is no folder for {options.json}: make it, or write elsewhere.")
    with Bar(sys.stderr) as bar:
        config, _ = resolve(_request(options), bar.show)
        answer = answered(options.command, config, _beside(options, bar), bar)
    print(text(answer))
    if options.json is not None:
        options.json.write_text(json.dumps(msgspec.to_builtins(answer), indent=1) + "\n")
    return 0


def _request(options: argparse.Namespace) -> Request:
    given = vars(options)
    return Request(
        data=options.data,
        backbone=given.get("backbone") or weights.default_model(),
        weights=given.get("weights"),
        source_probe=given.get("source_probe"),
        mapping=given.get("class_map"),
        device=options.device,
    )


def _beside(options: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Return what the question needs beside data and model."""
    if options.command == "rank":
        return {"scores": list(SCORES)} if options.all_scores else {}
    if options.command == "stress":
        return {"variants": options.variants.split(",")} if options.variants else {}
    if options.command == "shift":
        brought = ingest.ingest_path(options.unlabelled, kind="unlabelled", progress=bar.show)
        return {"unlabelled": brought.fingerprint}
    return {}


def answered(
    kind: Question, config: ComparisonConfig, request: dict[str, Any], bar: Bar
) -> AnyAnswer:
    """Answer a question in this process, kept in the store as a job of its own."""
    store, found = Store(), None
    with own_job.executed(store, config, config.data.name, kind=kind, request=request) as job:
        for event in questions.ask(kind, config, request):
            store.append(job, [event])
            if isinstance(event, Progress):
                bar.show(event.message, event.fraction)
            if isinstance(event, Answered):
                found = event.answer
    assert found is not None
    return found
