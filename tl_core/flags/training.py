"""Did training go well: learnt by heart, hanging on one learning rate?"""

from tl_core import stats
from tl_core.flags.flag import AGAIN, FINISH, Evidence, Flag, in_points, said
from tl_core.learning import Trials, curve, curve_words, trials
from tl_core.stats import Interval
from tl_core.wording import lowered, number_of, percent

# Points that train accuracy may surely lie above test accuracy before it is called overfitting.
GAP_POINTS = 10.0
# Points of validation accuracy that may surely hang on the learning rate.
SPREAD_POINTS = 10.0


def overfitting(evidence: Evidence) -> list[Flag]:
    """Judge whether train minus test accuracy surely exceeds GAP_POINTS; add what the curve says.

    Train and test images are different ones, so the gap's interval is made of the two accuracies'
    own (MOVER): Wilson's on the training images, the table's on the test images.
    """
    gaps = {name: gap for name in evidence.titles if (gap := _gap(evidence, name)) is not None}
    if not gaps:
        return [Flag(state="unknown", text="No strategy has been trained yet.", remedy=FINISH)]
    words = {
        s.name: said_of
        for s in evidence.found.strategies
        if (known := curve(evidence.found, s)) and (said_of := curve_words(known))
    }
    numbers = [
        (f"{evidence.titles[name]}, train minus test", said(gap)) for name, gap in gaps.items()
    ]
    numbers += [(evidence.titles[name], text) for name, text in words.items()]
    raised = []
    for name, gap in sorted(gaps.items(), key=lambda one: -one[1].value):
        if gap.low <= GAP_POINTS:
            continue
        row = evidence.row(name)
        assert row is not None
        fallen = f" Its {words[name]}." if name in words else ""
        raised.append(
            Flag(
                state="raised",
                strategy=name,
                text=f"{evidence.titles[name]} gets {percent(row.train_accuracy)} of its training "
                f"images right and {percent(row.test_accuracy)} of the test images: {said(gap)} "
                f"apart, it has learnt its training images by heart.{fallen}",
                value=gap,
                unit="points",
                baseline="its accuracy on the test images",
                remedy=_remedy(evidence, name, name in words),
                evidence=tuple(numbers),
            )
        )
    worst = max(gaps, key=lambda name: gaps[name].value)
    clear = Flag(
        state="clear",
        text=f"No strategy is surely more than {GAP_POINTS:.0f} points better on its training "
        f"images. The widest gap: {lowered(evidence.titles[worst])}, {said(gaps[worst])}.",
        value=gaps[worst],
        unit="points",
        evidence=tuple(numbers),
    )
    return raised or [clear]


def _gap(evidence: Evidence, name: str) -> Interval | None:
    row = evidence.row(name)
    images = evidence.started.dataset.n_train
    if row is None or row.train_accuracy is None or not row.trainable_parameters or not images:
        return None
    train = Interval(row.train_accuracy, *stats.wilson(row.train_accuracy, images))
    test = Interval(row.test_accuracy or 0.0, row.ci_low or 0.0, row.ci_high or 0.0)
    return in_points(stats.difference_interval(train, test))


def _remedy(evidence: Evidence, name: str, fell: bool) -> str:
    more = "Bring more labelled images, or freeze more blocks."
    if not fell:
        return more
    strategy = next(s for s in evidence.found.strategies if s.name == name)
    known = curve(evidence.found, strategy)
    assert known is not None
    return f"Stop near epoch {known.epochs[known.best]:.0f}. {more}"


def sensitivity(evidence: Evidence) -> list[Flag]:
    """Judge how far validation accuracy hangs on the learning rate, over the trials.

    Raised where a trial diverged or stayed at guessing, or where best and worst surely differ by
    more than SPREAD_POINTS.
    """
    tried = trials(evidence.found)
    if not tried:
        return [
            Flag(
                state="unknown",
                text="Only one learning rate was used, so nobody knows how much hangs on it.",
                remedy="Compare with the standard or thorough budget: they try 3 or 6 settings on "
                "the first seed.",
            )
        ]
    numbers = tuple(pair for one in tried for pair in _settings(one))
    raised = [
        Flag(
            state="raised",
            strategy=one.strategy,
            text=_dependence(one),
            value=in_points(one.spread) if one.spread else None,
            unit="points",
            baseline="the best of the trials",
            remedy="Choose the rate by trials on your own images, as was done here, and never "
            "carry it over to other data unseen.",
            evidence=_settings(one),
        )
        for one in tried
        if one.unstable or (one.spread and 100 * one.spread.low > SPREAD_POINTS)
    ]
    if raised:
        return raised
    known = [one for one in tried if one.spread]
    if not known:
        text = "The validation predictions of the trials were not kept."
        return [Flag(state="unknown", text=text, remedy=AGAIN, evidence=numbers)]
    widest = max(known, key=lambda one: one.spread.value if one.spread else 0.0)
    return [
        Flag(
            state="clear",
            text=f"No strategy surely loses more than {SPREAD_POINTS:.0f} points at another of the "
            f"learning rates that were tried, and none failed. {_dependence(widest)}",
            value=in_points(widest.spread) if widest.spread else None,
            unit="points",
            baseline="the best of the trials",
            evidence=numbers,
        )
    ]


def _settings(tried: Trials) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            f"{tried.title}, rate {run.run.learning_rate:.2g}, decay {run.run.weight_decay:.2g}",
            f"{percent(run.result.validation_accuracy)} on validation images"
            + (", diverged" if run.result.diverged else ""),
        )
        for run in tried.runs
    )


def _dependence(tried: Trials) -> str:
    low, high = min(tried.accuracies), max(tried.accuracies)
    apart = f" ({said(in_points(tried.spread))} apart)" if tried.spread else ""
    unstable = ""
    if tried.unstable:
        settings = number_of(len(tried.runs), "setting")
        unstable = f"; {tried.unstable} of {settings} diverged or stayed at guessing"
    return (
        f"{tried.title}: {percent(low)} to {percent(high)} of validation images, depending on the "
        f"learning rate{apart}{unstable}."
    )
