"""The sweeps there are, and the points of each: what is varied, and what is held equal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tl_core import catalog, sweep_axes
from tl_core.catalog import Model
from tl_core.config import ComparisonConfig, NotPossible, Setting
from tl_core.sweep import Sweep, SweepName
from tl_core.sweep_axes import Axis, Values
from tl_core.sweep_models import models
from tl_core.sweep_settings import settled

# Makes the points of a sweep from a comparison in which nothing is tried, its model, and values.
Make: TypeAlias = Callable[[ComparisonConfig, Model, Values | None], Axis]

# More points would be a day's work, and a chart nobody can read.
MOST_POINTS: Final = 40


@dataclass(frozen=True)
class SweepKind:
    """A sweep in words. `axis` and `unit` name what is varied, `unit` empty where it has none.

    `needs`: what there has to be. `held`: what stays equal over the points. `says`: what the result
    tells, and what it does not.
    """

    name: SweepName
    title: str
    question: str
    axis: str
    unit: str
    needs: str
    held: str
    says: str
    make: Make


SWEEPS: Final[dict[SweepName, SweepKind]] = {
    kind.name: kind
    for kind in (
        SweepKind(
            "labels",
            "More labels",
            "Would more labelled images help, and which strategy uses them best?",
            "Training images per class",
            "images per class",
            "8 training images of the smallest class, better 40.",
            "The test images, and every strategy's rate. The images at a size are among those at "
            "every larger one.",
            "How accuracy grows with labels, what the next images may be worth, and from where on "
            "one strategy overtakes another.",
            sweep_axes.labels,
        ),
        SweepKind(
            "depth",
            "How much to train",
            "How many blocks should be trained, counted from the output?",
            "Trained blocks",
            "blocks",
            "A training for each block of the model.",
            "Data, steps, and one rate for all depths.",
            "Where training more blocks stops to pay, and what each depth forgets.",
            sweep_axes.depth,
        ),
        SweepKind(
            "rate",
            "Learning rate",
            "How much hangs on the learning rate?",
            "Learning rate",
            "",
            "A strategy that is trained step by step.",
            "Data, steps and weight decay.",
            "The range of rates that work, and whether the rate in use lies well inside it.",
            sweep_axes.rate,
        ),
        SweepKind(
            "steps",
            "Longer training",
            "Would longer training help?",
            "Training steps",
            "steps of 32 images",
            "A strategy that is trained step by step.",
            "Data, rates and weight decay; the schedule is stretched to the steps.",
            "Whether a strategy has stopped gaining, and whether it forgets more the longer it "
            "trains.",
            sweep_axes.steps,
        ),
        SweepKind(
            "model",
            "Another model",
            "Which of the models on this machine suits these images best?",
            "Model",
            "",
            "Weights of two models at least.",
            "Data, strategies and the budget; each model has its own rate and preprocessing.",
            "What each model reaches, and how well the scores foretold it that need no training.",
            models,
        ),
        SweepKind(
            "input_size",
            "Input size",
            "Would larger images help, or smaller ones do?",
            "Input size",
            "pixels",
            "A model whose input may have another size.",
            "Data, rates and steps.",
            "What a larger input is worth, and what it costs in seconds.",
            sweep_axes.input_size,
        ),
        SweepKind(
            "augmentation",
            "Augmentation",
            "Does varying the training images help?",
            "Augmentation",
            "",
            "A strategy that is trained step by step.",
            "Data, rates and steps.",
            "Whether crops or colours matter on these images.",
            sweep_axes.augmentation,
        ),
        SweepKind(
            "regularisation",
            "Against overfitting",
            "Which remedy for overfitting helps here?",
            "Regularisation",
            "",
            "A strategy that is trained step by step.",
            "Data, rates and steps.",
            "What each remedy alone changes, compared with none.",
            sweep_axes.regularisation,
        ),
    )
}


def points(
    name: SweepName,
    base: ComparisonConfig,
    values: Values | None = None,
    settings: Mapping[str, Setting] | None = None,
) -> Sweep:
    """Return a sweep of a comparison: one point for each value, in the order of the axis.

    `values`: numbers or names instead of the default ones, `all` of labels. `settings`: what trials
    chose earlier, by strategy (`settings_of`); else every point trains with the rate that `base`
    says or the model's own. Nothing is tried inside a sweep, so all strategies had equal trials.
    Reads the data set and which weights are here. Raises NotPossible or BadInput with a sentence
    for the user.
    """
    row = catalog.find(base.backbone)
    made = SWEEPS[name].make(settled(base, row, settings), row, values)
    if len(made.points) < 2:
        raise NotPossible(" ".join(["A sweep needs two points at least.", *made.notes]))
    if len(made.points) > MOST_POINTS:
        raise NotPossible(f"A sweep has {MOST_POINTS} points at most, not {len(made.points)}.")
    return Sweep(name=name, points=tuple(made.points), notes=tuple(made.notes))
