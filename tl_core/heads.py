"""What sits on the backbone: the linear head, its convex solution, the zero-shot head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from torch import Tensor, nn

from tl_core import metrics
from tl_core.regularisation import DROPOUT

# Kornblith et al. 2019: 45 strengths of L2, log-spaced; strongest first, each warm-starts the next.
PENALTIES = np.logspace(5, -6, 45)
# Largest gradient component, per image, at which a solution counts as converged.
GRADIENT_TOLERANCE = 1e-4
# The path ends when this many strengths in a row (two decades) were beyond one standard error of
# the best: what comes later overfits more.
BEYOND = 8
# Nats of log-loss under which probes are equally good: on separable data it falls for ever.
NEGLIGIBLE = 1e-3
# Values of all feature matrices solved together; beyond, sharing a call gains nothing.
LARGEST_BATCH = 2**24


class Head(nn.Module):
    """Dropout and one linear layer on pooled features: N x D to N x C, always in float32."""

    def __init__(self, features: int, classes: int, dropout: float = DROPOUT) -> None:
        """Create the head at torch's default random initialisation."""
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits."""
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.linear(self.dropout(features.float()))
            return logits


@dataclass(frozen=True)
class Probe:
    """A linear probe: logits = features @ weight.T + bias, with how it was found.

    `gradient` is the largest component of the objective's gradient, per image, at the solution.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    penalty: float
    gradient: float
    iterations: int

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return class probabilities (N x C) of features (N x D)."""
        probabilities: NDArray[np.float64] = softmax(
            features.astype(np.float64) @ self.weight.T + self.bias, axis=1
        )
        return probabilities


@dataclass(frozen=True)
class ProbeTask:
    """One probe to solve: rows of a feature matrix to fit, and rows that choose the penalty."""

    train: Sequence[int]
    validation: Sequence[int]


def convex_probes(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    tasks: Sequence[ProbeTask],
    classes: int,
    balanced: bool = False,
) -> list[Probe]:
    """Return multinomial logistic regressions whose L2 strength the validation rows prefer.

    One probe a task, all on the same feature matrix (N x D; labels: N) and solved together: seeds,
    folds or amounts of data. Each minimises sum of cross-entropy + penalty / 2 * |weight|^2 (bias
    free) over features z-scored by its own training rows, by L-BFGS for one strength of
    `PENALTIES` after the other. Chosen: the strongest penalty whose validation log-loss lies
    within one standard error of the lowest (Breiman et al. 1984). Log-loss, because over eleven
    decades accuracy hardly moves until the probe is ruined: the same rule on accuracy cost 6
    points on hymenoptera. `balanced`: every class counts the same, in fitting and choosing, however
    few images it has. The returned weights apply to features as they are. Raises RuntimeError
    if a chosen solution has not converged.
    """
    probes: list[Probe] = []
    start = 0
    while start < len(tasks):
        rows, stop = 0, start
        while stop < len(tasks) and (stop == start or rows * features.shape[1] <= LARGEST_BATCH):
            rows += len(tasks[stop].train)
            stop += 1
        group = [_Problem(features, labels, task, classes, balanced) for task in tasks[start:stop]]
        probes += _solved_path(group)
        start = stop
    return probes


def class_weights(labels: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """Return a weight for each class, so that all weigh the same and images 1 on average.

    N / (C n_c) over the C classes that occur among the labels (N); 0 for one that does not.
    """
    counts = np.bincount(labels, minlength=classes)
    occurring = np.count_nonzero(counts)
    weights: NDArray[np.float64] = np.where(
        counts > 0, len(labels) / (occurring * np.maximum(counts, 1)), 0.0
    )
    return weights


class _Problem:
    """One task in the coordinates in which it is solved, with the candidates found so far.

    With an L2 penalty the solution lies in the span of the images: solving there is exact and has
    at most as many dimensions as there are images.
    """

    def __init__(
        self,
        features: NDArray[np.floating],
        labels: NDArray[np.integer],
        task: ProbeTask,
        classes: int,
        balanced: bool,
    ) -> None:
        train, validation = list(task.train), list(task.validation)
        chosen = features[train].astype(np.float64)
        self.centre, self.scale = chosen.mean(axis=0), chosen.std(axis=0)
        self.scale[self.scale < 1e-8] = 1.0
        scored = (chosen - self.centre) / self.scale
        _, _, self.basis = np.linalg.svd(scored, full_matrices=False)
        self.rotated = scored @ self.basis.T
        weights = class_weights(labels[train], classes) if balanced else np.ones(classes)
        self.targets = (np.eye(classes) * weights)[labels[train]]
        self.validation, self.labels = features[validation], labels[validation]
        # Mean 1 over the validation rows, so that mean losses stay in nats.
        counted = weights[self.labels]
        self.importance = counted / counted.mean()
        self.candidates: list[Probe] = []
        self.losses: list[NDArray[np.float64]] = []

    def add(
        self, solution: NDArray[np.float64], penalty: float, gradient: float, iterations: int
    ) -> None:
        """Keep a solution (C x (rank + 1), bias last) and what the validation rows say of it."""
        weight = solution[:, :-1] @ self.basis / self.scale
        bias = solution[:, -1] - weight @ self.centre
        probe = Probe(weight, bias, penalty, gradient, iterations)
        self.candidates.append(probe)
        found = probe.probabilities(self.validation)
        self.losses.append(self.importance * metrics.log_losses(found, self.labels))

    def _close(self) -> list[bool]:
        means = [float(losses.mean()) for losses in self.losses]
        best = int(np.argmin(means))
        error = self.losses[best].std() / np.sqrt(len(self.labels))
        limit = means[best] + max(error, NEGLIGIBLE)
        return [mean <= limit for mean in means]

    @property
    def passed(self) -> bool:
        """Whether no weaker penalty can be chosen any more."""
        if self.losses and self.losses[-1].mean() < NEGLIGIBLE:
            return True
        return len(self.losses) > BEYOND and not any(self._close()[-BEYOND:])

    def chosen(self) -> Probe:
        """Return the strongest penalty whose log-loss is within one standard error of the best."""
        probe = self.candidates[self._close().index(True)]
        if probe.gradient > GRADIENT_TOLERANCE:
            raise RuntimeError(
                f"The linear probe did not converge: gradient {probe.gradient:.1e} per image at "
                f"penalty {probe.penalty:.1e}, {GRADIENT_TOLERANCE:.0e} is needed."
            )
        return probe


def _solved_path(problems: Sequence[_Problem]) -> list[Probe]:
    """Return every problem's chosen probe; each strength starts from the one before."""
    rows = max(len(problem.rotated) for problem in problems)
    rank = max(problem.rotated.shape[1] for problem in problems)
    classes = problems[0].targets.shape[1]
    # Padded with rows of no target and columns of zeros, which leave every solution as it is.
    matrix = np.zeros((len(problems), rows, rank))
    targets = np.zeros((len(problems), rows, classes))
    for place, problem in enumerate(problems):
        images, own_rank = problem.rotated.shape
        matrix[place, :images, :own_rank] = problem.rotated
        targets[place, :images] = problem.targets
    solution = np.zeros((len(problems), classes, rank + 1))
    for penalty in PENALTIES:
        solution, gradients, iterations = _solve(matrix, targets, float(penalty), solution)
        for problem, found, gradient in zip(problems, solution, gradients, strict=True):
            if problem.passed:
                continue  # its choice must not depend on what is solved beside it
            own = np.column_stack([found[:, : problem.rotated.shape[1]], found[:, -1]])
            problem.add(own, float(penalty), float(gradient), iterations)
        if all(problem.passed for problem in problems):
            break
    return [problem.chosen() for problem in problems]


def _solve(
    features: NDArray[np.float64],
    targets: NDArray[np.float64],
    penalty: float,
    start: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return weights (problems x C x (D + 1), bias last), largest gradients per image, iterations.

    `features` problems x N x D, `targets` problems x N x C; a row without a target does not count.
    """
    counted = targets.sum(axis=2, keepdims=True)
    images = counted.sum(axis=1, keepdims=True)

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        solution = flat.reshape(start.shape)
        weight, bias = solution[:, :, :-1], solution[:, :, -1]
        log_p = log_softmax(features @ weight.transpose(0, 2, 1) + bias[:, None], axis=2)
        losses = -(targets * log_p).sum(axis=(1, 2)) + penalty / 2 * (weight**2).sum(axis=(1, 2))
        error = np.exp(log_p) * counted - targets
        gradient = np.empty_like(solution)
        gradient[:, :, :-1] = error.transpose(0, 2, 1) @ features + penalty * weight
        gradient[:, :, -1] = error.sum(axis=1)
        return float((losses / images[:, 0, 0]).sum()), (gradient / images).ravel()

    found = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 2000, "maxfun": 4000, "gtol": GRADIENT_TOLERANCE / 10, "ftol": 0},
    )
    largest = np.abs(found.jac.reshape(start.shape)).max(axis=(1, 2))
    return found.x.reshape(start.shape), largest, int(found.nit)


def zero_shot_probabilities(
    source_logits: NDArray[np.floating],
    class_map: Mapping[str, Sequence[int]],
    classes: Sequence[str],
) -> NDArray[np.float64]:
    """Return scores N x C: each class's share of source probability over the mapped source classes.

    score(y) = sum of p(z) over z in map(y), normalised over y. A class that maps to nothing scores
    0 and is never predicted unless all are.
    """
    p = softmax(source_logits.astype(np.float64), axis=1)
    scores = np.column_stack([p[:, list(class_map.get(name, ()))].sum(axis=1) for name in classes])
    total = scores.sum(axis=1, keepdims=True)
    normalised: NDArray[np.float64] = scores / np.where(total > 0, total, 1.0)
    return normalised
