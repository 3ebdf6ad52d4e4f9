"""What the pictures themselves say: empty, dim, grey among colours, too small, too long."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.checks.checked import Checked, Group, Outcome
from tl_core.checks.inputs import (
    EXTREME_ASPECT,
    LOW_CONTRAST,
    blank_images,
    is_extreme,
    is_upscaled,
)
from tl_core.wording import number_of, percent

# Where grey pictures are so much more frequent in one class, a model can learn that instead.
_TELLING: Final = 0.25
# Some small images are usual; more than so many tell of thumbnails.
_MANY: Final = 0.1


def blank(checked: Checked) -> Outcome:
    """Find pictures with next to nothing on them."""
    found = blank_images(checked.facts)
    if not found:
        return Outcome("No empty picture.")
    return Outcome(
        f"{_share(checked, found)} of one colour, but for a little: empty, or a placeholder.",
        "worth a look",
        "Leave out those that show nothing of their class.",
        found,
    )


def low_contrast(checked: Checked) -> Outcome:
    """Find pictures in which little can be told apart."""
    facts = checked.facts
    found = _where((facts.contrast < LOW_CONTRAST) & ~facts.blank)
    if not found:
        return Outcome("No picture of very low contrast.")
    return Outcome(
        f"{_share(checked, found)} of very low contrast (brightness varies by less than "
        f"{LOW_CONTRAST:.0f} of 255).",
        "worth a look",
        "Look whether they can be told apart by eye; leave out those that cannot.",
        found,
    )


def mixed_colour(checked: Checked) -> Outcome:
    """Find grey pictures among coloured ones, and whether they give a class away."""
    grey = checked.facts.greyscale
    if not grey.any() or grey.all():
        return Outcome("All pictures are grey." if grey.any() else "All pictures are in colour.")
    shares = _per_class(checked, grey)
    least, most = int(np.nanargmin(shares)), int(np.nanargmax(shares))
    text = f"{_share(checked, _where(grey))} grey among pictures in colour"
    if shares[most] - shares[least] < _TELLING:
        return Outcome(f"{text}, in all classes alike.", images=_where(grey))
    return Outcome(
        f"{text}: {percent(shares[most])} of {checked.classes_of([most])}, "
        f"{percent(shares[least])} of {checked.classes_of([least])}. A model can learn that "
        "instead of what is shown.",
        "worth a look",
        "Bring pictures of the same kind for every class, or make all of them grey.",
        _where(grey),
    )


def constant_channel(checked: Checked) -> Outcome:
    """Find pictures that lack a colour channel."""
    facts = checked.facts
    found = _where(facts.constant_channel & ~facts.blank)
    if not found:
        return Outcome("Every colour channel varies in every picture.")
    return Outcome(
        f"{_share(checked, found)} with a colour channel that is the same all over.",
        "worth a look",
        "Look how the files were made: a channel may have been lost.",
        found,
    )


def upscaled(checked: Checked) -> Outcome | None:
    """Find pictures that are smaller than the model's input; None where that is not known."""
    if checked.resize is None:
        return None
    found = _where(is_upscaled(checked.facts, checked.resize))
    if not found:
        return Outcome(f"Every picture has the {checked.resize} pixels that the model looks at.")
    many = len(found) > _MANY * len(checked.labels)
    return Outcome(
        f"{_share(checked, found)} smaller than the {checked.resize} pixels that the model looks "
        "at: they are enlarged and stay blurred.",
        "worth a look" if many else "fine",
        "Bring larger originals, or choose a model with a smaller input." if many else "",
        found,
    )


def extreme_aspect(checked: Checked) -> Outcome:
    """Find pictures of which a centre crop leaves out most."""
    found = _where(is_extreme(checked.facts))
    if not found:
        return Outcome(f"No picture longer than {EXTREME_ASPECT}:1.")
    return Outcome(
        f"{_share(checked, found)} longer than {EXTREME_ASPECT}:1, of which the model sees the "
        "middle alone.",
        "worth a look",
        "Crop them to what they are about.",
        found,
    )


def _share(checked: Checked, found: Group) -> str:
    return f"{number_of(len(found), 'image')} ({percent(len(found) / len(checked.labels))})"


def _where(flags: NDArray[np.bool_]) -> Group:
    return tuple(np.flatnonzero(flags).tolist())


def _per_class(checked: Checked, flags: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of flagged images of each class; NaN for a class without images."""
    classes = len(checked.dataset.classes)
    counts = np.bincount(checked.labels, minlength=classes)
    with np.errstate(invalid="ignore"):
        found: NDArray[np.float64] = (
            np.bincount(checked.labels, weights=flags, minlength=classes) / counts
        )
    return found
