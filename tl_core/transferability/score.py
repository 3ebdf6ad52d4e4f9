"""What a score is: its function, what it means and where it misleads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tl_core.transferability.images import Images, Labels, OfLabels, checked

REPEATS = 10


def _nothing(images: Images, labels: Labels) -> str | None:
    return None


@dataclass(frozen=True)
class Measured:
    """A score on some images, what it gives for shuffled labels, and what to mind about it here."""

    value: float
    shuffled: float
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """A transferability score of target training images, higher is better.

    Called with features N x D, labels N and, where it `needs_source_probabilities`, the source
    model's probabilities N x K; gives a plain float. `prepare` does what depends on features alone,
    so that many labellings of the same images cost little. `caveat` holds on all data, `caution`
    says what misleads on these or None. `on_screen`: shown by default, the others on demand.
    """

    name: str
    title: str
    meaning: str
    prepare: Callable[..., OfLabels]
    caveat: str
    caution: Callable[[Images, Labels], str | None] = _nothing
    needs_source_probabilities: bool = False
    on_screen: bool = False
    higher_is_better: bool = True

    def __call__(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        source_probabilities: ArrayLike | None = None,
        **options: Any,
    ) -> float:
        """Return the score; `options` are the keywords of its function, such as `pca`.

        Raises ValueError for arrays of wrong shape or content and for missing probabilities.
        """
        images, codes = checked(features, labels, source_probabilities)
        return self.prepare(images, **options)(codes)

    def measure(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        source_probabilities: ArrayLike | None = None,
        seed: int = 0,
        repeats: int = REPEATS,
    ) -> Measured:
        """Return the score beside its mean over shuffled labels, with one pass over the features.

        What shuffled labels give is this score's zero on these images: a value near it means that
        the features tell the score nothing. Raises ValueError as a call does.
        """
        images, codes = checked(features, labels, source_probabilities)
        of_labels = self.prepare(images)
        rng = np.random.default_rng(seed)
        shuffled = np.mean([of_labels(rng.permutation(codes)) for _ in range(repeats)])
        found = self.caution(images, codes)
        cautions = (self.caveat,) if found is None else (found, self.caveat)
        return Measured(of_labels(codes), float(shuffled), cautions)
