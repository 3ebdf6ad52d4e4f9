"""What a lesson is: a prediction, the comparison that decides it, what to say of each ending."""

from dataclasses import dataclass

from tl_core.answers import Estimate
from tl_core.pitfalls import Asked, Judgement, Preset
from tl_core.pitfalls.card import judge, option


@dataclass(frozen=True)
class Lesson:
    """One lesson of `minutes` in a class, its run included.

    `question` is the line on the card, `setting` what the images are, `predict` what to guess
    before the run; `options`, `bounds` and `unit` are as in a pitfall. `experiment` (`runs` in
    words) runs on the sample set `sample`, with drawn source images where `source_images`; without
    one the pitfall card named `card` is the experiment. `look`: what to look at in the full result.
    What is said in the end is chosen by the measured interval alone: `more` where it lies above 0,
    `less` below, `tied` where it contains 0.
    """

    name: str
    title: str
    icon: str
    minutes: int
    question: str
    setting: str
    predict: str
    options: tuple[str, ...]
    bounds: tuple[float, ...]
    unit: str
    sample: str
    experiment: tuple[Preset | Asked, ...]
    runs: str
    look: str
    more: str
    less: str
    tied: str
    source_images: bool = False
    card: str | None = None

    def option(self, value: float) -> int:
        """Return the place of the option whose range holds a value."""
        return option(self.bounds, value)

    def judge(self, guess: int, measured: Estimate) -> Judgement:
        """Return whether a guess was right, wrong, or not excluded by the interval."""
        return judge(self.bounds, guess, measured)

    def conclusion(self, measured: Estimate) -> str:
        """Return what follows from a measured interval: a difference only where it excludes 0."""
        if measured.low > 0:
            return self.more
        return self.less if measured.high < 0 else self.tied
