"""Labels that the images' own features speak against."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FOLDS: Final = 5
# From this margin on a suspicion is worth a person's time: the model gives another class at least
# half of all probability more than the given one. Quality is (1 - margin) / 2.
CONFIDENT: Final = 0.25

# Principal components that are learnt from.
_COMPONENTS: Final = 128
# Inverse strengths of the penalty on features of unit norm; the first is the strongest.
_STRENGTHS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# More images would only make choosing the penalty, and repeating the folds, slow.
_CHOSEN_ON: Final = 2000
_REPEATED_UP_TO: Final = 5000
_REPEATS: Final = 3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Suspect:
    """An image whose label may be wrong. `quality`: 0 (surely wrong) to 1; labels are indices."""

    image: int
    given: int
    suggested: int
    quality: float


def label_errors(
    features: NDArray[np.float32],
    labels: ArrayLike,
    classes: int,
    seed: int = 0,
    groups: Iterable[Sequence[int]] = (),
) -> list[Suspect]:
    """Return the images whose label confident learning doubts, most suspicious first.

    `features` N x D of a pretrained model, `labels` N; `groups` of copies are never divided between
    folds, where they would vouch for each other. Probabilities are out of sample: a logistic
    regression on the features, cross-validated. Northcutt et al. (2021); ranked by the normalised
    margin. Classes of fewer than 5 images are neither doubted nor suggested.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores
    from threadpoolctl import threadpool_limits

    given = np.asarray(labels, dtype=np.int64)
    copies = _group_numbers(len(given), groups)
    # A class in fewer groups than folds would be missing from one.
    different = np.unique(np.stack([given, copies], axis=1), axis=0)[:, 0]
    judged = np.flatnonzero(np.bincount(different, minlength=classes) >= FOLDS)
    rows = np.flatnonzero(np.isin(given, judged))
    if len(judged) < 2:
        return []
    own, copies = np.searchsorted(judged, given[rows]), copies[rows]
    # Products of small matrices: shared among threads they took up to thirty times as long.
    with threadpool_limits(limits=1):
        probabilities = _out_of_sample(_reduced(features[rows]), own, copies, seed)
    doubted = find_label_issues(own, probabilities, n_jobs=1)
    quality = get_label_quality_scores(own, probabilities, method="normalized_margin")
    probabilities[np.arange(len(own)), own] = -1
    suggested = judged[probabilities.argmax(axis=1)]
    order = np.argsort(quality, kind="stable")
    return [
        Suspect(int(rows[i]), int(given[rows[i]]), int(suggested[i]), float(quality[i]))
        for i in order
        if doubted[i]
    ]


def _group_numbers(total: int, groups: Iterable[Sequence[int]]) -> Ints:
    numbers = np.arange(total, dtype=np.int64)
    for group in groups:
        numbers[list(group)] = min(group)
    return numbers


def _reduced(features: NDArray[np.float32]) -> Floats:
    """Return standardised features on their first components, of unit norm on average."""
    from sklearn.decomposition import PCA

    values = features.astype(np.float64)
    standard = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-6)
    components = min(_COMPONENTS, *standard.shape)
    found: Floats = PCA(components, random_state=0).fit_transform(standard)
    found /= np.sqrt(standard.shape[1])
    return found


def _out_of_sample(inputs: Floats, labels: Ints, groups: Ints, seed: int) -> Floats:
    """Return probabilities N x C, each from models that did not learn from the image's group."""
    strength = _chosen_strength(inputs, labels, groups, seed)
    repeats = _REPEATS if len(labels) <= _REPEATED_UP_TO else 1
    found = [
        _cross_validated(inputs, labels, _folds(labels, groups, seed + repeat), strength)
        for repeat in range(repeats)
    ]
    mean: Floats = np.mean(found, axis=0)
    return mean


def _chosen_strength(inputs: Floats, labels: Ints, groups: Ints, seed: int) -> float:
    """Return the strongest penalty whose log-loss lies within two standard errors of the best."""
    rows = np.arange(len(labels))
    if len(rows) > _CHOSEN_ON:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_CHOSEN_ON])
    inputs, labels, groups = inputs[rows], labels[rows], groups[rows]
    folds = _folds(labels, groups, seed)
    losses: list[Floats] = []
    for strength in _STRENGTHS:
        found = _cross_validated(inputs, labels, folds, strength)
        losses.append(-np.log(np.maximum(found[np.arange(len(labels)), labels], 1e-6)))
        # The loss falls and then rises along the path, and weak penalties take longest.
        if len(losses) > 1 and losses[-1].mean() > losses[-2].mean():
            break
    best = min(losses, key=np.mean)
    most = best.mean() + 2 * best.std() / np.sqrt(len(labels))
    return next(s for s, loss in zip(_STRENGTHS, losses, strict=False) if loss.mean() <= most)


def _folds(labels: Ints, groups: Ints, seed: int) -> list[tuple[Ints, Ints]]:
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    return list(folds.split(labels, labels, groups))


def _cross_validated(
    inputs: Floats, labels: Ints, folds: list[tuple[Ints, Ints]], strength: float
) -> Floats:
    from sklearn.linear_model import LogisticRegression

    found = np.zeros((len(labels), labels.max() + 1))
    for learnt, judged in folds:
        model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
        model.fit(inputs[learnt], labels[learnt])
        # A fold may lack a class: all its images belong to one group.
        found[judged[:, None], model.classes_] = model.predict_proba(inputs[judged])
    return found
