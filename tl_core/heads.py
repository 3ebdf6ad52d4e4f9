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

DROPOUT = 0.2

# Kornblith et al. 2019: 45 strengths of L2, log-spaced; strongest first, each warm-starts the next.
PENALTIES = np.logspace(5, -6, 45)
# Largest gradient component, per image, at which a solution counts as converged.
GRADIENT_TOLERANCE = 1e-4


class Head(nn.Module):
    """Dropout and one linear layer on pooled features: N x D to N x C, always in float32."""

    def __init__(self, features: int, classes: int) -> None:
        """Create the head at torch's default random initialisation."""
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
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


def convex_probe(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    validation_features: NDArray[np.floating],
    validation_labels: NDArray[np.integer],
    classes: int,
) -> Probe:
    """Return the multinomial logistic regression whose L2 strength the validation part prefers.

    Minimises sum of cross-entropy + penalty / 2 * |weight|^2 (bias free) over z-scored features
    (N x D), solved by L-BFGS for every strength of `PENALTIES`. Chosen: the strongest penalty whose
    validation log-loss lies within one standard error of the lowest (Breiman et al. 1984).
    Log-loss, because over eleven decades accuracy hardly moves until the probe is ruined: the same
    rule on accuracy cost 6 points on hymenoptera. The returned weights apply to features as they
    are. Raises RuntimeError if the chosen solution has not converged.
    """
    centre = features.mean(axis=0, dtype=np.float64)
    scale = features.std(axis=0, dtype=np.float64)
    scale[scale < 1e-8] = 1.0
    scored = (features - centre) / scale
    # With an L2 penalty the solution lies in the span of the images: solving there is exact and
    # has at most as many dimensions as there are images.
    _, _, basis = np.linalg.svd(scored, full_matrices=False)
    rotated = scored @ basis.T
    targets = np.eye(classes)[labels]
    candidates = []
    start = np.zeros((classes, rotated.shape[1] + 1))
    for penalty in PENALTIES:
        start, gradient, iterations = _solve(rotated, targets, penalty, start)
        weight = start[:, :-1] @ basis / scale
        candidates.append(
            Probe(weight, start[:, -1] - weight @ centre, float(penalty), gradient, iterations)
        )
    chosen = _choose(candidates, validation_features, validation_labels)
    if chosen.gradient > GRADIENT_TOLERANCE:
        raise RuntimeError(
            f"The linear probe did not converge: gradient {chosen.gradient:.1e} per image at "
            f"penalty {chosen.penalty:.1e}, {GRADIENT_TOLERANCE:.0e} is needed."
        )
    return chosen


def _solve(
    features: NDArray[np.float64],
    targets: NDArray[np.float64],
    penalty: float,
    start: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float, int]:
    """Return weights (C x (D + 1), bias last), the largest gradient per image, iterations."""
    images = len(features)

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        solution = flat.reshape(start.shape)
        weight, bias = solution[:, :-1], solution[:, -1]
        log_p = log_softmax(features @ weight.T + bias, axis=1)
        loss = -(targets * log_p).sum() + penalty / 2 * (weight**2).sum()
        error = np.exp(log_p) - targets
        gradient = np.column_stack([error.T @ features + penalty * weight, error.sum(axis=0)])
        return loss / images, gradient.ravel() / images

    found = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 2000, "maxfun": 4000, "gtol": GRADIENT_TOLERANCE / 10, "ftol": 0},
    )
    return found.x.reshape(start.shape), float(np.abs(found.jac).max()), int(found.nit)


def _choose(
    candidates: Sequence[Probe],
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
) -> Probe:
    """Return the strongest penalty whose log-loss is within one standard error of the lowest."""
    losses = np.array(
        [metrics.log_losses(probe.probabilities(features), labels) for probe in candidates]
    )
    means = losses.mean(axis=1)
    best = int(means.argmin())
    limit = means[best] + losses[best].std() / np.sqrt(len(labels))
    close = [probe for probe, mean in zip(candidates, means, strict=True) if mean <= limit]
    return max(close, key=lambda probe: probe.penalty)


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
