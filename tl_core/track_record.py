"""What finished comparisons reached with each model, to hold earlier scores against."""

from collections.abc import Iterable

from tl_core import stats
from tl_core.pairing import correctness
from tl_core.record import Record


def best_accuracy(found: Record) -> float | None:
    """Return the highest test accuracy (fraction) of strategies that reuse the model and learn.

    None where none of them finished, or where steps or learning rate were somebody's own: such runs
    say how training was set up, not how good the model is.
    """
    started = found.started
    if started is None or (started.config.steps, started.config.learning_rate) != (None, None):
        return None
    learns = {s.name for s in found.strategies if s.pretrained and s.solver != "none"}
    reached = [stats.mean(hits) for name, hits in correctness(found).items() if name in learns]
    return max(reached, default=None)


def best_by_model(reached: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    """Return the highest of the accuracies of each model, of pairs (model, accuracy or None)."""
    best: dict[str, float] = {}
    for model, accuracy in reached:
        if accuracy is not None:
            best[model] = max(accuracy, best.get(model, 0.0))
    return best
