"""What each point of a sweep changes: paired differences to one point that all are held against."""

from collections.abc import Mapping
from dataclasses import dataclass

from tl_core import pairing, stats
from tl_core.catalog import catalog
from tl_core.config import ComparisonConfig, budget_for
from tl_core.record import Record
from tl_core.stats import Interval
from tl_core.sweep import Sweep
from tl_core.swept import Swept
from tl_core.wording import listed, points, spread


@dataclass(frozen=True)
class Change:
    """Accuracy of a strategy at a point minus that at the point it is held against, in points.

    The 95% interval is paired over the same test images and seeds, and simultaneous over the
    points of the strategy (Holm).
    """

    strategy: str
    title: str
    place: int
    label: str
    against: str
    gain: Interval


def reference(sweep: Sweep, base: ComparisonConfig) -> int:
    """Return the point that the others are held against: what `base` asks for, else the plainest.

    Labels: all there are. Depth: the head alone. Learning rates: the middle one. Regularisation:
    none.
    """
    configs = [point.config for point in sweep.points]
    if sweep.name == "labels":
        return len(configs) - 1
    if sweep.name == "rate":
        ordered = [p for p, point in enumerate(sweep.points) if point.value is not None]
        return ordered[len(ordered) // 2]
    row = catalog().get(base.backbone)
    steps = base.steps or (budget_for(base.budget, row.preprocessing.crop).steps if row else None)
    same = {
        "steps": [config.steps == steps for config in configs],
        "model": [config.backbone == base.backbone for config in configs],
        "input_size": [config.input_size == base.input_size for config in configs],
        "augmentation": [config.augmentation == base.augmentation for config in configs],
        "regularisation": [config.regularisation == "none" for config in configs],
    }.get(sweep.name, [])
    return next((place for place, is_same in enumerate(same) if is_same), 0)


def changes(found: Swept, base: ComparisonConfig) -> list[Change]:
    """Return every strategy's changes, points in order; what is not measured yet is left out."""
    if found.sweep is None:
        return []
    held = reference(found.sweep, base)
    there = {p: r for p, r in found.records.items() if r.started is not None}
    if held not in there:
        return []
    titles = {s.name: s.title for s in there[held].strategies}
    labels = {place: point.label for place, point in enumerate(found.sweep.points)}
    return [
        Change(name, title, place, labels[place], labels[held], gain)
        for name, title in titles.items()
        for place, gain in sorted(_gains(there, held, name).items())
    ]


def _gains(there: Mapping[int, Record], held: int, strategy: str) -> dict[int, Interval]:
    """Return a strategy's gains in points, by place."""
    images = sorted({image for one in there.values() for image in pairing.test_images(one)})
    hits = {place: pairing.matrix(one, strategy, images=images) for place, one in there.items()}
    own = hits.pop(held)
    if own is None:
        return {}
    pairs = {place: (one, own) for place, one in hits.items() if one is not None}
    return {
        place: Interval(100 * one.value, 100 * one.low, 100 * one.high)
        for place, one in stats.holm_pairs(pairs).items()
    }


def change_sentences(found: list[Change]) -> list[str]:
    """Return for each strategy what gains, what loses, or that nothing can be told apart."""
    return [
        _sentence([one for one in found if one.strategy == name])
        for name in dict.fromkeys(one.strategy for one in found)
    ]


def _sentence(found: list[Change]) -> str:
    lead, against = found[0].title, found[0].against
    better = [one for one in found if one.gain.low > 0]
    worse = [one for one in found if one.gain.high < 0]
    if not better and not worse:
        return f"{lead}: nothing differs measurably from {against}, so nothing is recommended."
    said = []
    if better:
        most = max(better, key=lambda one: one.gain.value)
        said.append(f"{_amount(most)} over {against}")
        others = [one.label for one in better if one is not most]
        if others:
            said.append(f"{listed(others)} measurably better too")
    else:
        said.append(f"nothing is measurably better than {against}")
    if worse:
        said.append(f"measurably worse: {listed([_lost(one) for one in worse])}")
    return f"{lead}: {'; '.join(said)}."


def _amount(one: Change) -> str:
    ends = spread(one.gain.low, one.gain.high)
    return f"{one.label} gains {points(one.gain.value)} points ({ends})"


def _lost(one: Change) -> str:
    return f"{one.label} ({points(one.gain.value, True)})"
