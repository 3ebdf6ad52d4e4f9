"""What one changed setting did: two comparisons on the same images, strategy by strategy."""

from dataclasses import dataclass

import numpy as np

from tl_core import stats
from tl_core.events import RunEnded
from tl_core.record import Record


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
    """Return the effect on every strategy that both comparisons measured on the same images.

    Balanced accuracy is a mean in which an image counts N / (C n) where its class has n of the N
    test images, so that it can be paired like accuracy.
    """
    found = []
    classes = before.started.dataset.classes if before.started else ()
    for strategy in before.strategies:
        first, second = before.final(strategy.name), after.final(strategy.name)
        pairs = [
            (first[seed], second[seed])
            for seed in sorted(first.keys() & second.keys())
            if first[seed].result.test_images == second[seed].result.test_images
        ]
        if pairs:
            found.append(_effect(strategy.name, strategy.title, classes, pairs))
    return found


def _effect(
    name: str, title: str, classes: tuple[str, ...], pairs: list[tuple[RunEnded, RunEnded]]
) -> Effect:
    images = sorted({i for run, _ in pairs for i in run.result.test_images})
    column = {image: place for place, image in enumerate(images)}
    hits = np.full((2, len(pairs), len(images)), np.nan)
    labels = np.full((len(pairs), len(images)), -1)
    for line, pair in enumerate(pairs):
        for side, run in enumerate(pair):
            places = [column[i] for i in run.result.test_images]
            hits[side, line, places] = np.equal(run.result.test_predictions, run.result.test_labels)
            labels[line, places] = run.result.test_labels
    balanced = np.full(hits.shape, np.nan)
    recalls = {}
    for label in range(len(classes)):
        of_class = labels == label
        if of_class.any():
            recalls[label] = float(hits[0][of_class].mean())
            balanced[:, of_class] = hits[:, of_class] / of_class.sum()
    balanced *= (labels >= 0).sum() / len(recalls)
    weakest = min(recalls, key=lambda label: recalls[label])
    of_weakest = np.where(labels == weakest, hits, np.nan)
    kept = ~np.isnan(of_weakest[0]).all(axis=0)
    return Effect(
        name,
        title,
        stats.paired_interval(hits[1], hits[0]),
        stats.paired_interval(balanced[1], balanced[0]),
        classes[weakest],
        stats.paired_interval(of_weakest[1][:, kept], of_weakest[0][:, kept]),
    )
