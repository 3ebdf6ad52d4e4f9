"""How training went: curves in words, starts that came to nothing, what trials say of the rate."""

from tl_core.learning.curve import Curve, curve, curve_words, curves
from tl_core.learning.starts import Starts, starts, stayed_at_guessing
from tl_core.learning.trials import Trials, trials

__all__ = [
    "Curve",
    "Starts",
    "Trials",
    "curve",
    "curve_words",
    "curves",
    "starts",
    "stayed_at_guessing",
    "trials",
]
