"""Values with their intervals side by side: what a chart of dots shows."""

from dataclasses import dataclass

from tl_core.answers import Estimate, Stress
from tl_core.variants import VARIANTS

# What learns from the user's images in `questions.stress`; its colour stands for them.
_PROBE = "feature_extraction"


@dataclass(frozen=True)
class Dot:
    """One value. `series` groups dots and names them in a legend, `strategy` gives the colour."""

    label: str
    estimate: Estimate
    series: str = ""
    strategy: str = ""


def stress_dots(found: Stress) -> list[Dot]:
    """Return what every mistake costs in points: the probe's accuracy, and the source task's."""
    dots = [
        Dot(VARIANTS[one.name].title, one.target_loss, "Linear probe on your images", _PROBE)
        for one in found.variants
    ]
    dots += [
        Dot(VARIANTS[one.name].title, one.source_loss, "The model on its own source images")
        for one in found.variants
        if one.source_loss is not None
    ]
    return dots
