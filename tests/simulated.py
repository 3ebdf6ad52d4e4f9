"""Comparisons made of nothing but hits and misses, for rules that judge intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace

from tests import factories
from tl_core.events import Event, RunEnded
from tl_core.record import Record, record
from tl_core.strategies import STRATEGIES

SEEDS, IMAGES = 3, 120


def hits(
    accuracy: float, seed: int, noise: float = 0.3, seeds: int = SEEDS, images: int = IMAGES
) -> np.ndarray:
    """Return seeds x images of hits: difficulty belongs to the image, `noise` to run and strategy.

    Images (`seed // 100` draws them) are hard for all strategies alike, as real ones are.
    """
    difficulty = np.random.default_rng([5, seed // 100]).random(images)
    luck = np.random.default_rng([6, seed]).random((seeds, images))
    # The same expected accuracy whatever the noise: a mixture of two uniform values.
    own = np.random.default_rng([7, seed]).random((seeds, images)) < noise
    return (np.where(own, luck, difficulty) < accuracy).astype(float)


def comparison(
    correct: Mapping[str | tuple[str, str], np.ndarray],
    labels: np.ndarray | None = None,
    results: Mapping[str, Any] | None = None,
    **started: Any,
) -> Record:
    """Return the record of strategies with these hits, seeds x images; NaN: not tested.

    Keys are strategies, or (strategy, kind of run). `results`: further fields of every result;
    `started`: of the first event.
    """
    some = next(iter(correct.values()))
    classes = ("ant", "bee")
    labels = np.arange(some.shape[1]) % len(classes) if labels is None else labels
    names = dict.fromkeys(key if isinstance(key, str) else key[0] for key in correct)
    config = factories.comparison_config(
        strategies=tuple(STRATEGIES[name] for name in names), seeds=len(some)
    )
    events: list[Event] = [factories.comparison_started(config, **started)]
    for key, values in correct.items():
        name, kind = (key, "final") if isinstance(key, str) else key
        for seed, line in enumerate(values):
            if not np.isnan(line).all():
                events.append(_ended(name, kind, seed, line, labels, results or {}))
    return record(events)


def _ended(
    name: str, kind: str, seed: int, line: np.ndarray, labels: np.ndarray, results: Mapping
) -> RunEnded:
    images = np.flatnonzero(~np.isnan(line))
    strategy = STRATEGIES[name]
    run = replace(factories.RUN, strategy=strategy, seed=seed, kind=kind)
    plain = factories.run_ended(f"{name}-{seed}-{kind}")
    result = replace(
        plain.result,
        test_images=tuple(images.tolist()),
        test_labels=tuple(labels[images].tolist()),
        test_predictions=tuple(np.where(line == 1, labels, (labels + 1) % 2)[images].tolist()),
        test_confidences=(0.9,) * len(images),
        **results,
    )
    return replace(plain, run=run, result=result)
