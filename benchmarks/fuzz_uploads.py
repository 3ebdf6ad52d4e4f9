"""Thousands of uploads made wrong by chance, through the app's own way in.

    python -m benchmarks.fuzz_uploads [--cases N] [--seed N] [--write docs/faults.md]

Each goes to disk and to a process of its own, as from a browser. Whatever comes of it, it is a data
set or a sentence: no traceback, no path of the machine, nothing outside the data directory, no
process over 500 MB, and what was there before is unchanged.
"""

import argparse
import io
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rows import inserted
from tests import mangled
from tl_core import datasets, ingest
from tl_core.datasets import Dataset
from tl_core.home import empty_home
from tl_core.intake import messages
from tl_core.intake.process import Intake
from tl_core.intake.spool import Spool
from tl_core.limits import BadInput

CASES, SEED = 2000, 1
MOST_MB = 500
MODEL = "squeezenet1_1"
BEGIN, END = "<!-- fuzz -->", "<!-- /fuzz -->"


@dataclass
class Found:
    """What came of all of them. `wrong`: sentences on what should not have been."""

    outcomes: Counter[str] = field(default_factory=Counter)
    peak_mb: float = 0.0
    wrong: list[str] = field(default_factory=list)


def main(words: Sequence[str] | None = None) -> int:
    """Take all in, print what came of them; 1 if anything should not have been."""
    parser = argparse.ArgumentParser(prog="benchmarks.fuzz_uploads", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, help="page to write the result into")
    args = parser.parse_args(words)
    begun = time.perf_counter()
    with empty_home() as home:
        found = taken_in(args.seed, args.cases, home)
    line = told(found, args.cases, args.seed)
    print(line, f"{time.perf_counter() - begun:.0f} s")
    if args.write and not found.wrong:
        args.write.write_text(inserted(args.write.read_text(), line, BEGIN, END))
    return bool(found.wrong)


def taken_in(seed: int, cases: int, home: Path) -> Found:
    """Hand in so many uploads, one after the other, beside a data set that has to stay."""
    found = Found()
    kept = ingest.ingest_files(
        [(name, io.BytesIO(content)) for name, content in mangled.sound(12).items()], name="kept"
    )
    beside = set(home.parent.iterdir())
    for place, (kind, files) in enumerate(mangled.uploads(seed, cases)):
        said = _handed_in(kind, files, found)
        if "Traceback" in said or str(home) in said or not said.endswith("."):
            found.wrong.append(f"case {place}, {kind}: said {said[:200]!r}")
        if place % 100 == 99:
            print(place + 1, dict(found.outcomes), flush=True)
    if new := {path.name for path in set(home.parent.iterdir()) - beside if "tl-home" in path.name}:
        found.wrong.append(f"written outside of the data directory: {sorted(new)}")
    if left := [*home.rglob(".unfinished*"), *home.glob("uploads/*")]:
        found.wrong.append(f"left behind: {[path.name for path in left]}")
    if any(path.is_symlink() for path in home.rglob("*")) or not _is_whole(kept):
        found.wrong.append("a link was made, or the data set that was there has changed")
    if found.peak_mb >= MOST_MB:
        found.wrong.append(f"a process had {found.peak_mb:.0f} MB")
    return found


def _is_whole(kept: Dataset) -> bool:
    pixels = [datasets.pixels(kept, place).shape for place in range(len(kept.images))]
    return datasets.load(kept.fingerprint) == kept and set(pixels) == {(16, 24, 3)}


def _handed_in(kind: str, files: dict[str, bytes], found: Found) -> str:
    """Hand in one upload and count what came of it; return what a person would be told."""
    spool = Spool()
    spooled = spool.add_all([(name, io.BytesIO(content)) for name, content in files.items()])
    first = spooled[0]
    requests: dict[str, messages.Request] = {
        "zip": messages.Zip(first.name[-60:], "target", first),
        "images": messages.Images("pets", "target", spooled),
        "table": messages.Table(first),
        "weights": messages.Weights(MODEL, first),
    }
    intake = Intake(requests[kind], spool)
    try:
        intake.result()
    except BadInput as error:
        said = "\n".join([*error.details, str(error)])
        ended = "not foreseen" if "not foreseen" in said else "refused"
        ended = ended if intake.peak_mb is not None else "ended"
    else:
        said, ended = "Done.", "taken in"
    if ended in ("not foreseen", "ended"):
        found.wrong.append(f"{kind}: {said[-300:]}")
    found.outcomes[f"{kind} {ended}"] += 1
    found.peak_mb = max(found.peak_mb, intake.peak_mb or 0.0)
    return said


def told(found: Found, cases: int, seed: int) -> str:
    """Return the result as a paragraph."""
    kinds = {"zip": "zips", "images": "folders", "table": "tables", "weights": "weights files"}
    parts = [
        f"{sum(n for key, n in found.outcomes.items() if key.startswith(kind))} {shown} "
        f"({found.outcomes[f'{kind} taken in']} taken in, {found.outcomes[f'{kind} refused']} "
        "refused)"
        for kind, shown in kinds.items()
    ]
    verdict = "; ".join(found.wrong[:5]) or (
        "no process ended without a word, no traceback or path was shown, nothing was written "
        "elsewhere or left behind, and the data set that was there stayed as it was"
    )
    return (
        f"`python -m benchmarks.fuzz_uploads --cases {cases} --seed {seed}`: {', '.join(parts)}. "
        f"At most {found.peak_mb:.0f} MB in a process; {verdict}."
    )


if __name__ == "__main__":
    raise SystemExit(main())
