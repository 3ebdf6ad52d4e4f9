"""What the numbers of images per class say."""

from typing import Final

import numpy as np

from tl_core.checks.checked import Checked, Outcome
from tl_core.checks.inputs import TINY_CLASS, imbalance, tiny_classes
from tl_core.wording import number_of, percent

# The largest class, in sizes of the smallest: from here on accuracy and balanced accuracy differ.
_UNEVEN: Final = 3.0
_VERY_UNEVEN: Final = 10.0


def tiny(checked: Checked) -> Outcome:
    """Find classes with hardly any images."""
    found = tiny_classes(checked.labels, len(checked.dataset.classes))
    if not found:
        return Outcome(f"Every class has at least {TINY_CLASS} images.")
    verb = "has" if len(found) == 1 else "have"
    return Outcome(
        f"{number_of(len(found), 'class', 'classes')} {verb} fewer than {TINY_CLASS} images: "
        f"{checked.classes_of(found)}. One or two of them test, so their recall is chance.",
        "worth a look",
        "Bring more images of them, or leave these classes out.",
        tuple(np.flatnonzero(np.isin(checked.labels, found)).tolist()),
    )


def uneven(checked: Checked) -> Outcome:
    """Tell how uneven the classes are."""
    counts = np.bincount(checked.labels, minlength=len(checked.dataset.classes))
    ratio = imbalance(checked.labels)
    if ratio == 1:
        return Outcome(f"Every class has {number_of(int(counts.max()), 'image')}.")
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    text = (
        f"The largest class, {checked.classes_of([largest])}, has {counts[largest]:,} images, the "
        f"smallest, {checked.classes_of([smallest])}, {counts[smallest]:,}: {ratio:.1f} times as "
        "many."
    )
    if ratio < _UNEVEN:
        return Outcome(text)
    guessing = percent(counts.max() / counts.sum())
    return Outcome(
        f"{text} Always answering the largest class is right for {guessing} of all images.",
        "serious" if ratio >= _VERY_UNEVEN else "worth a look",
        "Judge by balanced accuracy, and bring more images of small classes.",
    )
