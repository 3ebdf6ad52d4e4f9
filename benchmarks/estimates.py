"""Is the time that the app announces the time that it takes?

    [TL_REFERENCE_DATA=FOLDER] python -m benchmarks.estimates [--json OUT]

The default comparison of every sample set, and of hymenoptera with SqueezeNet 1.1 where the
reference data are, each in an empty data directory. `first` is the estimate before anything ran
with this model on this machine, `later` the one made from the first comparison's speed. Asked:
within a factor of 1.5 for 80% of them. The single runs inside the comparisons are counted too.
"""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, table, write_json
from tl_core import catalog, datasets, device
from tl_core.config import ComparisonConfig
from tl_core.estimate import Counts, Plan, plan_of, stored_pixels
from tl_core.events import ComparisonStarted, RunEnded
from tl_core.experiment import run_comparison
from tl_core.home import empty_home
from tl_core.ingest import SAMPLES, source_probe
from tl_core.record import Record, add
from tl_core.request import NO_PROBE, Request, resolve
from tl_core.speeds import measured_speeds
from tl_core.weights import FIRST_MODEL

FACTOR, SHARE = 1.5, 0.8
# Of runs shorter than this nobody notices how long they take.
NOTICED_SECONDS = 1.0


@dataclass(frozen=True)
class Took:
    """What one comparison was expected to take, at first and later, and what it and its runs took.

    Seconds; `runs` are (expected, taken), trials apart.
    """

    first: float
    later: float
    taken: float
    runs: tuple[tuple[float, float], ...]


def counts(config: ComparisonConfig) -> Counts:
    """Return what the set-up page knows before a comparison starts."""
    data = datasets.load(config.data.fingerprint)
    part = datasets.split(data, 0)
    probe = source_probe.COUNT if config.data.probe else 0
    sizes = (len(part.train), len(part.validation), len(part.test), probe)
    return Counts(*sizes, classes=len(data.classes), pixels=stored_pixels(data))


def took(request: Request, report: dict[str, object]) -> Took:
    """Run a comparison and return what it was expected to take, and took."""
    config, _ = resolve(request, lambda message, share: None)
    if config.data.probe:
        source_probe.drawn(catalog.find(config.backbone))  # as the app does when it starts
    known = counts(config)
    expected = _planned(config, known, report, {})
    found, ends, begun = Record(), [], time.perf_counter()
    at = begun
    for event in run_comparison(config, lambda _: None, lambda _: None, lambda *_: None):
        add(found, event)
        if isinstance(event, (ComparisonStarted, RunEnded)):
            ends.append(time.perf_counter() - at)
            at = time.perf_counter()
    later = _planned(config, known, report, measured_speeds(found))
    order = [(e.run.strategy.name, e.run.seed, e.run.kind) for e in found.ended.values()]
    each = {(run.strategy, run.seed, run.kind): run.seconds for run in expected.runs}
    runs = tuple((each[key], seconds) for key, seconds in zip(order, ends[1:], strict=True))
    return Took(expected.seconds, later.seconds, time.perf_counter() - begun, runs)


def _planned(
    config: ComparisonConfig, known: Counts, report: dict[str, object], speeds: dict[str, float]
) -> Plan:
    planned = plan_of(config, known, report, speeds)
    assert planned is not None
    return planned


def within(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the share of (expected, taken) that lie within the factor of each other."""
    return float(np.mean([max(a / b, b / a) <= FACTOR for a, b in pairs]))


def requests() -> dict[str, Request]:
    """Return the comparisons by name: every sample, and hymenoptera where it can be found."""
    found = {name: Request(data=f"sample:{name}", backbone=FIRST_MODEL) for name in SAMPLES}
    reference = os.environ.get("TL_REFERENCE_DATA")
    if reference:
        root = Path(reference)
        weights = root / "weights" / "squeezenet1_1-imagenet.safetensors"
        data = str(root / "data" / "hymenoptera")
        found["hymenoptera"] = Request(
            data=data, backbone="squeezenet1_1", weights=str(weights), source_probe=NO_PROBE
        )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    found: dict[str, Took] = {}
    for name, request in requests().items():
        with empty_home():
            found[name] = took(request, device.device_report())
        print(f"{name}: {found[name].taken:.0f} s", flush=True)
    rows = []
    for name, one in found.items():
        for kind, expected in (("first", one.first), ("later", one.later)):
            rows.append(Row(f"{name}, {kind}", expected / one.taken, expected, one.taken))
    print("", table(rows, "taken"), "", sep="\n")
    for kind in ("first", "later"):
        share = within([(getattr(one, kind), one.taken) for one in found.values()])
        print(f"{kind}: {share:.0%} of comparisons within a factor of {FACTOR}")
    runs = [run for one in found.values() for run in one.runs if run[1] >= NOTICED_SECONDS]
    print(f"single runs of {NOTICED_SECONDS:.0f} s and more: {within(runs):.0%} of {len(runs)}")
    compute = device.resolve("auto", "auto", 0)
    where = f"{device.device_name(compute.device)}, {compute.threads} threads, {compute.precision}"
    print(f"{where}; {SHARE:.0%} asked.")
    write_json(rows, options.json)


if __name__ == "__main__":
    main()
