"""Answers as text tables for a terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tl_core.answers import (
    AnyAnswer,
    Estimate,
    Export,
    Inspection,
    Interpolation,
    Prediction,
    RankedScore,
    Ranking,
    Shift,
    Soundness,
    Stress,
)
from tl_core.catalog import catalog
from tl_core.interpolated import path
from tl_core.predictions import unpacked
from tl_core.stats import Interval
from tl_core.transferability import SCORES
from tl_core.variants import VARIANTS
from tl_core.wording import number_of, percent, points, spread


def text(answer: AnyAnswer) -> str:
    """Return an answer as lines for people."""
    match answer:
        case Ranking():
            return _ranking(answer)
        case Soundness():
            return _soundness(answer)
        case Stress():
            return _stress(answer)
        case Shift():
            return _shift(answer)
        case Prediction():
            return _prediction(answer)
        case Inspection():
            return _inspection(answer)
        case Export():
            return _export(answer)
        case Interpolation():
            return _interpolation(answer)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return cells as columns, the first line underlined as their heads."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([rows[0], "-" * len(rows[0]), *rows[1:]])


def _ranking(found: Ranking) -> str:
    names = [name for name in SCORES if any(name in model.scores for model in found.models)]
    heads = [f"{SCORES[name].title} (shuffled)" for name in names]
    lines = [["model", *heads, "ms an image", "MB", "commercial use"]]
    order = sorted(found.models, key=lambda model: -_value(model.scores, names))
    for model in order:
        cells = [
            f"{score.value:.3f} ({score.shuffled:.3f})" if score else "–"
            for score in (model.scores.get(name) for name in names)
        ]
        lines.append(
            [
                model.title,
                *cells,
                f"{model.milliseconds:.1f}",
                f"{model.megabytes:.0f}",
                catalog()[model.model].weights.may_be_sold,
            ]
        )
    cautions = {
        f"{SCORES[name].title}: {caution}"
        for model in found.models
        for name in names
        if name in model.scores
        for caution in model.scores[name].cautions
    }
    head = f"{number_of(found.images, 'training image')} of {found.classes} classes"
    return "\n".join([head, "", aligned(lines), "", *sorted(cautions)])


def _value(scores: Mapping[str, RankedScore], names: Sequence[str]) -> float:
    found = scores.get(names[0]) if names else None
    return found.value if found else float("-inf")


def _soundness(found: Soundness) -> str:
    lines = [f"{number_of(found.images, 'image')} looked at"]
    if found.mismatch:
        lines += ["", f"SERIOUS: {found.mismatch}"]
    fine = [finding for finding in found.findings if finding.severity == "fine"]
    for finding in (finding for finding in found.findings if finding not in fine):
        count = f" ({number_of(len(finding.images), 'image')})" if finding.images else ""
        lines += ["", f"{finding.severity.upper()}: {finding.title}{count}"]
        lines += [f"  {finding.text}", f"  {finding.remedy}"]
    lines += ["", "Fine:", *(f"  {finding.title}: {finding.text}" for finding in fine)]
    if found.distances:
        table = [["distance", "to the source", "source with itself (95%)", "p"]]
        for one in found.distances:
            null = f"{one.null_low:.3g} to {one.null_high:.3g}"
            table.append([one.title, f"{one.value:.4g}", null, f"{one.p:.3f}"])
        lines += ["", f"Compared with {found.source} ({found.source_images:,})", aligned(table)]
    return "\n".join(lines)


def _stress(found: Stress) -> str:
    lines = [["handed over", "probe loses", "source task loses", "zero-shot loses", "noticed"]]
    for variant in found.variants:
        lines.append(
            [
                VARIANTS[variant.name].title,
                _points(variant.target_loss),
                _points(variant.source_loss),
                _points(variant.zero_shot_loss),
                "yes" if variant.noticed else "no",
            ]
        )
    head = f"Linear probe as meant to be: {percent(found.target_accuracy)} of {found.images}"
    verdict = found.mismatch or "The images are handed over as the weights expect them."
    return "\n".join([head, "", aligned(lines), "", verdict])


def _points(loss: Estimate | None) -> str:
    if loss is None:
        return "–"
    return f"{points(loss.value, True)} ({spread(loss.low, loss.high, True)})"


def _shift(found: Shift) -> str:
    if found.refused:
        return f"{number_of(found.images, 'image')}: no estimate. {found.refused}"
    lines = [["class", "in training", "estimated"]]
    for name, known, share in zip(found.classes, found.known, found.estimated, strict=True):
        ends = spread(100 * share.low, 100 * share.high)
        lines.append([name, percent(known), f"{percent(share.value)} ({ends})"])
    end = []
    if found.accuracy is not None:
        ends = spread(100 * found.accuracy.low, 100 * found.accuracy.high)
        end = [f"Expected accuracy there: {percent(found.accuracy.value)} ({ends})."]
    moved = f"Total variation from training: {found.total_variation:.2f}."
    return "\n".join([number_of(found.images, "image"), "", aligned(lines), "", moved, *end])


def _prediction(found: Prediction) -> str:
    lines = [["class", *(run.title for run in found.runs)]]
    counts = []
    for run in found.runs:
        shares = unpacked(run.probabilities).reshape(len(found.images), -1)
        counts.append(Counter(shares.argmax(axis=1).tolist()))
    for label, name in enumerate(found.classes):
        lines.append([name, *(str(count[label]) for count in counts)])
    return f"{number_of(len(found.images), 'image')}, predicted classes\n{aligned(lines)}"


def _inspection(found: Inspection) -> str:
    lines = [["strategy", "nearest neighbour of its class", "largest move of a block's weights"]]
    lines.append(["before training", _share(found.before.neighbours), ""])
    for run in found.runs:
        lines.append([run.title, _share(run.cloud.neighbours), percent(max(run.moved))])
    return f"{number_of(len(found.images), 'test image')}\n{aligned(lines)}"


def _share(of: Estimate) -> str:
    return f"{percent(of.value)} ({spread(100 * of.low, 100 * of.high)})"


def _export(found: Export) -> str:
    lines = [
        ["file", "test images", "largest difference", "from what the app shows", "class differs"]
    ]
    for one in found.parity:
        cells = [f"{one.largest:.1e}", f"{one.largest_shown:.1e}", str(one.changed)]
        lines.append([one.file, str(one.images), *cells])
    return "\n".join(filter(None, [aligned(lines), found.lacking]))


def _interpolation(found: Interpolation) -> str:
    judged = path(found)
    heads = ["share", "test accuracy", "to fine-tuned", "source accuracy", "to fine-tuned", ""]
    lines = [heads]
    for place, point in enumerate(judged.points):
        marks = ["chosen"] * (place == judged.best) + ["dominates"] * point.dominates
        cells = [
            _of_percent(point.target),
            _of_points(point.target_difference),
            _of_percent(point.source),
            _of_points(point.source_difference),
        ]
        lines.append([f"{point.share:.1f}", *cells, ", ".join(marks)])
    head = (
        f"From the linear probe (0) to {found.title}, seed {found.seed + 1} (1): "
        f"{number_of(len(found.test_labels), 'test image')}, "
        f"{number_of(len(found.source_labels), 'source image')}"
    )
    end = f"No point is chosen. {judged.why_none}"
    if judged.best is not None:
        end = (
            f"Chosen: {judged.points[judged.best].share:.1f}, by validation accuracy and by "
            f"{number_of(found.learning_images, 'source image')} that measure nothing here."
        )
    return "\n".join([head, "", aligned(lines), "", end])


def _of_percent(of: Interval | None) -> str:
    return "–" if of is None else f"{points(of.value)}% ({spread(of.low, of.high)})"


def _of_points(of: Interval | None) -> str:
    return "–" if of is None else f"{points(of.value, True)} ({spread(of.low, of.high, True)})"
