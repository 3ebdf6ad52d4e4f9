"""A comparison: every strategy, seed and trial in order, as one stream of events.

Alone assembles the rooms. Stores nothing: results of earlier runs and states of interrupted ones
come from, and go to, whoever calls it.
"""

import time
from collections.abc import Callable, Generator, Iterator

import msgspec
import numpy as np

from tl_core import baselines, catalog, device
from tl_core.command import command
from tl_core.config import ComparisonConfig
from tl_core.datasets import split_with
from tl_core.earlier import Finished
from tl_core.events import ComparisonEnded, ComparisonStarted, DatasetFacts, Event, Progress
from tl_core.execution import Execution, LoadState, MemoryShort
from tl_core.materials import Materials, open_materials
from tl_core.plans import limits, planned_runs, range_steps
from tl_core.runs import SaveState

# Opens what a comparison works with, as `open_materials` does.
Open = Callable[[ComparisonConfig], Generator[Progress, None, Materials]]


def run_comparison(
    config: ComparisonConfig,
    finished: Finished,
    load_state: LoadState,
    save_state: SaveState,
    opener: Open = open_materials,
    equal_steps: bool = True,
    halvings: int = 0,
    longest_first: bool = False,
) -> Iterator[Event]:
    """Yield the events of a comparison, cheapest strategy first, seed after seed.

    `finished(run_id)` gives an earlier identical run's end, which is then not run again.
    `load_state(run_id)` gives the state of an interrupted run; `save_state(run_id, fit.state)` is
    called after every epoch. `equal_steps`: show training from scratch at everyone's steps beside
    its extended ones. `halvings`: how often memory was found too short before, each of which halves
    the images that are held at a time. `longest_first`: where other processes execute runs of it
    too, so that none waits long for the last one. Raises NotPossible with a sentence for the user
    where data, weights or device are missing; a failing run yields RunFailed and the comparison
    goes on.
    """
    started = time.perf_counter()
    materials = yield from opener(config)
    config = resolved(config, materials)
    yield _comparison_started(config, materials, equal_steps)
    runs = Execution(
        config, materials, finished, load_state, save_state, equal_steps, longest_first
    )
    for _ in range(halvings):
        if runs.may_halve:
            yield runs.halve_micro_batch()
    while True:
        try:
            yield from runs.all()
            break
        except MemoryShort:
            pass  # what failed is let go of before anything new is begun
        # Alike for all: another micro-batch gives other numbers where batches are normalised.
        yield runs.halve_micro_batch()
    yield ComparisonEnded(seconds=time.perf_counter() - started)


def resolved(config: ComparisonConfig, materials: Materials) -> ComparisonConfig:
    """Return the configuration with device, precision and threads as they were resolved."""
    compute = materials.compute
    return msgspec.structs.replace(
        config, device=compute.device, precision=compute.precision, threads=compute.threads
    )


def _comparison_started(
    config: ComparisonConfig, materials: Materials, equal_steps: bool
) -> ComparisonStarted:
    dataset, labels = materials.dataset, materials.labels
    labelled = config.labels_per_class
    parts = [split_with(dataset, seed, labelled) for seed in range(config.seeds)]
    first = parts[0]
    measured = baselines.measure(labels, materials.read_out.features, parts)
    budget = limits(config, catalog.find(config.backbone).preprocessing.crop)
    applicable = any(config.class_map.get(name) for name in dataset.classes)
    ranged = config.rate_range is not None
    runs = planned_runs(
        config.strategies,
        config.seeds,
        budget,
        applicable,
        config.settings,
        ranged,
        equal_steps,
    )
    return ComparisonStarted(
        config=config,
        command=command(config),
        dataset=DatasetFacts(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            classes=dataset.classes,
            images=len(dataset.images),
            n_train=len(first.train),
            n_validation=len(first.validation),
            n_test=len(first.test),
            n_test_all_seeds=len({i for part in parts for i in part.test}),
            given_split=any(image.part for image in dataset.images),
            class_counts=tuple(np.bincount(labels, minlength=len(dataset.classes)).tolist()),
            refused=len(dataset.refused),
            left_out=len(first.left_out),
        ),
        source=materials.source_facts(),
        backbone_title=materials.row.title,
        input_size=materials.row.preprocessing.crop,
        device_name=device.device_name(config.device),
        versions=device.versions(),
        majority_accuracy=measured[0].test_accuracy,
        baselines=measured,
        steps=range_steps(budget) if ranged else budget.steps,
        planned_runs=sum(1 for _ in runs),
        zero_shot_applicable=applicable,
        unmapped_classes=tuple(n for n in dataset.classes if not config.class_map.get(n)),
    )
