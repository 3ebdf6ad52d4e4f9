"""Weights between two models of one architecture (Wortsman et al. 2022)."""

from collections.abc import Mapping

from torch import Tensor


def between(
    start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Return (1 - share) * start + share * end of two state dicts; the ends bit for bit.

    Integers, such as counters of batches, are those of the nearer end.
    """
    if share in (0.0, 1.0):
        return {name: value.clone() for name, value in (end if share else start).items()}
    found = {}
    for name, first in start.items():
        last = end[name]
        if first.is_floating_point():
            found[name] = (1 - share) * first + share * last
        else:
            found[name] = (last if share >= 0.5 else first).clone()
    return found
