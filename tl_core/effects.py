"""What changed settings did: two comparisons of the same images, strategy by strategy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core import pairing, stats
from tl_core.record import Record
from tl_core.stats import Matrix


@dataclass(frozen=True)
class Effect:
    """Changes of one strategy, after minus before, as fractions with paired 95% intervals.

    `lowest_recall`: of the class that was recognised worst before; its name is `weakest_class`.
    """

    strategy: str
    title: str
    accuracy: stats.Interval
    balanced_accuracy: stats.Interval
    weakest_class: str
    lowest_recall: stats.Interval


def effects(before: Record, after: Record) -> list[Effect]:
    """Return the effect on every strategy that both measured on the same images of one data set.

    Of seeds and images only those count that both tested. Balanced accuracy is a mean in which an
    image counts N / (C n) where its class has n of the N test images, so that it can be paired
    like accuracy.
    """
    if before.started is None or after.started is None:
        return []
    if before.started.dataset.fingerprint != after.started.dataset.fingerprint:
        return []
    sides = (before, after)
    known = dict(zip(pairing.test_images(before), pairing.test_labels(before), strict=True))
    images = sorted(set(known) & set(pairing.test_images(after)))
    labels, found = np.array([known[image] for image in images], dtype=np.int64), []
    for strategy in before.strategies:
        one, other = (pairing.matrix(side, strategy.name, images=images) for side in sides)
        if one is None or other is None:
            continue
        seeds = min(len(one), len(other))
        alone = np.isnan(one[:seeds] - other[:seeds])
        if alone.all():
            continue
        first, second = (np.where(alone, np.nan, side[:seeds]) for side in (one, other))
        found.append(_effect(strategy.name, strategy.title, before, labels, first, second))
    return found


def _effect(
    name: str,
    title: str,
    before: Record,
    labels: NDArray[np.int64],
    first: Matrix,
    second: Matrix,
) -> Effect:
    assert before.started is not None
    measured = ~np.isnan(first)
    counts = {label: int(measured[:, labels == label].sum()) for label in np.unique(labels)}
    recalls = {
        label: float(np.nanmean(first[:, labels == label])) for label, n in counts.items() if n
    }
    weights = np.array(
        [measured.sum() / (len(recalls) * max(counts[label], 1)) for label in labels]
    )
    weakest = min(recalls, key=lambda label: recalls[label])
    of_weakest = labels == weakest
    return Effect(
        name,
        title,
        stats.paired_interval(second, first),
        stats.paired_interval(second * weights, first * weights),
        before.started.dataset.classes[weakest],
        stats.paired_interval(second[:, of_weakest], first[:, of_weakest]),
    )
