"""How alike each place is to what lies a displacement away, for every length and angle at once.

The self-similarity matrix of section 3.1.1 compares columns along one line. This is the same measure for
the whole region: a volume of costs over (angle, length, place). Lengths grow by octaves, and each octave
is compared at the scale where its steps span 12 to 24 pixels, so a long step sees structure as coarse as
itself and costs no more than a short one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .descriptors import THREADS, describe

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
        Mean squared descriptor difference around a node, 0 or more; an octave's costs continue
        those of the one below it.
    support : (A, R, h, w) float32, 0 to 1 + BACKWARD
        How much of the window the cost could be measured in.
    direction : float
        The stroke's direction in radians; angles count from it.
    """

    lengths: Floats
    cost: Floats
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
    jobs = [(0, SHORTEST * octave)]
    for level in range(len(levels)):
        if SHORTEST * 2 ** (level + 1) < longest:
            jobs.append((level, 2 * SHORTEST * octave))
    planes, lengths = [], []
    with ThreadPoolExecutor(THREADS) as pool:
        for level, steps in jobs:
            compare = _Comparison(*levels[level], grid)
            displacements = [
                (length, round(length * np.cos(direction + angle)), round(length * np.sin(direction + angle)))
                for length in steps
                for angle in ANGLES
            ]
            unique = list(dict.fromkeys(displacements))
            found = dict(zip(unique, pool.map(compare, unique), strict=True))
            volume = np.array([found[job] for job in displacements], np.float32)
            planes.append(volume.reshape(OCTAVE, len(ANGLES), 2, *grid).transpose(2, 1, 0, 3, 4))
            lengths.append(steps * 2**level)
    kept = np.concatenate(lengths) <= longest * 1.02
    cost, support = _continued(planes)[:, :, kept]
    return Similarity(np.concatenate(lengths)[kept].astype(np.float32), cost, support, direction)


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
        Descriptors scaled to a mean square of 1 over the region, and the region's mask.
    """
    import cv2

    levels = []
    mask = inside.astype(np.float32)
    for level in range(count):
        if level:
            size = ((picture.shape[1] + 1) // 2, (picture.shape[0] + 1) // 2)
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
            mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)
        region = mask > 0.5
        if min(mask.shape) < 8 or region.sum() < 2 * CHANNELS:
            break
        levels.append((_principal(describe(picture), region), region.astype(np.float32)))
    return levels


def _principal(descriptors: Floats, region: NDArray[np.bool_]) -> Floats:
    planes = descriptors.transpose(2, 0, 1)
    flat = planes.reshape(len(planes), -1)
    inside = flat[:, region.ravel()]
    sample = inside[:, :: max(1, inside.shape[1] // 6000)]
    mean = sample.mean(1, keepdims=True)
    covariance = (sample - mean) @ (sample - mean).T / sample.shape[1]
    variances, directions = np.linalg.eigh(covariance)
    scale = 1 / np.sqrt(max(float(variances.sum()), 1e-12))
    basis = directions[:, : -CHANNELS - 1 : -1].T * scale
    reduced = basis @ flat - basis @ mean
    return np.ascontiguousarray(reduced.reshape(CHANNELS, *region.shape), np.float32)


class _Comparison:
    """Compares one level's descriptors with themselves, a displacement away."""

    def __init__(self, descriptors: Floats, region: Floats, grid: tuple[int, int]) -> None:
        self.descriptors, self.region, self.grid = descriptors, region, grid
        # Of a level that is finer than the nodes every second row and column is enough.
        self.skip = 2 if region.shape[0] > 2 * grid[0] else 1
        self.sigma = WINDOW * grid[0] / region.shape[0]

    def __call__(self, job: tuple[float, int, int]) -> Floats:
        import cv2

        length, dx, dy = job
        height, width = self.region.shape
        result = np.zeros((2, *self.grid), np.float32)
        if abs(dx) >= width - 1 or abs(dy) >= height - 1:
            return result
        sums = np.zeros((height, width, 2), np.float32)
        here = (
            slice(max(0, -dy), height - max(0, dy), self.skip),
            slice(max(0, -dx), width - max(0, dx), self.skip),
        )
        there = (
            slice(max(0, dy), height - max(0, -dy), self.skip),
            slice(max(0, dx), width - max(0, -dx), self.skip),
        )
        difference = self.descriptors[(slice(None), *here)] - self.descriptors[(slice(None), *there)]
        both = self.region[here] * self.region[there]
        squared = np.einsum("kij,kij->ij", difference, difference) * both
        sums[(*here, 0)] += squared
        sums[(*here, 1)] += both
        sums[(*there, 0)] += BACKWARD * squared
        sums[(*there, 1)] += BACKWARD * both
        sums *= self.skip**2
        nodes = cv2.resize(sums, self.grid[::-1], interpolation=cv2.INTER_AREA)
        sigma = self.sigma * min(1.0, length / (2 * SHORTEST))
        blurred = cv2.GaussianBlur(nodes, (0, 0), max(sigma, 0.5), borderType=cv2.BORDER_CONSTANT)
        result[0] = blurred[..., 0] / np.maximum(blurred[..., 1], 1e-3) / 2
        result[1] = blurred[..., 1]
        return result


def _continued(planes: list[Floats]) -> Floats:
    """Scale each octave so that its costs go on where the octave below ends.

    The first two octaves share a level; the others see coarser structure, which differs less or more.
    """
    import cv2

    planes = [planes[0], *planes[1:]]
    for above in range(2, len(planes)):
        ends = []
        for volume, lengths in ((planes[above - 1], slice(-2, None)), (planes[above], slice(0, 2))):
            cost, support = volume[:, :, lengths]
            support = np.minimum(support, 1)
            total, weight = (cost * support).sum((0, 1)), support.sum((0, 1))
            ends.append(
                (cv2.GaussianBlur(total, (0, 0), 4) + 1e-4) / (cv2.GaussianBlur(weight, (0, 0), 4) + 1e-3)
            )
        scaled = planes[above].copy()
        scaled[0] *= np.clip(ends[0] / ends[1], 0.2, 5)
        planes[above] = scaled
    return np.concatenate(planes, axis=2)
