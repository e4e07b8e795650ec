"""How alike each place is to what lies a displacement away, for every length and angle at once.

The self-similarity matrix of section 3.1.1 compares columns along one line. This is the same measure for
the whole region: a volume of costs over (angle, length, place). Lengths grow by octaves, and each octave
is compared at the scale where its steps span 12 to 24 pixels, so a long step sees structure as coarse as
itself and costs no more than a short one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .descriptors import describe

Floats = NDArray[np.float32]

NODE = 4
"""Working pixels between the nodes at which costs are kept."""
OCTAVE = 14
"""Lengths in an octave: neighbors differ by 5 %."""
SHORTEST = 6.0
"""Working pixels; nothing shorter can be told from standing still."""
ANGLES = np.radians(np.arange(-30, 31, 5)).astype(np.float32)
"""Deviations from the stroke's direction (3.1.2)."""
CHANNELS = 16
"""Principal components of the 128 descriptors: they keep 98 % of the variance."""
FLAT = 0.1
"""Variance of the descriptors: rounding alone causes 0.01, one level of 8 bits in a pixel of a hundred 10."""
WINDOW = 6.0
"""Pixels at an octave's own scale: the deviation of the Gaussian window that costs are averaged in."""
BACKWARD = 0.3
"""Weight of the evidence one step back; alone it still tells where the step ahead leaves the region."""


@dataclass(frozen=True)
class Similarity:
    """Costs of every displacement at every node.

    Parameters
    ----------
    lengths : (R,) float32
        Working pixels, growing geometrically.
    cost : (A, R, h, w) float32
        Mean squared descriptor difference around a node, weighed so that costs can be summed over
        nodes; 0 or more.
    chance : (A, R, h, w) float32
        What chance would cost there: the running mean over shorter steps (YIN's cumulative mean,
        de Cheveigne and Kawahara 2002). A step that is merely small costs about as much.
    support : (A, R, h, w) float32, 0 to 1 + BACKWARD
        How much of the window the cost could be measured in.
    direction : float
        The stroke's direction in radians; angles count from it.
    """

    lengths: Floats
    cost: Floats
    chance: Floats
    support: Floats
    direction: float

    @property
    def growth(self) -> float:
        """Natural logarithm of the ratio of neighboring lengths."""
        return float(np.log(2) / OCTAVE)


def measure(levels: list[tuple[Floats, Floats]], direction: float, longest: float) -> Similarity:
    """Compare each place of a region with what lies each displacement away.

    Parameters
    ----------
    levels : list of ((C, h, w), (h, w)) float32
        Descriptors and the region's mask (0 or 1), each level half as large as the one before.
    direction : float
        Of the stroke, radians, x right and y down.
    longest : float
        Working pixels; longer steps are not looked at.

    Returns
    -------
    Similarity
    """
    rows, columns = levels[0][1].shape
    grid = (-(-rows // NODE), -(-columns // NODE))
    octave = 2.0 ** (np.arange(OCTAVE) / OCTAVE)
    octaves = [(0, SHORTEST * octave)]
    octaves += [(level, 2 * SHORTEST * octave) for level in range(len(levels))]
    octaves = [(level, steps[steps * 2**level <= longest * 1.02]) for level, steps in octaves]
    octaves[0] = (0, SHORTEST * octave[:2]) if not len(octaves[0][1]) else octaves[0]
    lengths = np.concatenate([steps * 2**level for level, steps in octaves])
    cost = np.empty((len(ANGLES), len(lengths), *grid), np.float32)
    support = np.empty_like(cost)
    row = 0
    for number, (level, steps) in enumerate(octaves):
        if not len(steps):
            break
        compare = _Comparison(*levels[level], grid)
        for length in steps:
            done: dict[tuple[int, int], int] = {}  # a short step rounds to the same pixels at many angles
            for column, angle in enumerate(direction + ANGLES):
                shift = (round(length * np.cos(angle)), round(length * np.sin(angle)))
                if shift in done:
                    cost[column, row], support[column, row] = (
                        cost[done[shift], row],
                        support[done[shift], row],
                    )
                else:
                    cost[column, row], support[column, row] = compare(length, *shift)
                    done[shift] = column
            row += 1
        if number > 1:  # the first two octaves share a level
            _continue(cost, support, row - len(steps), row)
    return Similarity(
        np.asarray(lengths, np.float32), cost, _pool(lengths, cost, support), support, direction
    )


def describe_levels(
    picture: Floats, inside: NDArray[np.bool_], count: int = 4
) -> list[tuple[Floats, Floats]]:
    """Describe a picture at several scales by the principal components of its descriptors.

    Parameters
    ----------
    picture : (h, w, 3) float32, 0 to 1
    inside : (h, w) bool
        The region whose descriptors decide about the components.
    count : int
        Scales, each half the one before.

    Returns
    -------
    list of ((CHANNELS, h, w), (h, w)) float32
        Descriptors, scaled so that their variance over the region is 1 at the first scale, and the
        mask of the region.
    """
    import cv2

    levels: list[tuple[Floats, Floats]] = []
    mask = inside.astype(np.float32)
    for level in range(count):
        if level:
            size = ((picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
            mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)
        region = mask > 0.5
        if min(mask.shape) < 8 or region.sum() < 2 * CHANNELS:
            break
        descriptors = describe(picture)
        if not levels:
            basis = _principal(descriptors, region)
        planes = basis @ descriptors.transpose(2, 0, 1).reshape(descriptors.shape[2], -1)
        levels.append((planes.reshape(-1, *region.shape), region.astype(np.float32)))
    return levels


def _principal(descriptors: Floats, region: NDArray[np.bool_]) -> Floats:
    """Return the (CHANNELS, 128) basis a region's descriptors vary most in, scaled to a variance of 1."""
    flat = descriptors.transpose(2, 0, 1).reshape(descriptors.shape[2], -1)
    inside = np.flatnonzero(region)
    sample = flat[:, inside[:: max(1, len(inside) // 3000)]]
    sample = sample - sample.mean(1, keepdims=True)
    variances, directions = np.linalg.eigh(sample @ sample.T / sample.shape[1])
    scale = 1 / np.sqrt(max(float(variances.sum()), FLAT))
    return np.asarray(directions[:, : -CHANNELS - 1 : -1].T * scale, np.float32)


class _Comparison:
    """Compares one level's descriptors with themselves, a displacement away."""

    def __init__(self, descriptors: Floats, region: Floats, grid: tuple[int, int]) -> None:
        self.shape, self.grid = region.shape, grid
        # Of a level that is finer than the nodes every second row and column is enough. Both are kept for
        # either start, so that a displacement reads whole rows.
        self.skip = skip = 2 if region.shape[0] > 1.5 * grid[0] else 1
        starts = [(y, x) for y in range(skip) for x in range(skip)]
        self.descriptors = {(y, x): np.ascontiguousarray(descriptors[:, y::skip, x::skip]) for y, x in starts}
        self.region = {(y, x): np.ascontiguousarray(region[y::skip, x::skip]) for y, x in starts}
        self.sigma = WINDOW * grid[0] / region.shape[0]
        self.scratch = np.empty(self.descriptors[0, 0].size, np.float32)

    def __call__(self, length: float, dx: int, dy: int) -> tuple[Floats, Floats]:
        """Return cost and support at the nodes, (h, w) each, of a step."""
        import cv2

        height, width = self.shape
        if abs(dx) >= width - 1 or abs(dy) >= height - 1:
            return np.zeros(self.grid, np.float32), np.zeros(self.grid, np.float32)
        count = (-(-(height - abs(dy)) // self.skip), -(-(width - abs(dx)) // self.skip))
        here, phase = self._window(max(0, -dy), max(0, -dx), count)
        there, other = self._window(max(0, dy), max(0, dx), count)
        ahead = self.descriptors[other][(slice(None), *there)]
        difference = self.scratch[: ahead.size].reshape(ahead.shape)
        np.subtract(self.descriptors[phase][(slice(None), *here)], ahead, out=difference)
        np.multiply(difference, difference, out=difference)
        both = self.region[phase][here] * self.region[other][there]
        squared = difference.sum(0) * both
        sums = np.zeros((-(-height // self.skip), -(-width // self.skip), 2), np.float32)
        sums[(*here, 0)] = squared
        sums[(*here, 1)] = both
        sums[(*there, 0)] += BACKWARD * squared
        sums[(*there, 1)] += BACKWARD * both
        nodes = cv2.resize(sums, self.grid[::-1], interpolation=cv2.INTER_AREA)
        sigma = self.sigma * min(1.0, length / (2 * SHORTEST))
        blurred = cv2.GaussianBlur(nodes, (0, 0), max(sigma, 0.5), borderType=cv2.BORDER_CONSTANT)
        support = blurred[..., 1]
        cost = blurred[..., 0] / np.maximum(support, np.float32(1e-3)) / np.float32(2)
        return np.asarray(cost, np.float32), np.asarray(support, np.float32)

    def _window(
        self, top: int, left: int, count: tuple[int, int]
    ) -> tuple[tuple[slice, slice], tuple[int, int]]:
        """Return the rows and columns of a window on the thinned grid, and which thinning it reads."""
        row, column = top // self.skip, left // self.skip
        window = (slice(row, row + count[0]), slice(column, column + count[1]))
        return window, (top % self.skip, left % self.skip)


def _continue(cost: Floats, support: Floats, first: int, last: int) -> None:
    """Scale an octave's costs, in place, so that they go on where the octave below ends.

    Each level sees structure of another size, which differs less or more.
    """
    import cv2

    ends = []
    for rows in (slice(first - 2, first), slice(first, min(first + 2, last))):
        known = np.minimum(support[:, rows], 1)
        total, weight = (cost[:, rows] * known).sum((0, 1)), known.sum((0, 1))
        ends.append(
            (cv2.GaussianBlur(total, (0, 0), 4) + 1e-4) / (cv2.GaussianBlur(weight, (0, 0), 4) + 1e-3)
        )
    cost[:, first:last] *= np.clip(ends[0] / ends[1], 0.2, 5)


def _pool(lengths: NDArray[Any], cost: Floats, support: Floats) -> Floats:
    """Weigh costs, in place, so that they can be summed over nodes; returns what chance would cost there."""
    # Lags close to the step count most: the mean forgets how little the shortest ones cost.
    widths = (np.gradient(lengths) * lengths).astype(np.float32)[:, None, None]
    chance = np.empty_like(cost)
    total, measured = np.zeros((2, *cost.shape[2:]), np.float32)
    for column in range(len(cost)):  # an angle at a time: the planes stay in the processor's cache
        known = np.minimum(support[column] * 5, 1)
        total += (cost[column] * known).sum(0)
        measured += known.sum(0)
        known *= widths
        # From standing still to the shortest length a cost grows like a parabola.
        np.cumsum(cost[column] * known, axis=0, out=chance[column])
        chance[column] += cost[column, 0] * np.float32(SHORTEST**2 / 4)
        chance[column] /= np.cumsum(known, axis=0, out=known) + np.float32(SHORTEST**2 / 2)
    typical = total / (measured + 1e-3)
    seen = typical[measured > 0.2 * len(cost) * len(lengths)]
    common = float(np.median(seen)) if seen.size else 1.0
    floor = np.float32(max(0.1 * common, 3e-3))  # a flat place can't tell one step from another
    weight = 1 / (typical + np.float32(0.3 * common + 1e-6))
    for values in (*cost, *chance):
        values += floor
        values *= weight
    return chance
