"""The charts of a report, each with its words: one row of `CHARTS` for each kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tl_core import confidence, curves, figures, marks
from tl_core.answers import Estimate
from tl_core.dots import Dot
from tl_core.marks import Dash
from tl_core.recalls import Recalls, recalls
from tl_core.report.subject import Subject
from tl_core.wording import lowered

# Classes that fit into one chart; the table has all.
MOST_CLASSES: Final = 20

Entry = tuple[str, Dash, str]


@dataclass(frozen=True)
class Chart:
    """A Plotly `figure`: `note` says how to read it, `alt` tells those who cannot see it.

    `legend`: (colour, dash of a line, text), in the page; a slide shows Plotly's own.
    """

    key: str
    title: str
    note: str
    alt: str
    figure: Any
    legend: tuple[Entry, ...] = ()


def charts(of: Subject) -> dict[str, Chart]:
    """Return the charts that have something to show, by key, in the order of the page."""
    found = [make(of) for make in CHARTS]
    return {chart.key: chart for chart in found if chart is not None}


def _accuracies(of: Subject) -> Chart | None:
    if not of.measured:
        return None
    return Chart(
        "accuracies",
        "Accuracy on test images",
        "Dots are what was measured, bars 95% intervals. Dotted: always guessing the most frequent "
        "class. Bars that overlap do not say who wins: the paired differences in the table do.",
        figures.describe(of.found, of.rows),
        figures.accuracy_dots(of.found, of.rows),
    )


def _training(of: Subject) -> Chart | None:
    figure = figures.accuracy_curves(of.found)
    if not figure.data:
        return None
    return Chart(
        "training",
        "Accuracy while training",
        "On validation images, mean over seeds; bands span the seeds. Stars mark the best step; "
        "the last one is reported. Dashed: strategies without a training loop.",
        f"Curves of validation accuracy over training. {_reached(of)}",
        figure,
        (*_strategies(of, figure), *_lines(of)),
    )


def _change(of: Subject) -> Chart | None:
    measure = curves.change_measure(of.found)
    figure = figures.forgetting_curves(of.found, measure)
    if not figure.data:
        return None
    title = "Forgetting while training" if measure == "forgetting" else "Drift while training"
    return Chart(
        "change",
        title,
        "Frozen backbones stay at 0, training from scratch never had the source skill.",
        f"Curves over training: {lowered(curves.TITLES[measure])}. {_lost(of)}",
        figure,
        _strategies(of, figure),
    )


def _forgotten(of: Subject) -> Chart | None:
    dots = [
        Dot(
            of.evidence.titles[row.strategy],
            Estimate(value=row.forgetting_points, low=row.forgetting_low, high=row.forgetting_high),
            strategy=row.strategy,
        )
        for row in of.measured
        if row.forgetting_points is not None
        and row.forgetting_low is not None
        and row.forgetting_high is not None
    ]
    if not dots:
        return None
    return Chart(
        "forgotten",
        "What was forgotten in the end",
        "Accuracy on the labelled source images before training minus after it, with 95% "
        "intervals, in percentage points.",
        f"Points of source accuracy lost: {figures.described(dots)}.",
        figures.interval_dots(dots, "Source accuracy lost (points)"),
    )


def _reliability(of: Subject) -> Chart | None:
    known = of.evidence.confidence
    chosen = next((row.strategy for row in of.measured if row.strategy in known), None)
    if chosen is None:
        return None
    before, after = (confidence.diagram(of.found, chosen, scaled) for scaled in (False, True))
    title = of.evidence.titles[chosen]
    return Chart(
        "reliability",
        f"Confidence of {lowered(title)}",
        "On the dotted line confidence and accuracy agree; below it the strategy is too sure. "
        "Filled: as it is. Hollow: after the temperature found on validation images.",
        figures.describe_reliability(before),
        figures.reliability_diagram(before, after, chosen),
    )


def _classes(of: Subject) -> Chart | None:
    by_name = {one.strategy: one for one in recalls(of.found)}
    if not of.measured or of.measured[0].strategy not in by_name:
        return None
    first = of.measured[0].strategy
    dots = class_dots(by_name[first], of.started.dataset.classes)
    shown = dots[:MOST_CLASSES]
    few = f" The {MOST_CLASSES} lowest of {len(dots)} classes." if len(shown) < len(dots) else ""
    title = f"Recall of each class, {lowered(of.evidence.titles[first])}"
    return Chart(
        "classes",
        title,
        f"How many test images of a class were recognised, with 95% intervals; lowest first.{few}",
        f"{title}, in percent: {figures.described(shown)}.",
        figures.share_dots(shown, "Test images recognised (%)"),
    )


def class_dots(one: Recalls, names: Sequence[str]) -> list[Dot]:
    """Return a strategy's recalls of the tested classes in percent, the lowest first."""
    known = [(name, recall) for name, recall in zip(names, one.classes, strict=True) if recall]
    known.sort(key=lambda pair: pair[1].value)
    return [
        Dot(
            name,
            Estimate(value=100 * recall.value, low=100 * recall.low, high=100 * recall.high),
            strategy=one.strategy,
        )
        for name, recall in known
    ]


CHARTS: Final[tuple[Callable[[Subject], Chart | None], ...]] = (
    _accuracies,
    _training,
    _change,
    _forgotten,
    _reliability,
    _classes,
)


def _strategies(of: Subject, figure: Any) -> tuple[Entry, ...]:
    """Return the legend of the strategies that have a curve."""
    drawn = {trace.name for trace in figure.data}
    return tuple(
        (curves.colour(strategy.name), marks.mark(strategy.name).dash, strategy.title)
        for strategy in of.found.strategies
        if strategy.title in drawn
    )


def _lines(of: Subject) -> tuple[Entry, ...]:
    return tuple(
        (line.colour, line.dash, f"{line.title} {line.value:.0f}%")
        for line in curves.reference_lines(of.found, "accuracy")
    )


def _reached(of: Subject) -> str:
    said = [
        f"{of.evidence.titles[row.strategy]} {100 * row.validation_accuracy:.1f}%"
        for row in of.measured
        if row.validation_accuracy is not None
    ]
    return f"In the end: {'; '.join(said)}." if said else ""


def _lost(of: Subject) -> str:
    if curves.change_measure(of.found) == "forgetting":
        known = [(row.strategy, row.forgetting_points) for row in of.measured]
    else:
        known = [
            (row.strategy, None if row.agreement is None else 100 * (1 - row.agreement))
            for row in of.measured
        ]
    said = [f"{of.evidence.titles[name]} {lost:.1f}" for name, lost in known if lost is not None]
    return f"In the end: {'; '.join(said)}." if said else ""
