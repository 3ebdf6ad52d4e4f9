"""`record` on the command line: a sample's default comparison, run from nothing, kept as a file."""

import argparse
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tl_core import catalog, recording, weights, worker
from tl_core.config import DRAWN, NotPossible
from tl_core.events import ComparisonStarted, Progress
from tl_core.home import empty_home
from tl_core.ingest import SAMPLE_PREFIX, SAMPLES, source_probe
from tl_core.record import Record, add
from tl_core.recording import Facts, Moment, Recording
from tl_core.request import Report, Request, resolve
from tl_core.tables import rows
from tl_core.terminal import Bar, Reporter, table


def record(options: argparse.Namespace) -> int:
    """Record the samples that are asked for; return 0, or 1 if a run failed: nothing is kept then.

    Raises NotPossible for samples that there are not.
    """
    names = list(SAMPLES) if options.all else [_name(given) for given in options.samples]
    if not names:
        raise NotPossible(f"Name a sample ({_listed()}), or give --all.")
    folder = options.into or recording.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    commit = code_version()
    with Bar(sys.stderr) as bar:
        for name in names:
            made = make(name, default_request(name), commit, bar)
            found = made.found()
            bar.clear()
            print(table(found, rows(found)))
            if found.failed:
                bar.say(f"{name}: not every run could be finished, so nothing is kept")
                return 1
            path = recording.path_of(name, folder)
            recording.write(made, path)
            size = path.stat().st_size
            print(f"{path.name}: {made.label}, {made.seconds:.0f} s, {size:,} bytes\n")
    return 0


def default_request(sample: str) -> Request:
    """Return what `compare sample:NAME` asks for with nothing else, which is the app's default."""
    return Request(data=f"{SAMPLE_PREFIX}{sample}", backbone=weights.default_model())


def configuration(request: Request, report: Report = lambda *_: None) -> str:
    """Return the hash by which a recording of this request is told from one of another day."""
    return recording.configuration_hash(*resolve(request, report))


def make(sample: str, request: Request, commit: str, bar: Bar) -> Recording:
    """Run a comparison in an empty data directory and return its recording.

    Empty, so that nothing is taken over from earlier runs and every second is one that a first
    visitor waits too.
    """
    # As in the app, which loads torch and draws source images before a comparison comes.
    import tl_core.checkpoints
    import tl_core.experiment  # noqa: F401

    with empty_home():
        config, data = resolve(request, bar.show)
        if config.data.probe is not None and config.data.probe.startswith(DRAWN):
            bar.show(f"Drawing {source_probe.COUNT:,} source images", None)
            source_probe.drawn(catalog.find(config.backbone))
        found, moments = Record(), list[Moment]()
        reporter = Reporter(bar, found)
        begun = time.perf_counter()
        for event in worker.compare(config, lambda run_id: None):
            at = round(time.perf_counter() - begun, 3)
            if isinstance(event, ComparisonStarted):
                event = msgspec.structs.replace(event, command=_command(request))
            add(found, event)
            reporter.tell(event)
            if not isinstance(event, Progress):
                moments.append((at, event))
    facts = Facts(
        sample=sample,
        data=data[0].signature,
        backbone=config.backbone,
        weights_sha256=config.weights_sha256,
        date=datetime.now(UTC).date().isoformat(),
        commit=commit,
        configuration=recording.configuration_hash(config, data),
    )
    return Recording(facts, tuple(moments))


def code_version() -> str:
    """Return the commit of the code, `+` behind it where it has changed since; `unknown` without.

    Recordings themselves are no change: recording one after another gives all the same commit.
    """

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        others = f":(exclude){recording.FOLDER.name}"
        return commit + ("+" if git("status", "--porcelain", "--", ".", others) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _name(given: str) -> str:
    name = given.removeprefix(SAMPLE_PREFIX)
    if name not in SAMPLES:
        raise NotPossible(f"There is no sample '{name}'. There are: {_listed()}.")
    return name


def _listed() -> str:
    return ", ".join(f"{SAMPLE_PREFIX}{name}" for name in SAMPLES)


def _command(request: Request) -> str:
    """Return the command that gives the numbers again on any machine, samples being everywhere."""
    words = ["python", "-m", "tl_core", "compare", request.data]
    words += ["--seeds", str(request.seeds), "--budget", request.budget]
    return shlex.join(words)
