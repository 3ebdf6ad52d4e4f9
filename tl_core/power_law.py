"""Power laws fitted to errors at several sizes: error = a + b * (n / n0) ** -c."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tl_core.stats import Matrix

# From a fall that any extrapolation to twice the size would miss, to one that is over after the
# first size: a lower upper end would promise gains to curves that are level already.
EXPONENTS: Final = np.geomspace(0.1, 8.0, 80)


def fitted(
    sizes: NDArray[np.float64], errors: Matrix, weights: NDArray[np.float64]
) -> tuple[Matrix, NDArray[np.float64]]:
    """Return coefficients (a, b, c), fits x 3, of the least weighted squares, and their sums.

    `sizes` P, ascending; `errors` fits x P (fractions); `weights` P. With n0 the smallest size; a
    and b are at least 0, c is one of EXPONENTS. For a given exponent the rest is linear, so no fit
    depends on where a search begins.
    """
    best = np.full(len(errors), np.inf)
    found = np.zeros((len(errors), 3))
    for exponent in EXPONENTS:
        powers = (sizes / sizes[0]) ** -exponent
        for a, b in _candidates(powers, errors, weights):
            residuals = errors - a[:, None] - b[:, None] * powers
            squares = (weights * residuals**2).sum(axis=1)
            better = (a >= 0) & (b >= 0) & (squares < best - 1e-15)
            found[better] = np.column_stack([a, b, np.full(len(a), exponent)])[better]
            best = np.where(better, squares, best)
    return found, best


def errors_at(coefficients: Matrix, sizes: NDArray[np.float64], first: float) -> Matrix:
    """Return the errors, fits x sizes, of coefficients that were fitted with n0 = `first`."""
    a, b, c = (column[:, None] for column in coefficients.T)
    errors: Matrix = a + b * (sizes / first) ** -c
    return errors


def _candidates(
    powers: NDArray[np.float64], errors: Matrix, weights: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return (a, b) without bounds, with a = 0, and with b = 0: the best allowed is among them."""
    total = weights.sum()
    mean_power, mean_error = weights @ powers / total, errors @ weights / total
    spread = weights @ (powers - mean_power) ** 2
    slope = (errors - mean_error[:, None]) @ (weights * (powers - mean_power)) / spread
    through_zero = errors @ (weights * powers) / (weights @ powers**2)
    nothing = np.zeros(len(errors))
    return [
        (mean_error - slope * mean_power, slope),
        (nothing, through_zero),
        (mean_error, nothing),
    ]
