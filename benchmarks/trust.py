"""Do the trust checks say what is true? Flags where they belong, and not on equals; temperature.

    python -m benchmarks.trust [--part flags|same|temperature]

`flags`: the negative-transfer sample and the one close to the source, three seeds. `same`: 40
comparisons of a strategy with itself under other seeds, with one and with three seeds a side: every
flag of negative transfer or harmful fine-tuning is false there. `temperature`: full fine-tuning on
four sets, three seeds; a temperature from validation images, its effect on test images.
Photographs are those of TL_REFERENCE_DATA, with SqueezeNet 1.1; without it only the samples count.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.rows import markdown
from tl_core import calibration, ingest, metrics, predictions, stats, tables, weights
from tl_core.catalog import catalog
from tl_core.checkpoints import Checkpoints
from tl_core.config import ComparisonConfig, DataConfig
from tl_core.datasets import Dataset
from tl_core.events import ComparisonStarted, Event, RunEnded, RunStarted
from tl_core.experiment import run_comparison
from tl_core.flags import FLAGS, Evidence
from tl_core.ingest import source_probe
from tl_core.record import Record, record
from tl_core.strategies import STRATEGIES, TEXTBOOK_STRATEGIES

PHOTOGRAPHS = ("hymenoptera", "cifar10")
SEEDS = 3
JUDGED = ("negative_transfer", "harmful_fine_tuning")
SAME = {"strategy": "partial_fine_tuning", "comparisons": 40, "steps": 60}


def main() -> int:
    """Measure and print the asked parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=tuple(PARTS))
    wanted = parser.parse_args().part
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("TL_HOME", home)
        for name, part in PARTS.items():
            if wanted in (None, name):
                print(f"\n## {name}\n", flush=True)
                part()
    return 0


def _flags() -> None:
    lines = []
    for name in ("threads", "signs"):
        found = _compared(ingest.sample(name), *TEXTBOOK_STRATEGIES, seeds=SEEDS)
        evidence = Evidence(found, tables.rows(found))
        for rule in JUDGED:
            for flag in FLAGS[rule].check(evidence):
                lines.append([name, rule, flag.state, flag.strategy or "", flag.text])
    print(markdown(["set", "flag", "state", "strategy", "in words"], lines))


def _same() -> None:
    """Hold runs of one strategy against other runs of it, called by other strategies' names."""
    strategy, comparisons = str(SAME["strategy"]), int(SAME["comparisons"])
    found = _compared(
        ingest.sample("signs"),
        strategy,
        seeds=2 * comparisons,
        steps=int(SAME["steps"]),
        forgetting=False,
    )
    runs = found.final(strategy)
    rng, lines = np.random.default_rng(0), []
    for side in (1, SEEDS):
        raised = dict.fromkeys(JUDGED, 0)
        for number in range(comparisons):
            chosen = rng.permutation(len(runs))[: 2 * side].tolist()
            if side == 1:
                chosen = [2 * number, 2 * number + 1]
            for rule, reference in zip(JUDGED, ("from_scratch", "feature_extraction"), strict=True):
                pair = _renamed(
                    found, {reference: chosen[:side], "full_fine_tuning": chosen[side:]}
                )
                flags = FLAGS[rule].check(Evidence(pair, tables.rows(pair)))
                raised[rule] += any(flag.state == "raised" for flag in flags)
        lines += [[f"{side} a side", rule, f"{raised[rule]} of {comparisons}"] for rule in JUDGED]
    print(markdown(["seeds", "flag", "raised, all of them falsely"], lines))


def _renamed(found: Record, sides: dict[str, list[int]]) -> Record:
    """Return a comparison in which runs of some seeds stand for the strategies of these names."""
    started, runs = found.started, found.final(str(SAME["strategy"]))
    assert started is not None
    strategies = tuple(STRATEGIES[name] for name in sides)
    seeds = len(next(iter(sides.values())))
    config = msgspec.structs.replace(started.config, strategies=strategies, seeds=seeds)
    events: list[Event] = [msgspec.structs.replace(started, config=config)]
    for strategy in strategies:
        for seed, chosen in enumerate(sides[strategy.name]):
            run = msgspec.structs.replace(runs[chosen].run, strategy=strategy, seed=seed)
            run_id = f"{strategy.name} {seed}"
            ended = msgspec.structs.replace(runs[chosen], run=run, run_id=run_id, curve=())
            started_run = RunStarted(
                run_id=run_id,
                run=run,
                trainable_parameters=ended.trainable_parameters,
                total_parameters=ended.total_parameters,
            )
            events += [started_run, ended]
    return record(events)


def _temperature() -> None:
    lines = []
    for data, model in _sets():
        found = _compared(data, "full_fine_tuning", model=model, seeds=SEEDS)
        runs = found.final("full_fine_tuning")
        before, after, labels, used, losses = [], [], [], [], []
        for run in runs.values():
            tested, known = predictions.tested(run), predictions.validated(run)
            assert tested is not None and known is not None
            used.append(calibration.fit_temperature(known.log_probabilities, known.labels))
            scaled = np.exp(calibration.with_temperature(tested.log_probabilities, used[-1]))
            before.append(tested.probabilities)
            after.append(scaled)
            labels.append(tested.labels)
            pair = (tested.probabilities, scaled)
            losses.append([metrics.log_losses(p, tested.labels) for p in pair])
        fall = _fall(losses)
        first, second = (
            calibration.calibration_summary(np.concatenate(side), np.concatenate(labels))
            for side in (before, after)
        )
        lines.append(
            [
                f"{data.name}, {catalog()[model].title}",
                ", ".join(f"{temperature:.2f}" for temperature in used),
                f"{first.log_loss.value:.3f} → {second.log_loss.value:.3f}",
                f"{-fall.value:+.3f} ({-fall.high:+.3f} to {-fall.low:+.3f})",
                _interval(first.expected_calibration_error),
                _interval(second.expected_calibration_error),
            ]
        )
        print(lines[-1], file=sys.stderr)
    heads = ["set", "temperatures", "log-loss, nats", "change", "ECE before", "ECE after"]
    print(markdown(heads, lines))


def _fall(losses: Sequence[Sequence[np.ndarray]]) -> stats.Interval:
    """Return by how much the log-loss falls, paired over images within seeds."""
    longest = max(len(before) for before, _ in losses)
    sides = np.full((2, len(losses), longest), np.nan)
    for seed, pair in enumerate(losses):
        for side, values in enumerate(pair):
            sides[side, seed, : len(values)] = values
    return stats.paired_interval(sides[0], sides[1])


def _interval(found: stats.Interval) -> str:
    return f"{100 * found.value:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _sets() -> Iterator[tuple[Dataset, str]]:
    reference = os.environ.get("TL_REFERENCE_DATA")
    for name in PHOTOGRAPHS if reference else ():
        root = Path(str(reference))
        path = root / "weights" / "squeezenet1_1-imagenet.safetensors"
        weights.add(catalog()["squeezenet1_1"], path, name=path.name)
        yield ingest.ingest_path(root / "data" / name), "squeezenet1_1"
    for name in ("digits", "defects"):
        yield ingest.sample(name), weights.FIRST_MODEL


def _compared(
    data: Dataset,
    *strategies: str,
    model: str = weights.FIRST_MODEL,
    seeds: int,
    steps: int | None = None,
    forgetting: bool = True,
) -> Record:
    row = catalog()[model]
    config = ComparisonConfig(
        data=DataConfig(
            fingerprint=data.fingerprint,
            name=data.name,
            probe=source_probe.probe_of(row) if forgetting else None,
        ),
        backbone=model,
        weights_sha256=weights.available(model)[0].sha256,
        strategies=tuple(STRATEGIES[name] for name in strategies),
        class_map={},
        seeds=seeds,
        steps=steps,
        device="cpu",
    )
    kept, checkpoints = [], Checkpoints()
    for event in run_comparison(config, lambda run: None, checkpoints.load, checkpoints.save):
        if isinstance(event, (ComparisonStarted, RunStarted, RunEnded)):
            kept.append(event)
        if isinstance(event, RunEnded):
            print(f"{data.name}: {event.run.strategy.name}, {event.run.seed}", file=sys.stderr)
    return record(kept)


PARTS = {"flags": _flags, "same": _same, "temperature": _temperature}


if __name__ == "__main__":
    sys.exit(main())
