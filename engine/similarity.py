"""How alike each place is to what lies a displacement away, for every length and angle at once.

The self-similarity matrix of section 3.1.1 compares columns along one line. This is the same measure for
the whole region: a volume of costs over (angle, length, place). Lengths grow by octaves, and each octave
is compared at the scale where its steps span 9 to 18 pixels, so a long step sees structure as coarse as
itself and costs no more than a short one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .descriptors import describe

Floats = NDArray[np.float32]

NODE = 8
"""Working pixels between the nodes at which costs are kept; a power of 2."""
STRIDE = 2
"""Pixels at an octave's own scale between the samples that costs are measured at; a power of 2."""
OCTAVE = 14
"""Lengths in an octave: neighbors differ by 5 %. Every second one is measured, which tells those between."""
SHORTEST = 4.5
"""Working pixels; nothing shorter can be told from standing still."""
ANGLES = np.radians(np.arange(-30, 31, 5)).astype(np.float32)
"""Deviations from the stroke's direction (3.1.2)."""
SAMPLES = 1500
"""Pixels whose descriptors tell the principal components."""
CHANNELS = 12
"""Principal components of a picture's descriptors: they keep 97 % of the variance."""
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
    octave = 2.0 ** (np.arange(0, OCTAVE, 2) / OCTAVE)
    octaves = [(0, SHORTEST * octave)]
    octaves += [(level, 2 * SHORTEST * octave) for level in range(len(levels))]
    octaves = [(level, steps[steps * 2**level <= longest * 1.02]) for level, steps in octaves]
    octaves[0] = (0, SHORTEST * octave[:2]) if len(octaves[0][1]) < 2 else octaves[0]
    lengths = np.concatenate([steps * 2**level for level, steps in octaves])
    cost = np.empty((len(ANGLES), len(lengths), *grid), np.float32)
    support = np.empty_like(cost)
    row = 0
    compare = _Comparison(*levels[0], 0, grid)
    for number, (level, steps) in enumerate(octaves):
        first = row
        if number > 1 and len(steps):  # the first two octaves share a level
            compare = _Comparison(*levels[level], level, grid)
            ends = np.empty((2, *cost[:, 0].shape), np.float32)
            compare(steps[0] * octave[-1] / 2, direction + ANGLES, *ends)
        for length in steps:
            compare(length, direction + ANGLES, cost[:, row], support[:, row])
            row += 1
        if number > 1 and len(steps):
            cost[:, first:row] *= _ratio(cost[:, first - 1], support[:, first - 1], *ends)
    lengths = SHORTEST * 2 ** (np.arange(2 * len(lengths) - 1) / OCTAVE)
    cost, support = _with_those_between(cost), _with_those_between(support)
    chance = _pool(lengths, cost, support)
    return Similarity(lengths.astype(np.float32), cost, chance, support, direction)


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
        planes = describe(picture).transpose(2, 0, 1).reshape(-1, region.size)
        if not levels:
            basis, mean = _principal(planes, region)
        components = basis @ planes
        components -= mean
        levels.append((components.reshape(-1, *region.shape), region.astype(np.float32)))
    return levels


def _principal(planes: Floats, region: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the (CHANNELS, C) basis a region's descriptors vary most in, scaled to a variance of 1.

    And their mean in that basis, (CHANNELS, 1).
    """
    from scipy.linalg import eigh

    apart = max(1, int(np.sqrt(region.sum() / SAMPLES)))
    chosen = np.zeros_like(region)
    chosen[::apart, ::apart] = region[::apart, ::apart]
    sample = planes.take(np.flatnonzero(chosen), axis=1)
    mean = sample.mean(1, keepdims=True)
    sample -= mean
    covariance = sample @ sample.T / np.float32(sample.shape[1])
    count = len(covariance)
    _, directions = eigh(covariance, subset_by_index=(count - CHANNELS, count - 1), check_finite=False)
    scale = 1 / np.sqrt(max(float(np.trace(covariance)), FLAT))
    basis = np.asarray(directions.T * scale, np.float32)
    return basis, basis @ mean


class _Comparison:
    """Compares one level's descriptors with themselves, a displacement away.

    Some rows and columns of what lies here are enough for a window's mean. Planes are kept as lines of
    numbers, with so many zeros after each row that a displacement is one distance along the line.
    """

    def __init__(self, descriptors: Floats, region: Floats, level: int, grid: tuple[int, int]) -> None:
        self.grid = grid
        # Planes of samples are averaged down to the nodes, or enlarged to them.
        self.smaller, self.larger = max(1, NODE // (STRIDE << level)), max(1, (STRIDE << level) // NODE)
        self.height, self.width = (-(-side // self.larger) * self.smaller for side in grid)
        self.margin = int(4 * SHORTEST / STRIDE) + 2
        self.pitch = self.width + self.margin
        self.sigma = WINDOW / STRIDE / self.smaller
        gap = (int(5 * self.sigma) + 1) * self.smaller  # between planes, so that no window sees two of them
        self.sums = np.zeros((len(ANGLES), 2, (self.height + gap) * self.pitch), np.float32)
        known = descriptors * region
        squares = np.einsum("cij,cij->ij", known, known)
        there = np.concatenate([known, region[None], squares[None]])
        self.lines = {
            start: self._thinned(there, *start) for start in itertools.product(range(STRIDE), repeat=2)
        }
        # The product of what lies here and there is their squared difference, and 0 where either is unknown.
        here = self._seen(0, 0)
        self.here = np.concatenate([-2 * here[:-2], here[-1:], here[-2:-1]])
        self.region = self.here[-1]

    def _thinned(self, planes: Floats, y: int, x: int) -> Floats:
        """Return the rows and columns that samples see from a start on, (C + 2, numbers)."""
        thinned = np.zeros((len(planes), self.height + 2 * self.margin + 1, self.pitch), np.float32)
        seen = planes[:, y::STRIDE, x::STRIDE]
        rows, columns = seen.shape[1:]
        thinned[:, self.margin : self.margin + rows, :columns] = seen
        return thinned.reshape(len(planes), -1)

    def _seen(self, dx: int, dy: int) -> Floats:
        """Return what lies a displacement away from each sample."""
        start = (self.margin + dy // STRIDE) * self.pitch + dx // STRIDE
        return self.lines[dy % STRIDE, dx % STRIDE][:, start : start + self.height * self.pitch]

    def __call__(self, length: float, angles: Floats, cost: Floats, support: Floats) -> None:
        """Fill in cost and support, (A, h, w) each, at the nodes of steps of one length."""
        import cv2

        shifts = [
            (round(length * x), round(length * y))
            for x, y in zip(np.cos(angles).tolist(), np.sin(angles).tolist(), strict=True)
        ]
        different = list(dict.fromkeys(shifts))  # a short step rounds to the same pixels at many angles
        for (dx, dy), sums in zip(different, self.sums, strict=False):
            self._compare(dx, dy, sums[:, : self.height * self.pitch])
        sums = self.sums[: len(different)]
        tall: NDArray[Any] = sums.reshape(-1, self.pitch)[:, : self.width]
        if self.smaller > 1:
            size = (tall.shape[1] // self.smaller, tall.shape[0] // self.smaller)
            tall = cv2.resize(tall, size, interpolation=cv2.INTER_AREA)
        sigma = max(self.sigma * min(1.0, length / (2 * SHORTEST)), 0.5)
        tall = cv2.GaussianBlur(tall, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        if self.larger > 1:
            size = (tall.shape[1] * self.larger, tall.shape[0] * self.larger)
            tall = cv2.resize(tall, size, interpolation=cv2.INTER_LINEAR)
        nodes = tall.reshape(len(different), 2, -1, tall.shape[1])[..., : self.grid[0], : self.grid[1]]
        known = nodes[:, 1]
        of_shift = [different.index(shift) for shift in shifts]
        support[:] = known[of_shift]
        mean = nodes[:, 0] / np.maximum(known, np.float32(1e-3)) / np.float32(2)
        cost[:] = np.maximum(mean, 0)[of_shift]  # rounding can make a sum of squares negative

    def _compare(self, dx: int, dy: int, sums: Floats) -> None:
        """Sum squared differences, and where they are known, at each sample and, weaker, one step ahead."""
        there = self._seen(dx, dy)
        np.einsum("cn,cn->n", self.here, there, out=sums[0])
        np.multiply(self.region, there[-2], out=sums[1])
        away = round(dy / STRIDE) * self.pitch + round(dx / STRIDE)
        if abs(away) < sums.shape[1]:
            ahead, behind = (
                slice(max(away, 0), min(away, 0) or None),
                slice(max(-away, 0), -max(away, 0) or None),
            )
            sums[:, ahead] += BACKWARD * sums[:, behind]


def _ratio(cost: Floats, support: Floats, other_cost: Floats, other_support: Floats) -> Floats:
    """Say how much more a length costs at a level than at another one, (h, w), so that costs can go on there.

    Each level sees structure of another size, which differs less or more.
    """
    import cv2

    ends = []
    for values, weights in ((cost, support), (other_cost, other_support)):
        known = np.minimum(weights, 1)
        total, weight = (values * known).sum(0), known.sum(0)
        ends.append(
            (cv2.GaussianBlur(total, (0, 0), 4) + 1e-4) / (cv2.GaussianBlur(weight, (0, 0), 4) + 1e-3)
        )
    return np.asarray(np.clip(ends[0] / ends[1], 0.02, 50), np.float32)


def _with_those_between(values: Floats) -> Floats:
    """Interpolate (A, R, h, w) values, 0 or more, of every second length: cubic, (A, 2 R - 1, h, w)."""
    angles, rows, *grid = values.shape
    dense = np.empty((angles, 2 * rows - 1, *grid), np.float32)
    dense[:, ::2] = values
    if rows > 1:
        between = dense[:, 1::2]
        np.add(values[:, :-1], values[:, 1:], out=between)
        between *= np.float32(0.5)
        bend = np.diff(values, 2, axis=1) * np.float32(1 / 16)
        between[:, 1:] -= bend
        between[:, :-1] -= bend
        np.maximum(between, 0, out=between)
    return dense


def _pool(lengths: NDArray[Any], cost: Floats, support: Floats) -> Floats:
    """Weigh costs, in place, so that they can be summed over nodes; returns what chance would cost there."""
    # Lags close to the step count most: the mean forgets how little the shortest ones cost.
    widths = (np.gradient(lengths) * lengths).astype(np.float32)
    chance = np.empty_like(cost)
    known = np.minimum(support * 5, 1)
    weighted = cost * known
    total, measured = weighted.sum((0, 1)), known.sum((0, 1))
    # From standing still to the shortest length a cost grows like a parabola.
    running = cost[:, 0] * np.float32(SHORTEST**2 / 4)
    reached = np.full_like(running, SHORTEST**2 / 2)
    for row, width in enumerate(widths):
        running += weighted[:, row] * width
        reached += known[:, row] * width
        np.divide(running, reached, out=chance[:, row])
    typical = total / (measured + 1e-3)
    seen = typical[measured > 0.2 * len(cost) * len(lengths)]
    common = float(np.median(seen)) if seen.size else 1.0
    floor = np.float32(max(0.1 * common, 3e-3))  # a flat place can't tell one step from another
    weight = 1 / (typical + np.float32(0.3 * common + 1e-6))
    for values in (cost, chance):
        values += floor
        values *= weight
    return chance
