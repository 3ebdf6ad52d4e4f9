"""How long does every pitfall's experiment take, and does it show what its card is about?

    python -m benchmarks.pitfalls [--cards negative_transfer,leak] [--write docs/pitfalls.md]

Runs each card's commands one after another in a data directory that holds nothing but the samples
and the source images, and prints the measured part of docs/pitfalls.md; `--write` puts it there.
Exit code 1 if an experiment does not show its pitfall.
"""

import argparse
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.rows import inserted, markdown
from tl_core import catalog, outcomes, weights
from tl_core.device import device_report
from tl_core.events import Answered
from tl_core.ingest import sample, source_probe
from tl_core.outcomes import Outcome, Reply
from tl_core.pitfall_jobs import commands
from tl_core.pitfalls import PITFALLS, Pitfall
from tl_core.record import record
from tl_core.store import Store

BEGIN: Final = "<!-- measured: python -m benchmarks.pitfalls -->"
END: Final = "<!-- end of what was measured -->"
ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measured:
    """One card's experiment: seconds on the clock and of all processors, and what it showed."""

    seconds: float
    processor_seconds: float
    outcome: Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiments and print, or write, what they took and showed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cards", default=",".join(PITFALLS), metavar="A,B")
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    found: dict[str, Measured] = {}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        prepared = _prepared(Path(folder) / "prepared")
        for name in options.cards.split(","):
            home = Path(folder) / name
            shutil.copytree(prepared, home, copy_function=os.link)
            found[name] = measure(PITFALLS[name], home)
            print(f"{name}: {found[name].seconds:.0f} s", file=sys.stderr, flush=True)
    text = report(found, load)
    print(text)
    if options.write is not None:
        options.write.write_text(inserted(options.write.read_text(), text, BEGIN, END))
    return 0 if all(one.outcome.shown for one in found.values()) else 1


def _prepared(home: Path) -> Path:
    """Return a data directory with all that the app draws by itself."""
    os.environ["TL_HOME"] = str(home)
    for name in sorted({pitfall.sample for pitfall in PITFALLS.values()}):
        sample(name)
    source_probe.drawn(catalog.find(weights.FIRST_MODEL))
    return home


def measure(pitfall: Pitfall, home: Path) -> Measured:
    """Run a card's commands in a data directory and return what they took and showed."""
    os.environ["TL_HOME"] = str(home)
    before, began = _processor_seconds(), time.perf_counter()
    for line in commands(pitfall):
        words = [sys.executable, *shlex.split(line)[1:]]
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    seconds, used = time.perf_counter() - began, _processor_seconds() - before
    return Measured(seconds, used, outcomes.outcome(pitfall, _replies()))


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _replies() -> list[Reply]:
    """Return what the jobs of a data directory found, oldest first."""
    store = Store()
    replies: list[Reply] = []
    for job in reversed(store.list()):
        events = [event for _, event in store.events(job.id)]
        answer = next((e.answer for e in events if isinstance(e, Answered)), None)
        replies.append(answer if answer is not None else record(events))
    store.close()
    return replies


def report(found: dict[str, Measured], load: float) -> str:
    """Return the table and a paragraph for each card, as Markdown."""
    heads = ["card", "seconds", "processor seconds", "prediction that was right", "shows"]
    lines = [
        [
            PITFALLS[name].title,
            f"{one.seconds:.0f}",
            f"{one.processor_seconds:.0f}",
            PITFALLS[name].options[PITFALLS[name].option(one.outcome.measure.value)],
            "yes" if one.outcome.shown else "**no**",
        ]
        for name, one in found.items()
    ]
    paragraphs = [paragraph(PITFALLS[name], one.outcome) for name, one in found.items()]
    return "\n\n".join([_provenance(load), markdown(heads, lines).rstrip(), *paragraphs])


def _provenance(load: float) -> str:
    row, device = catalog.find(weights.FIRST_MODEL), device_report()
    return (
        f"{row.title} (`{row.name}`, SHA-256 `{row.weights.sha256[:12]}`), "
        f"{device['device_name']}, torch {device['versions']['torch']}, "
        f"{datetime.now(UTC):%d %B %Y}. Other work was going on: {load:.1f} processes wanted the "
        "processor on average when this began."
    )


def paragraph(pitfall: Pitfall, outcome: Outcome) -> str:
    """Return what the page says of one card."""
    parts = [
        f"### {pitfall.title}",
        f"![The card {pitfall.title} with its result](pitfall-{pitfall.name}.png)",
        f"{pitfall.setting} {pitfall.predict} {pitfall.runs}",
    ]
    lines = commands(pitfall)
    if lines:
        parts.append("\n".join(["```bash", *lines, "```"]))
    parts.append(f"{outcome.sentence} {pitfall.here}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
