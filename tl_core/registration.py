"""How alike two pictures are once one is laid on the other: affine registration of small copies.

Small greyscale copies are aligned by Gauss-Newton steps from coarse to fine, then correlated in
their detail alone, so that light, colour and large areas of nothing count little. Many pairs at a
time: everything is P x ... over pairs.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tl_core.cores import cores

# Side of the copies that are registered, in pixels; two coarser levels are averaged from it.
SIDE: Final = 64

Images = NDArray[np.float32]

_BATCH: Final = 64
_LEVELS: Final = (16, 32, 64)
_STEPS: Final = (7, 4, 3)
# Pairs that correlate less after a level are not followed to the next: copies never do.
_LEAST: Final = (0.5, 0.6)

# Blur (pixels of the finest level) whose difference from the picture is aligned, and scored.
_ALIGNED_BLUR: Final = 6.0
_SCORED_BLUR: Final = 3.0
# Detail is divided by its local strength (a blur of its square), plus a few grey levels: flat
# areas hold noise only.
_STRENGTH_BLUR: Final = 6.0
_NOISE: Final = 4.0

# How far a copy may be moved, scaled or turned, in half widths of the picture: 8% cut off on one
# side moves by 0.08; larger warps make different pictures alike.
_MOST_SCALE: Final = 0.25
_MOST_TURN: Final = 0.22
_MOST_SHIFT: Final = 0.3
_LARGEST_STEP: Final = 0.12
_LEAST_OVERLAP: Final = 0.7


class Agreement(NamedTuple):
    """Of each pair: correlation of the aligned detail (P, -1 to 1), and whether mirrored (P)."""

    correlation: NDArray[np.float64]
    mirrored: NDArray[np.bool_]


class Registration:
    """Small greyscale copies of pictures (N x SIDE x SIDE, 0 to 255), ready to be compared."""

    def __init__(self, copies: NDArray[np.uint8]) -> None:
        self.copies = copies
        coarse = [
            _averaged(_band(copies[start : start + _BATCH]), _LEVELS[0])
            for start in range(0, len(copies), _BATCH)
        ]
        self.coarse = np.concatenate(coarse) if coarse else np.zeros((0, 16, 16), np.float32)

    def agreement(self, pairs: NDArray[np.int64], thorough: bool = False) -> Agreement:
        """Return the agreement of pairs (P x 2, indices), each in its better orientation.

        Pairs that a coarse level shows to be different pictures, or that only fit when moved
        further than a copy is, get 0; `thorough` follows every pair to the end.
        """
        if not len(pairs):
            return Agreement(np.zeros(0), np.zeros(0, dtype=bool))
        batches = [pairs[start : start + _BATCH] for start in range(0, len(pairs), _BATCH)]
        with ThreadPoolExecutor(max_workers=cores()) as pool:
            found = list(pool.map(lambda batch: self._batch(batch, thorough), batches))
        return Agreement(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _batch(self, pairs: NDArray[np.int64], thorough: bool) -> Agreement:
        first, second = self.coarse[pairs[:, 0]], self.coarse[pairs[:, 1]]
        start = np.zeros((len(pairs), 2, 3), np.float32)
        start[:, 0, 0] = start[:, 1, 1] = 1
        plain, plain_score = _aligned(first, second, start, _STEPS[0])
        turned, turned_score = _aligned(first, second[:, :, ::-1], start, _STEPS[0])
        mirrored = turned_score > plain_score
        warps = np.where(mirrored[:, None, None], turned, plain)
        scores = np.maximum(plain_score, turned_score)
        kept = np.flatnonzero((scores > _LEAST[0]) | thorough)
        correlation = np.zeros(len(pairs))
        if len(kept):
            correlation[kept] = self._fine(pairs[kept], mirrored[kept], warps[kept], thorough)
        return Agreement(correlation, mirrored)

    def _fine(
        self,
        pairs: NDArray[np.int64],
        mirrored: NDArray[np.bool_],
        warps: NDArray[np.float32],
        thorough: bool,
    ) -> NDArray[np.float64]:
        """Return the correlation of pairs that agree at the coarsest level."""
        pictures = self.copies[pairs]
        pictures[mirrored, 1] = pictures[mirrored, 1, :, ::-1]
        bands = _band(pictures.reshape(-1, SIDE, SIDE)).reshape(pictures.shape)
        middle = _averaged(bands, _LEVELS[1])
        warps, scores = _aligned(middle[:, 0], middle[:, 1], warps, _STEPS[1])
        found = np.zeros(len(pairs))
        kept = np.flatnonzero((scores > _LEAST[1]) | thorough)
        if len(kept):
            bands, pictures = bands[kept], pictures[kept]
            warps, _ = _aligned(bands[:, 0], bands[:, 1], warps[kept], _STEPS[2])
            detail = _detail(pictures.reshape(-1, SIDE, SIDE)).reshape(pictures.shape)
            correlation = _correlated(detail[:, 0], detail[:, 1], warps)
            found[kept] = np.where(_is_near(warps) | thorough, correlation, 0)
        return found


def _band(copies: NDArray[np.uint8]) -> Images:
    """Return the pictures without what changes slowly, such as light."""
    values = copies.astype(np.float32)
    found: Images = values - ndimage.gaussian_filter(values, (0, _ALIGNED_BLUR, _ALIGNED_BLUR))
    return found


def _detail(copies: NDArray[np.uint8]) -> Images:
    """Return fine detail, divided by its local strength."""
    values = copies.astype(np.float32)
    fine = values - ndimage.gaussian_filter(values, (0, _SCORED_BLUR, _SCORED_BLUR))
    power = ndimage.gaussian_filter(fine * fine, (0, _STRENGTH_BLUR, _STRENGTH_BLUR))
    found: Images = fine / (np.sqrt(np.maximum(power, 0)) + np.float32(_NOISE))
    return found


def _averaged(images: Images, side: int) -> Images:
    """Return images (... x H x H) averaged down to `side`."""
    factor = images.shape[-1] // side
    shape = (*images.shape[:-2], side, factor, side, factor)
    found: Images = images.reshape(shape).mean(axis=(-3, -1))
    return found


def _aligned(
    first: Images, second: Images, warps: NDArray[np.float32], steps: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the best warps (P x 2 x 3) of the second images, and their correlations (P).

    Each step solves the normal equations of the affine warp for zero-mean, unit-norm images, with
    the gradient averaged over both (efficient second-order minimisation, Benhimane and Malis 2004).
    """
    second = np.ascontiguousarray(second)
    best, best_warps = np.full(len(first), -1, np.float32), warps.copy()
    for step in range(steps + 1):
        moved, inside = _warped(second, warps)
        fixed, moved = _normalised(first, inside), _normalised(moved, inside)
        scores = (fixed * moved).sum(axis=(1, 2))
        scores = np.where(inside.mean(axis=(1, 2)) > _LEAST_OVERLAP, scores, -1)
        better = scores > best
        best[better], best_warps[better] = scores[better], warps[better]
        if step < steps:
            warps = _composed(warps, _step(fixed, moved, inside))
    return best_warps, best


def _step(fixed: Images, moved: Images, inside: Images) -> NDArray[np.float32]:
    """Return the six parameters (P x 6) that bring the moved images nearer."""
    side = fixed.shape[-1]
    along = _grid(side)
    right, down = _gradients(fixed + moved)
    right, down = right * inside, down * inside
    columns = [right * along, right * along[:, None], right]
    columns += [down * along, down * along[:, None], down]
    slopes = np.stack(columns, axis=1).reshape(len(fixed), 6, -1)
    normal = slopes @ slopes.transpose(0, 2, 1)
    # A little damping: a picture of stripes says nothing about movement along them.
    damping = 1e-3 * np.trace(normal, axis1=1, axis2=2) / 6 + 1e-9
    normal += np.eye(6, dtype=np.float32) * damping[:, None, None]
    error = (fixed - moved).reshape(len(fixed), -1, 1)
    found: NDArray[np.float32] = np.linalg.solve(normal, slopes @ error)[:, :, 0]
    return found.clip(-_LARGEST_STEP, _LARGEST_STEP)


def _composed(warps: NDArray[np.float32], step: NDArray[np.float32]) -> NDArray[np.float32]:
    moves = np.zeros((len(step), 3, 3), np.float32)
    moves[:, :2] = step.reshape(-1, 2, 3)
    moves += np.eye(3, dtype=np.float32)
    return warps @ moves


def _grid(side: int) -> NDArray[np.float32]:
    """Return the middles of pixels, -1 to 1."""
    return ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)


def _warped(images: Images, warps: NDArray[np.float32]) -> tuple[Images, Images]:
    """Return images (P x S x S) looked up at warped places, bilinearly, and 1 where inside."""
    side = images.shape[-1]
    along = _grid(side)
    places = (
        warps[:, :, 0, None, None] * along
        + warps[:, :, 1, None, None] * along[:, None]
        + warps[:, :, 2, None, None]
    )
    places = (places + 1) * (side / 2) - 0.5
    inside = ((places >= 0) & (places <= side - 1)).all(axis=1).astype(np.float32)
    whole = places.astype(np.int32).clip(0, side - 2)
    part = (places - whole).clip(0, 1).astype(np.float32)
    offsets = np.arange(len(images), dtype=np.int32)[:, None, None] * side
    at = (offsets + whole[:, 1]) * side + whole[:, 0]
    flat = images.ravel()
    upper = flat[at] + (flat[at + 1] - flat[at]) * part[:, 0]
    lower = flat[at + side] + (flat[at + side + 1] - flat[at + side]) * part[:, 0]
    found: Images = upper + (lower - upper) * part[:, 1]
    return found, inside


def _normalised(images: Images, inside: Images) -> Images:
    """Return images of mean 0 and norm 1 over what is inside, 0 elsewhere."""
    count = np.maximum(inside.sum(axis=(1, 2), keepdims=True), 1)
    centred = (images - (images * inside).sum(axis=(1, 2), keepdims=True) / count) * inside
    norm = np.sqrt((centred * centred).sum(axis=(1, 2), keepdims=True))
    found: Images = centred / np.maximum(norm, np.float32(1e-6))
    return found


def _gradients(images: Images) -> tuple[Images, Images]:
    """Return the mean slopes of two images, given their sum, to the right and down.

    Per half width: two pixels apart are 4 / side.
    """
    side = images.shape[-1]
    right, down = np.zeros_like(images), np.zeros_like(images)
    right[:, :, 1:-1] = (images[:, :, 2:] - images[:, :, :-2]) * (side / 8)
    down[:, 1:-1] = (images[:, 2:] - images[:, :-2]) * (side / 8)
    return right, down


def _is_near(warps: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return whether a warp moves, scales and turns no more than a copy may."""
    away = np.abs(warps - np.eye(2, 3, dtype=np.float32))
    most = [[_MOST_SCALE, _MOST_TURN, _MOST_SHIFT], [_MOST_TURN, _MOST_SCALE, _MOST_SHIFT]]
    near: NDArray[np.bool_] = np.max(away - np.array(most), axis=(1, 2)) < 0
    return near


def _correlated(first: Images, second: Images, warps: NDArray[np.float32]) -> NDArray[np.float64]:
    moved, inside = _warped(np.ascontiguousarray(second), warps)
    product = _normalised(first, inside) * _normalised(moved, inside)
    found: NDArray[np.float64] = product.sum(axis=(1, 2)).astype(np.float64)
    return found
