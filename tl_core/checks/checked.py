"""What every check looks at, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.datasets import Dataset, Part, Split
from tl_core.findings import Severity
from tl_core.image_facts import Facts
from tl_core.near_duplicates import Pair, find_pairs, groups

Group = tuple[int, ...]

# More names in a sentence are not read.
_MOST_NAMES: Final = 5


@dataclass(frozen=True)
class Checked:
    """A data set with all that is known of it.

    `features` N x D of a pretrained model, None without one; `resize`: the shorter side that this
    model's images are brought to, in pixels.
    """

    dataset: Dataset
    facts: Facts
    features: NDArray[np.float32] | None
    split: Split
    resize: int | None = None

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The label of each image."""
        return np.array([image.label for image in self.dataset.images], dtype=np.int64)

    @cached_property
    def pairs(self) -> list[Pair]:
        """Copies; a mirror image is none where left and right make the class."""
        found = find_pairs(self.facts, self.features)
        return [pair for pair in found if self.dataset.mirror or pair.kind != "mirrored"]

    @cached_property
    def groups(self) -> list[Group]:
        """Images that show the same picture."""
        return groups(self.pairs, len(self.facts))

    @cached_property
    def parts(self) -> dict[int, Part]:
        """The part of each image in the split; images that it leaves out are missing."""
        named: dict[Part, Group] = {
            "train": self.split.train,
            "validation": self.split.validation,
            "test": self.split.test,
        }
        return {index: part for part, images in named.items() for index in images}

    def classes_of(self, labels: Sequence[int]) -> str:
        """Return class names for a sentence."""
        names = [f"'{self.dataset.classes[label]}'" for label in labels[:_MOST_NAMES]]
        more = len(labels) - _MOST_NAMES
        return ", ".join(names) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Outcome:
    """What one check says; the fields are those of a Finding."""

    text: str
    severity: Severity = "fine"
    remedy: str = ""
    images: Group = ()
    groups: tuple[Group, ...] = ()
    suggested: Group = ()
