"""Our side of the speed benchmark: one comparison in a fresh process, nothing cached before.

    TL_HOME=EMPTY python -m benchmarks.ours --data DIR --weights FILE --strategies A,B --steps N

Prints one line of JSON: `seconds` from after the imports to the comparison's end, taking in the
folder included (`taking_in_seconds` of them), and each strategy's `accuracy` on the test images
(fraction, mean over seeds).
"""

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

# Else imported by the first optimiser: a second of import inside the measured time.
import torch._dynamo  # noqa: F401

from tl_core.config import BATCH_SIZE, ComparisonConfig
from tl_core.events import ComparisonStarted, RunEnded, RunFailed
from tl_core.experiment import run_comparison
from tl_core.request import NO_PROBE, Request, resolve

BACKBONE = "squeezenet1_1"


class Done(msgspec.Struct):
    """What one comparison took (seconds) and reached (fraction by strategy), and on what."""

    seconds: float
    taking_in_seconds: float
    accuracy: dict[str, float]
    device: str
    device_name: str
    precision: str
    threads: int

    @property
    def mean_accuracy(self) -> float:
        """The mean over strategies."""
        return float(np.mean(list(self.accuracy.values())))


def steps_for(epochs: int, images: int) -> int:
    """Return the steps of our batch size that see as many images as so many epochs."""
    return math.ceil(epochs * images / BATCH_SIZE)


def request(
    data: Path,
    weights: Path,
    strategies: Sequence[str],
    *,
    seeds: int = 1,
    steps: int | None = None,
    learning_rate: float | None = None,
) -> Request:
    """Return a comparison without a source probe."""
    return Request(
        data=str(data),
        backbone=BACKBONE,
        weights=str(weights),
        source_probe=NO_PROBE,
        strategies=tuple(strategies),
        seeds=seeds,
        steps=steps,
        learning_rate=learning_rate,
    )


def measured(wanted: Request) -> Done:
    """Return what a comparison took; raises what `resolve` and `drained` raise."""
    started = time.perf_counter()
    config, _ = resolve(wanted, lambda message, share: None)
    taken_in = time.perf_counter() - started
    begun, accuracy = drained(config)
    return Done(
        seconds=time.perf_counter() - started,
        taking_in_seconds=taken_in,
        accuracy=accuracy,
        device=begun.config.device,
        device_name=begun.device_name,
        precision=begun.config.precision,
        threads=begun.config.threads,
    )


def drained(config: ComparisonConfig) -> tuple[ComparisonStarted, dict[str, float]]:
    """Run a comparison that takes nothing over; return its start and test accuracy by strategy.

    Raises RuntimeError if a run fails or nothing starts: half a comparison is no measurement.
    """
    begun, found = None, defaultdict(list)
    for event in run_comparison(config, lambda _: None, lambda _: None, lambda *_: None):
        if isinstance(event, ComparisonStarted):
            begun = event
        elif isinstance(event, RunFailed):
            raise RuntimeError(f"{event.run.strategy.name}: {event.reason}")
        elif isinstance(event, RunEnded) and event.run.kind == "final":
            result = event.result
            right = np.equal(result.test_predictions, result.test_labels)
            found[event.run.strategy.name].append(right.mean())
    if begun is None:
        raise RuntimeError("The comparison did not start.")
    return begun, {name: float(np.mean(values)) for name, values in found.items()}


def main() -> None:
    """Run one comparison in the data directory of the environment and print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--weights", type=Path, required=True, metavar="FILE")
    parser.add_argument("--strategies", required=True, metavar="A,B")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument("--learning-rate", type=float)
    given = vars(parser.parse_args())
    strategies = given.pop("strategies").split(",")
    print(msgspec.json.encode(measured(request(strategies=strategies, **given))).decode())


if __name__ == "__main__":
    main()
