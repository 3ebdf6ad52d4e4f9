"""The tables of a report: strategies, the textbook beside the measurement, classes, calibration."""

from collections.abc import Sequence

from tl_core import columns
from tl_core.columns import Column
from tl_core.confidence import ConfidenceRow
from tl_core.recalls import recalls
from tl_core.report.markup import NOTHING, Html, table
from tl_core.report.subject import Subject
from tl_core.stats import Interval
from tl_core.wording import duration, lowered, points, spread


def accuracy(of: Subject) -> Html:
    """Return accuracies with their intervals, baselines below."""
    groups = columns.grouped(of.found, of.verdict)
    shown = (*groups["strategy"], *groups["accuracy"])
    return _strategies(of, "Accuracy of each strategy on held-out images", shown, baselines=True)


def cost(of: Subject) -> Html:
    """Return what training changed in the model, and what it took."""
    groups = columns.grouped(of.found, of.verdict)
    shown = (groups["strategy"][0], *groups["change"], *groups["cost"])
    return _strategies(of, "What each strategy forgot and cost", shown)


def textbook(of: Subject) -> Html:
    """Return what textbooks say of each strategy beside what was measured."""
    head = [
        "Strategy",
        "Labels needed, textbook",
        "Training images here",
        "Compute, textbook",
        "One training here",
        "Overfitting risk, textbook",
        "Generalisation gap here (points)",
        "Flexibility, textbook",
        "Trained parameters here",
    ]
    strategies = {strategy.name: strategy for strategy in of.found.strategies}
    images = f"{of.started.dataset.n_train:,}"
    lines = []
    for row in of.rows:
        said = strategies[row.strategy].textbook
        gap = row.generalisation_gap
        lines.append(
            [
                strategies[row.strategy].title,
                said.labels_needed,
                "none used" if strategies[row.strategy].solver == "none" else images,
                said.compute,
                duration(row.train_seconds),
                said.overfitting_risk,
                NOTHING if gap is None else points(100 * gap, True),
                said.flexibility,
                NOTHING if row.trainable_parameters is None else f"{row.trainable_parameters:,}",
            ]
        )
    return table("The textbook beside the measurement", head, lines)


def classes(of: Subject) -> Html:
    """Return each class: its images, and how often every strategy recognised it."""
    data = of.started.dataset
    known = {one.strategy: one for one in recalls(of.found)}
    shown = [known[row.strategy] for row in of.measured if row.strategy in known]
    titles = [lowered(of.evidence.titles[one.strategy]) for one in shown]
    head = ["Class", "Images", *(f"Recall, {title}" for title in titles)]
    lines = [
        [name, f"{count:,}", *(_share(one.classes[label]) for one in shown)]
        for label, (name, count) in enumerate(zip(data.classes, data.class_counts, strict=True))
    ]
    return table("Classes: images, and recall on test images in percent", head, lines)


def calibration(of: Subject) -> Html:
    """Return how far confidence and accuracy lie apart; nothing where that was not kept."""
    known = of.evidence.confidence
    rows = [known[row.strategy] for row in of.measured if row.strategy in known]
    head = [
        "Strategy",
        "Calibration error (points)",
        "By chance, up to",
        "Confidence minus accuracy (points)",
        "Log-loss (nats)",
        "Brier score",
        "Temperature",
        "Error after the temperature (points)",
    ]
    lines = [_calibrated(of, row) for row in rows]
    return table("Calibration on test images", head, lines) if lines else Html("")


def _calibrated(of: Subject, row: ConfidenceRow) -> list[str]:
    before, after = row.before, row.after
    return [
        of.evidence.titles[row.strategy],
        _share(before.expected_calibration_error),
        points(100 * before.if_calibrated),
        _share(before.signed_gap, signed=True),
        _plain(before.log_loss),
        _plain(before.brier),
        f"{row.temperature:.2f}",
        _share(after.expected_calibration_error),
    ]


def _strategies(
    of: Subject, caption: str, shown: Sequence[Column], baselines: bool = False
) -> Html:
    frame = columns.frame(of.found, of.rows, of.verdict)
    frame = frame if baselines else frame.head(len(of.rows))
    lines = [
        [written(column, line[column.title]) for column in shown]
        for line in frame.astype(object).to_dict("records")
    ]
    return table(caption, [column.title for column in shown], lines)


def written(column: Column, value: object) -> str:
    """Return a cell as people read it; a dash for what was not measured."""
    if isinstance(value, str):
        return value
    if not isinstance(value, int | float) or value != value:
        return NOTHING
    match column.kind:
        case "percent":
            return f"{value:.1f}%"
        case "points":
            return points(value, True)
        case "seconds":
            return duration(value)
        case "number":
            return f"{value:.3f}"
        case "rate":
            return f"{value:.2g}"
        case _:
            return f"{value:,.0f}"


def _share(one: Interval | None, signed: bool = False) -> str:
    if one is None:
        return NOTHING
    ends = spread(100 * one.low, 100 * one.high, signed)
    return f"{points(100 * one.value, signed)} ({ends})"


def _plain(one: Interval) -> str:
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
