"""Is some group of images served worse than the others?"""

from tl_core.flags.flag import Evidence, Flag, in_points, said
from tl_core.slices import FEWEST_IMAGES, Slice, slices, source_model
from tl_core.wording import listed, lowered, number_of, percent


def source_bias(evidence: Evidence) -> list[Flag]:
    """Judge the groups of images that the recommended strategy serves worst (Holm over groups)."""
    name = evidence.recommended
    if name is None or not evidence.attributes:
        text = "No strategy is recommended, so no one's groups were compared."
        return [
            Flag(
                state="unknown",
                text="Nothing is known of the images by which to group them." if name else text,
                remedy="Under Groups on the Trust page, have light, size and background measured, "
                "or bring a table of your own attributes."
                if name
                else "Compare at least two strategies.",
            )
        ]
    found = [one for one in slices(evidence.found, evidence.attributes, name) if one.gap]
    if not found:
        return [
            Flag(
                state="unknown",
                text=f"Every group has fewer than {FEWEST_IMAGES} test images, or holds all but "
                "that many.",
                remedy="Bring more test images, or group them by something that divides them.",
            )
        ]
    behind = [one for one in found if one.behind]
    numbers = tuple(_group(one) for one in found[:8])
    source = source_model(evidence.found)
    title = evidence.titles[name]
    if behind:
        return [
            Flag(
                state="raised",
                strategy=name,
                text=_worst(title, behind),
                value=in_points(behind[0].gap) if behind[0].gap else None,
                unit="points",
                baseline="the other test images",
                remedy="Bring more training images of that group, and report its accuracy beside "
                f"the whole.{_inherited(evidence, behind[0], source)}",
                evidence=numbers,
            )
        ]
    worst = found[0]
    assert worst.gap is not None
    return [
        Flag(
            state="clear",
            strategy=name,
            text=f"{title} serves none of {number_of(len(found), 'group')} measurably worse than "
            f"the rest. The widest gap: {_named(worst)}, "
            f"{said(in_points(worst.gap), signed=True)}.",
            value=in_points(worst.gap),
            unit="points",
            baseline="the other test images",
            evidence=numbers,
        )
    ]


def _named(one: Slice) -> str:
    return f"{one.attribute}: {one.value}"


def _group(one: Slice) -> tuple[str, str]:
    ends = f"{percent(one.accuracy.low)} to {percent(one.accuracy.high)}"
    images = number_of(one.images, "image")
    return _named(one), f"{percent(one.accuracy.value)} ({ends}), {images}"


def _worst(title: str, behind: list[Slice]) -> str:
    worst = behind[0]
    assert worst.gap is not None
    text = (
        f"{title} gets {percent(worst.accuracy.value)} of the images of {_named(worst)} right "
        f"({number_of(worst.images, 'test image')}), {said(in_points(worst.gap))} less than of the "
        "others."
    )
    if len(behind) > 1:
        text += f" Behind as well: {listed([_named(one) for one in behind[1:4]])}."
    return text


def _inherited(evidence: Evidence, worst: Slice, source: str | None) -> str:
    if worst.change is None or source is None:
        return ""
    model = f"the source model ({lowered(evidence.titles[source])})"
    change = said(in_points(worst.change), signed=True)
    if worst.turn == "no difference found":
        return f" {model.capitalize()} has a gap that is not measurably another one ({change})."
    return f" Against {model} the gap has {worst.turn} ({change})."
