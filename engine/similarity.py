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
from .resample import shrink

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
    octave = OCTAVE // 2
    lengths = SHORTEST * 2 ** (np.arange(octave * (len(levels) + 1)) / octave)
    lengths = lengths[: max(2, np.count_nonzero(lengths <= longest * 1.02))]
    cost = np.empty((len(lengths), len(ANGLES), *grid), np.float32)
    support = np.empty_like(cost)
    for level, planes in enumerate(levels):
        first = octave * (level + 1) if level else 0  # the first two octaves share a level
        here = slice(first, octave * (level + 2))
        steps = lengths[max(first - 1, 0) : here.stop] / 2**level
        if first >= len(lengths):
            break
        there, known = _compare(*planes, level, steps, direction, grid)
        if level:  # the longest step of the level before, once more, tells how costs go on
            there *= _ratio(cost[first - 1], support[first - 1], there[0], known[0])
            there, known = there[1:], known[1:]
        cost[here], support[here] = there, known
    lengths = SHORTEST * 2 ** (np.arange(2 * len(lengths) - 1) / OCTAVE)
    cost, support = _with_those_between(cost), _with_those_between(support)
    chance = _pool(lengths, cost, support)
    cost, chance, support = (values.swapaxes(0, 1) for values in (cost, chance, support))
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


def _compare(
    descriptors: Floats,
    region: Floats,
    level: int,
    lengths: NDArray[Any],
    direction: float,
    grid: tuple[int, int],
) -> tuple[Floats, Floats]:
    """Return cost and support, (R, A, h, w) each, at the nodes of steps of some lengths, a level's pixels."""
    angles = direction + ANGLES
    dx, dy = np.rint(lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)])[:, None]).astype(int)
    samples = _Samples(descriptors, region, level, grid)
    sums, plane = samples.compared(dx, dy)
    rows, columns = sums.shape[2:]
    spread = WINDOW / STRIDE / samples.smaller * np.minimum(1, lengths / (2 * SHORTEST))
    down, across = (
        _windows(side, count, samples.larger, np.maximum(spread, 0.5))
        for side, count in zip(grid, (rows, columns), strict=True)
    )
    wide = sums[plane].reshape(len(lengths), -1, columns) @ across.swapaxes(1, 2)
    nodes = down[:, None, None] @ wide.reshape(*plane.shape, 2, rows, -1)
    support = nodes[:, :, 1]
    cost = nodes[:, :, 0] / np.maximum(support, np.float32(1e-3))
    cost *= np.float32(0.5)
    return np.maximum(cost, 0, out=cost), support  # rounding can make a sum of squares negative


def _windows(nodes: int, samples: int, larger: int, spreads: NDArray[Any]) -> Floats:
    """Return the shares of a row's samples in its nodes for some Gaussians, (R, nodes, samples)."""
    centers = (np.arange(nodes) + 0.5) / larger - 0.5
    away = centers[:, None] - np.arange(samples)
    all_around = centers[0] + np.arange(-20, 20)  # nothing comes in from beyond the border, and that counts

    def weights(distance: NDArray[Any]) -> NDArray[Any]:
        distance = distance / spreads[:, None, None]
        return np.where(np.abs(distance) < 4.5, np.exp(-0.5 * distance**2), 0)  # tiny numbers are slow

    return np.asarray(weights(away) / weights(all_around).sum(-1, keepdims=True), np.float32)


class _Samples:
    """One level's descriptors at some of its pixels, compared with what lies a displacement away from them.

    Some rows and columns of what lies here are enough for a window's mean. Planes are kept as lines of
    numbers, with so many zeros after each row that a displacement is one distance along the line, and
    displacements that differ by as much as samples do are looked at in one go: a run of them.
    """

    def __init__(self, descriptors: Floats, region: Floats, level: int, grid: tuple[int, int]) -> None:
        # Planes of samples are averaged down to the nodes, or nodes lie between them.
        self.smaller, self.larger = max(1, NODE // (STRIDE << level)), max(1, (STRIDE << level) // NODE)
        self.height, self.width = (-(-side // self.larger) * self.smaller for side in grid)
        self.margin = int(4 * SHORTEST / STRIDE) + 2
        self.pitch = self.width + self.margin
        self.size = self.height * self.pitch
        lines = self._thinned(descriptors, region)
        start = self.margin * self.pitch
        here = lines[0, 0, :, start : start + self.size]
        # The product of what lies here and there is their squared difference, and 0 where either is unknown.
        self.here = np.concatenate([-2 * here[:-2], here[-1:], here[-2:-1]])
        # (start's row, start's column, C + 2, where a line begins, samples)
        self.there = np.lib.stride_tricks.sliding_window_view(lines, self.size, 3)

    def _thinned(self, descriptors: Floats, region: Floats) -> Floats:
        """Return the rows and columns that samples see from each start on, (STRIDE, STRIDE, C + 2, numbers).

        Descriptors, 0 where they are unknown, then where they are known and their sums of squares.
        """
        size = (STRIDE, STRIDE, len(descriptors) + 2, self.height + 2 * self.margin + 1, self.pitch)
        thinned = np.zeros(size, np.float32)
        seen = descriptors * region
        for y, x in itertools.product(range(STRIDE), repeat=2):
            known = region[y::STRIDE, x::STRIDE]
            start = thinned[y, x, :, self.margin : self.margin + known.shape[0], : known.shape[1]]
            start[:-2], start[-2] = seen[:, y::STRIDE, x::STRIDE], known
        lines = thinned.reshape(*size[:3], -1)
        np.einsum("yxcn,yxcn->yxn", lines[:, :, :-2], lines[:, :, :-2], out=lines[:, :, -1])
        return lines

    def compared(self, dx: NDArray[Any], dy: NDArray[Any]) -> tuple[Floats, NDArray[Any]]:
        """Sum squared differences, and where they are known, at each sample and, weaker, one step ahead.

        Returns both for every displacement, (K, 2, h, w), and which of the K is that of each dx and dy.
        """
        import cv2

        keys, run = np.unique(dy * STRIDE + dx % STRIDE, return_inverse=True)
        run = run.reshape(dx.shape)  # NumPy 1 leaves it flat
        low, high = np.full((2, len(keys)), dx.flat[0])
        low[run] = high[run] = dx
        np.minimum.at(low, run, dx)
        np.maximum.at(high, run, dx)
        counts = (high - low) // STRIDE + 1
        ends = np.cumsum(counts)
        rows = (self.margin // self.smaller + 1) * self.smaller  # between planes: none reaches another one
        room = rows * self.pitch
        apart = self.size + room
        most = int(counts.max())
        line = np.zeros(2 * (room + most * apart), np.float32)
        both = np.empty((most, 2 * apart), np.float32)
        found = np.empty((ends[-1], 2, self.height // self.smaller, self.width // self.smaller), np.float32)
        for key, x, count, end in zip(*(each.tolist() for each in (keys, low, counts, ends)), strict=True):
            y = key // STRIDE
            away = y // STRIDE * self.pitch + x // STRIDE
            first = self.margin * self.pitch + away
            there = self.there[y % STRIDE, x % STRIDE, :, first : first + count]
            planes = line[room : room + 2 * count * apart].reshape(count, -1)
            sums = planes.reshape(count, 2, apart)[..., : self.size]
            np.einsum("cn,ckn->kn", self.here, there, out=sums[:, 0])
            np.multiply(self.here[-1], there[-2], out=sums[:, 1])
            # What lies a step behind is one number further back for each next displacement.
            behind = line[room - away :][: count * (2 * apart - 1)].reshape(count, -1)
            cv2.scaleAdd(behind, BACKWARD, planes[:, :-1], both[:count, :-1])
            found[end - count : end] = self._thicker(both[:count])
        return found, (ends - counts)[run] + (dx - low[run]) // STRIDE

    def _thicker(self, planes: Floats) -> Floats:
        """Average planes of samples down to nodes, where those are further apart."""
        tall = planes.reshape(-1, self.pitch)[:, : self.width]
        for _ in range(self.smaller.bit_length() - 1):  # by halves: OpenCV is faster at those
            tall = shrink(tall, (tall.shape[0] // 2, tall.shape[1] // 2))
        return tall.reshape(len(planes), 2, -1, tall.shape[1])[:, :, : self.height // self.smaller]


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
    """Interpolate (R, A, h, w) values, 0 or more, of every second length: cubic, (2 R - 1, A, h, w)."""
    dense = np.empty((2 * len(values) - 1, *values.shape[1:]), np.float32)
    dense[::2] = values
    between = dense[1::2]
    np.add(values[:-1], values[1:], out=between)
    between *= np.float32(0.5)
    bend = np.diff(values, 2, axis=0)
    bend *= np.float32(1 / 16)
    between[1:] -= bend
    between[:-1] -= bend
    np.maximum(between, 0, out=between)
    return dense


def _pool(lengths: NDArray[Any], cost: Floats, support: Floats) -> Floats:
    """Weigh costs, in place, so that they can be summed over nodes; returns what chance would cost there.

    All of them are (R, A, h, w).
    """
    # Lags close to the step count most: the mean forgets how little the shortest ones cost.
    widths = (np.gradient(lengths) * lengths).astype(np.float32)
    chance = np.empty_like(cost)
    # From standing still to the shortest length a cost grows like a parabola.
    running = cost[0] * np.float32(SHORTEST**2 / 4)
    reached = np.full_like(running, SHORTEST**2 / 2)
    total, measured = np.zeros((2, *running.shape), np.float32)
    known, weighted = np.empty((2, *running.shape), np.float32)
    for row, width in enumerate(widths):
        np.multiply(support[row], 5, out=known)
        np.minimum(known, 1, out=known)
        np.multiply(cost[row], known, out=weighted)
        total += weighted
        measured += known
        weighted *= width
        known *= width
        running += weighted
        reached += known
        np.divide(running, reached, out=chance[row])
    total, measured = total.sum(0), measured.sum(0)
    typical = total / (measured + 1e-3)
    seen = typical[measured > 0.2 * len(ANGLES) * len(lengths)]
    common = float(np.median(seen)) if seen.size else 1.0
    floor = np.float32(max(0.1 * common, 3e-3))  # a flat place can't tell one step from another
    weight = 1 / (typical + np.float32(0.3 * common + 1e-6))
    for values in (cost, chance):
        values += floor
        values *= weight
    return chance
