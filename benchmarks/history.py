"""How fast is every page with a long history: a thousand comparisons and a hundred data sets?

    python -m benchmarks.history [--comparisons 1000] [--data-sets 100] [--times 20] [--write]

A data directory is filled with copies of a recorded comparison under new ids, spread over small
data sets, and kept for the next time under benchmarks/ of the data directory. Measured is what a
visitor waits for the server: from asking a real Streamlit server for a page, over its own
protocol, to the end of the page's script. `--write` puts the table into docs/server.md.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from PIL import Image

from benchmarks.rows import ROOT, inserted, markdown
from benchmarks.viewers import Viewer, connect, server
from tl_core import ingest, recording
from tl_core.config import content_hash
from tl_core.datasets import Dataset
from tl_core.events import ComparisonStarted, Event
from tl_core.home import folder
from tl_core.store import Store

# As the address has them; the Lab once empty, once with a finished comparison.
PAGES: Final = {
    "Lab": "",
    "Data": "data",
    "Model & layers": "model",
    "Trust": "trust",
    "What if": "what_if",
    "History": "history",
    "Pitfalls": "pitfalls",
    "Lessons": "lessons",
}
WANTED_MS: Final = 500
_PAGE: Final = ROOT / "docs" / "server.md"
_BEGIN, _END = "<!-- history -->", "<!-- /history -->"


def main() -> int:
    """Fill a data directory, ask for every page, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comparisons", type=int, default=1000)
    parser.add_argument("--data-sets", type=int, default=100)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="into docs/server.md")
    options = parser.parse_args()
    home = folder("benchmarks") / f"history-{options.comparisons}-{options.data_sets}"
    home.mkdir(exist_ok=True)
    os.environ["TL_HOME"] = str(home)
    job = filled(options.comparisons, options.data_sets)
    with server() as (address, _):
        took = asyncio.run(_asked(address, job, options.times))
    text = _table(took, options)
    print(text)
    if options.write:
        page = _PAGE.read_text(encoding="utf-8")
        _PAGE.write_text(inserted(page, text, _BEGIN, _END), encoding="utf-8")
    return 0 if all(np.percentile(one[1:], 95) < WANTED_MS for one in took.values()) else 1


def filled(comparisons: int, data_sets: int) -> str:
    """Fill the data directory unless it is; return the newest comparison's id."""
    store = Store()
    there = len(store.list(limit=comparisons, kind="compare"))
    if there < comparisons:
        sets = [_data_set(number) for number in range(data_sets)]
        sets = [ingest.sample(next(iter(ingest.SAMPLES))), *sets]
        events = _recorded()
        for number in range(there, comparisons):
            _put(store, events, sets[number % len(sets)], number)
    newest = store.list(limit=1, kind="compare")[0].id
    store.close()
    return newest


def _data_set(number: int) -> Dataset:
    """Return a small data set of noise: three classes, sixteen images each."""
    root = folder("drawn") / str(number)
    rng = np.random.default_rng(number)
    for name in ("first", "second", "third"):
        (root / name).mkdir(parents=True, exist_ok=True)
        for image in range(16):
            path = root / name / f"{image}.png"
            if not path.exists():
                pixels = rng.integers(0, 255, (48, 48, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(path)
    return ingest.ingest_path(root)


def _recorded() -> list[Event]:
    found = recording.read(recording.path_of(next(iter(ingest.SAMPLES))))
    return [event for _, event in found.moments]


def _put(store: Store, events: Sequence[Event], data: Dataset, number: int) -> None:
    """Save a copy of the comparison as if it had been made with this data set."""
    first = events[0]
    assert isinstance(first, ComparisonStarted)
    used = msgspec.structs.replace(first.config.data, fingerprint=data.fingerprint, name=data.name)
    config = msgspec.structs.replace(first.config, data=used)
    facts = msgspec.structs.replace(first.dataset, fingerprint=data.fingerprint, name=data.name)
    started = msgspec.structs.replace(first, config=config, dataset=facts)
    job = store.create(config, f"Comparison {number} of {data.name}", queued=False)
    store.append(job, [started, *(_own(event, number) for event in events[1:])])
    store.finish(job, "done")


def _own(event: Event, number: int) -> Event:
    """Return an event under the run id that the numbered copy of its run has."""
    run = getattr(event, "run_id", None)
    if run is None:
        return event
    return msgspec.structs.replace(event, run_id=content_hash(run, number)[: len(run)])


async def _asked(address: str, job: str, times: int) -> dict[str, list[float]]:
    """Return milliseconds by page; the first look of each computes what is kept for the others."""
    asked = {name: (page, "") for name, page in PAGES.items()}
    asked["Lab, a finished comparison"] = ("", f"job={job}")
    asked["Trust, that comparison"] = ("trust", f"job={job}")
    took: dict[str, list[float]] = {name: [] for name in asked}
    async with connect(address) as opened:
        viewer = Viewer(opened)
        await viewer.open("")
        for name, (page, query) in asked.items():
            for _ in range(times + 1):
                took[name].append(1000 * await viewer.open(page, query))
    return took


def _table(took: dict[str, list[float]], options: Any) -> str:
    lines = [
        [name, *(f"{np.percentile(one[1:], share):.0f}" for share in (50, 95)), f"{one[0]:.0f}"]
        for name, one in took.items()
    ]
    told = (
        f"{options.comparisons:,} finished comparisons, {options.data_sets} data sets, each page "
        f"asked for {options.times} times by one visitor; wanted: p95 under {WANTED_MS} ms.\n\n"
    )
    return told + markdown(["page", "p50, ms", "p95, ms", "first look, ms"], lines)


if __name__ == "__main__":
    sys.exit(main())
