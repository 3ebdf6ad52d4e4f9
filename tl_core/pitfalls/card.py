"""What a pitfall is: a question, a small experiment that may show it, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tl_core.answers import Estimate, Question
from tl_core.config import ClassBalance

View = Literal["dots", "balance", "licences"]
Judgement = Literal["right", "not excluded", "wrong"]


@dataclass(frozen=True)
class Preset:
    """A small comparison: strategies by name, steps and rate instead of the budget's."""

    strategies: tuple[str, ...]
    steps: int | None = None
    learning_rate: float | None = None
    seeds: int = 1
    class_balance: ClassBalance = "none"


@dataclass(frozen=True)
class Asked:
    """A question of `questions`, with what it needs beside data and model."""

    kind: Question
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pitfall:
    """One way in which reusing a model goes wrong.

    `question` is the line on the card, `predict` what to guess before the run. `options` are ranges
    of what is measured, in ascending order: option i holds from `bounds[i - 1]` up to, not
    including, `bounds[i]`, in `unit`. `experiment` (`runs` in words) runs on the sample set
    `sample`, with source images where `source_images`; nothing at all where it only looks things
    up. `own_data`: it also makes sense on the user's images; `setting` and `here`, the reason why
    it happens, are said of the sample alone. `what`, `recognise` and `remedy` explain it
    afterwards, `page` is where the app deals with it.
    """

    name: str
    title: str
    icon: str
    question: str
    setting: str
    predict: str
    options: tuple[str, ...]
    bounds: tuple[float, ...]
    unit: str
    sample: str
    experiment: tuple[Preset | Asked, ...]
    runs: str
    here: str
    what: str
    recognise: str
    remedy: str
    page: Literal["lab", "data", "model"] = "lab"
    source_images: bool = False
    own_data: bool = True
    view: View = "dots"

    def option(self, value: float) -> int:
        """Return the place of the option whose range holds a value."""
        return option(self.bounds, value)

    def judge(self, guess: int, measured: Estimate) -> Judgement:
        """Return whether a guess was right, wrong, or not excluded by the interval."""
        return judge(self.bounds, guess, measured)


def option(bounds: Sequence[float], value: float) -> int:
    """Return which of the ranges between ascending bounds holds a value."""
    return sum(value >= bound for bound in bounds)


def judge(bounds: Sequence[float], guess: int, measured: Estimate) -> Judgement:
    """Return whether the guess of a range was right, wrong, or not excluded by the interval."""
    if guess == option(bounds, measured.value):
        return "right"
    if option(bounds, measured.low) <= guess <= option(bounds, measured.high):
        return "not excluded"
    return "wrong"
