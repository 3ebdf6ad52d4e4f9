"""The source skill after training: how much each strategy kept of it, and which images it lost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tl_core.record import Record
from tl_core.stats import Interval
from tl_core.tables import StrategyRow


@dataclass(frozen=True)
class Skill:
    """Accuracy on the source images in percent: `before` training, and what is `left` of it.

    The interval of `left` is that of the paired forgetting; `before` is the same for all.
    """

    strategy: str
    title: str
    before: float
    left: Interval

    @property
    def share(self) -> float:
        """What is left as a share of what there was, 0 to 1; 1 where there was nothing."""
        return self.left.value / self.before if self.before else 1.0


def skills(found: Record, rows: Sequence[StrategyRow]) -> list[Skill]:
    """Return what is left of the source skill by strategy, in the order of `rows`.

    Only for strategies that had it, and where labelled source images tell.
    """
    if found.started is None or found.started.source is None:
        return []
    before = 100 * float(np.mean(found.started.source.correct))
    titles = {strategy.name: strategy.title for strategy in found.strategies}
    return [
        Skill(
            row.strategy,
            titles[row.strategy],
            before,
            Interval(
                before - row.forgetting_points,
                max(0.0, before - (row.forgetting_high or 0.0)),
                min(100.0, before - (row.forgetting_low or 0.0)),
            ),
        )
        for row in rows
        if row.forgetting_points is not None
    ]


@dataclass(frozen=True)
class Lost:
    """A source image (`place` in the probe) that was recognised before and no longer is.

    `after`: the commonest wrong class that the `lost` of `runs` runs give it now.
    """

    place: int
    label: int
    after: int
    lost: int
    runs: int


def lost(found: Record, strategy: str) -> list[Lost]:
    """Return what a strategy no longer recognises, what most seeds lost first."""
    source = found.started.source if found.started else None
    if source is None:
        return []
    answers = [
        ended.result.source_predictions
        for ended in found.final(strategy).values()
        if ended.result.source_predictions is not None
    ]
    gone = []
    for place, (label, known) in enumerate(zip(source.labels, source.correct, strict=True)):
        now = [after[place] for after in answers if after[place] != label]
        if known and now:
            commonest = min(Counter(now).items(), key=lambda item: (-item[1], item[0]))[0]
            gone.append(Lost(place, label, commonest, len(now), len(answers)))
    return sorted(gone, key=lambda one: (-one.lost / one.runs, one.place))
