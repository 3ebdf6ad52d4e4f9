"""Is the data sound? Every check there is, what it means, and all of them run at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.checks import classes, copies, judged, pictures
from tl_core.checks.checked import Checked, Outcome
from tl_core.checks.inputs import (
    InputStatistics,
    blank_images,
    imbalance,
    input_statistics,
    tiny_classes,
)
from tl_core.checks.outlying import Outlier, outliers
from tl_core.checks.suspects import CONFIDENT, Suspect, label_errors
from tl_core.datasets import Dataset, Split
from tl_core.findings import Finding
from tl_core.image_facts import Facts

__all__ = [
    "CHECKS",
    "CONFIDENT",
    "Check",
    "InputStatistics",
    "Outlier",
    "Suspect",
    "blank_images",
    "findings",
    "imbalance",
    "input_statistics",
    "label_errors",
    "outliers",
    "tiny_classes",
]


@dataclass(frozen=True)
class Check:
    """One check: its name, its meaning in one line, and what runs it (None: it cannot be told)."""

    title: str
    meaning: str
    run: Callable[[Checked], Outcome | None]


CHECKS: Final[dict[str, Check]] = {
    "copies_across_parts": Check(
        "Same picture in several parts",
        "A test image that also trains, as a copy or a second photograph, makes accuracy look "
        "better than it is.",
        copies.across_parts,
    ),
    "conflicting_labels": Check(
        "Same picture under two labels",
        "Copies of one picture that bear different labels: at least one of them is wrong.",
        copies.conflicting_labels,
    ),
    "label_errors": Check(
        "Labels that look wrong",
        "A model that learnt from the other images expects another class.",
        judged.wrong_labels,
    ),
    "outliers": Check(
        "Images unlike all others",
        "What stands far apart often does not belong: placeholders, screenshots, other subjects.",
        judged.unlike_others,
    ),
    "blank_images": Check(
        "Empty pictures",
        "Pictures of one colour teach nothing.",
        pictures.blank,
    ),
    "near_copies": Check(
        "Copies within a part",
        "Re-encoded, resized, cropped or mirrored copies: fewer pictures than there are files.",
        copies.near_copies,
    ),
    "exact_copies": Check(
        "Exact copies",
        "Files with the same pixels, which always stay in one part of a split.",
        copies.exact_copies,
    ),
    "tiny_classes": Check(
        "Classes with few images",
        "A class of a handful of images is learnt, and tested, by chance.",
        classes.tiny,
    ),
    "imbalance": Check(
        "How even the classes are",
        "Where one class is far larger, a high accuracy may mean that the others are ignored.",
        classes.uneven,
    ),
    "mixed_colour": Check(
        "Grey among colour",
        "If one class is grey more often, a model can learn that instead of the subject.",
        pictures.mixed_colour,
    ),
    "constant_channel": Check(
        "Missing colour channels",
        "A channel that never varies was lost when the file was made.",
        pictures.constant_channel,
    ),
    "low_contrast": Check(
        "Very low contrast",
        "Where little can be told apart, there is little to learn.",
        pictures.low_contrast,
    ),
    "upscaled": Check(
        "Smaller than the model's input",
        "Small images are enlarged and stay blurred; the model was trained on sharp ones.",
        pictures.upscaled,
    ),
    "extreme_aspect": Check(
        "Very long pictures",
        "The model sees the middle of a picture; of a very long one that is little.",
        pictures.extreme_aspect,
    ),
}


def findings(
    dataset: Dataset,
    facts: Facts,
    features: NDArray[np.float32] | None,
    split: Split,
    resize: int | None = None,
) -> list[Finding]:
    """Return the outcome of every check that can be run, in the order of `CHECKS`.

    `features` N x D of a pretrained model: without them labels and outliers are not judged, and
    copies are found by hashes alone. `resize`: the shorter side that the model's images are brought
    to, in pixels. A check that found nothing says so, as `fine`.
    """
    checked = Checked(dataset, facts, features, split, resize)
    found = []
    for kind, check in CHECKS.items():
        outcome = check.run(checked)
        if outcome is not None:
            found.append(_finding(kind, check.title, outcome))
    return found


def _finding(kind: str, title: str, outcome: Outcome) -> Finding:
    return Finding(
        kind=kind,
        title=title,
        text=outcome.text,
        severity=outcome.severity,
        remedy=outcome.remedy,
        images=outcome.images,
        groups=outcome.groups,
        suggested=outcome.suggested,
    )
