"""Test images on which strategies disagree, the most telling first."""

from collections.abc import Sequence

from tl_core.image_answers import ImageAnswers


def disagreements(
    answered: Sequence[ImageAnswers], recommended: str | None = None
) -> list[ImageAnswers]:
    """Return the images that got different answers, the most telling first.

    First those that the recommended strategy got wrong and others right, the more others the
    earlier; then those that it got right and others wrong, the more evenly divided the earlier;
    last those that all got wrong in different ways. Within each the surest mistake leads. Without
    a recommended strategy the more evenly divided come first.
    """
    split = [
        one for one in answered if len({answer.predicted for answer in one.answers.values()}) > 1
    ]
    return sorted(split, key=lambda one: (*_place(one, recommended), -_surest(one), one.image))


def wrong(answered: Sequence[ImageAnswers], strategy: str) -> list[ImageAnswers]:
    """Return the images that a strategy answered wrongly."""
    return [one for one in answered if strategy in one.answers and not one.right(strategy)]


def _place(one: ImageAnswers, recommended: str | None) -> tuple[int, float]:
    right = sum(one.right(name) for name in one.answers)
    share = right / len(one.answers)
    if not right:
        return 2, 0.0
    if recommended in one.answers and not one.right(str(recommended)):
        return 0, -share
    return 1, abs(share - 0.5)


def _surest(one: ImageAnswers) -> float:
    """Return the confidence of the surest wrong answer."""
    return max(a.confidence for name, a in one.answers.items() if not one.right(name))
