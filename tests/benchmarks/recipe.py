"""The plain recipe: the paper read literally, with nothing added; what the engine is compared with.

The mask's long side is scaled to 300 px, e = 8, 7 angles within 30 degrees, descriptors of VGG-16's first
block, `pydensecrf2` with 10 iterations, anchors on a grid of 12 px, a spline with phi(r) = r, Telea's
inpainting and a linear blend.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pydensecrf import densecrf
from scipy.interpolate import RBFInterpolator

from engine.descriptors import WHOLE, describe

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LONG_SIDE = 300
SMALLEST_OFFSET = 8
ANGLES = np.radians([-30, -20, -10, 0, 10, 20, 30])
BAND = 0.3
"""Width of the band along the stroke, as a share of the mask's extent across it."""

LENGTH_WEIGHT = 0.1
NEIGHBOR_DISTANCE = 10
ITERATIONS = 10
GRID = 12
REACH = 1.5
"""How far around the mask the texture is inpainted, in the longest displacements."""


@dataclass(frozen=True)
class PlainLoop:
    """The recipe's result, with the same names as `engine.Loop`.

    Parameters
    ----------
    still : (H, W, 3) uint8
    mask : (H, W) bool
    forward, inverse : (H, W, 2) float32, pixels, 0 outside the mask
    texture : (H, W, 3) uint8
        The still inside the mask, inpainted around it.
    """

    still: NDArray[np.uint8]
    mask: Mask
    forward: Floats
    inverse: Floats
    texture: NDArray[np.uint8]

    def frame(self, phase: float) -> NDArray[np.uint8]:
        """Blend the two warps (section 3.2) at a phase in [0, 1)."""
        ys, xs = np.nonzero(self.mask)
        box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
        grid = np.stack(np.mgrid[box][::-1], -1).astype(np.float32)
        backward = _look(self.texture, grid + phase * self.inverse[box])
        ahead = _look(self.texture, grid + (1 - phase) * self.forward[box])
        blend = cv2.addWeighted(backward, 1 - phase, ahead, phase, 0)
        frame = self.still.copy()
        frame[box] = np.where(self.mask[box][..., None], blend, frame[box])
        return frame


def solve(still: NDArray[np.uint8], mask: Mask, stroke: NDArray[np.float64]) -> PlainLoop:
    """Make a loop along one stroke.

    Parameters
    ----------
    still : (H, W, 3) uint8, RGB
    mask : (H, W) bool
    stroke : (2, 2) float, pixels

    Returns
    -------
    PlainLoop
    """
    ys, xs = np.nonzero(mask)
    scale = LONG_SIDE / max(np.ptp(xs) + 1, np.ptp(ys) + 1)
    size = max(2, round(still.shape[1] * scale)), max(2, round(still.shape[0] * scale))
    small = cv2.resize(still, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    small_mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    picture = small.astype(np.float32) / 255

    direction = (stroke[-1] - stroke[0]) / np.linalg.norm(stroke[-1] - stroke[0])
    offsets, along = _repetitions(picture, small_mask, direction)
    labels = _labels(offsets, direction)
    assigned = labels[
        _assign(describe(picture, WHOLE), small_mask, labels, _initial(offsets, along, small_mask, direction))
    ]
    forward, inverse = _smooth(assigned, small_mask)
    texture = _texture(still, mask, small, small_mask, float(np.linalg.norm(forward, axis=-1).max()))
    return PlainLoop(still, mask, _enlarge(forward, mask, size), _enlarge(inverse, mask, size), texture)


def _look(picture: NDArray, positions: Floats) -> NDArray:
    return cv2.remap(picture, positions, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _repetitions(picture: Floats, mask: Mask, direction: NDArray) -> tuple[NDArray, tuple[NDArray, float]]:
    """Section 3.1.1: the offset at each pixel of the segment through the mask's center of mass.

    Returns the (N,) offsets in pixels, and the segment's (start point, length).
    """
    ys, xs = np.nonzero(mask)
    points = np.stack([xs, ys], 1)
    center = points.mean(0)
    across = np.array([-direction[1], direction[0]])
    along = (points - center) @ direction
    start, length = center + along.min() * direction, int(np.ptp(along)) + 1
    width = max(3, int(BAND * np.ptp((points - center) @ across)))
    i, k = np.mgrid[0:length, 0:width].astype(float)
    band = start + i[..., None] * direction + (k - (width - 1) / 2)[..., None] * across
    columns = _look(picture, band.astype(np.float32)).reshape(length, -1)
    squares = (columns**2).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * columns @ columns.T, 0))
    # Mirrored to twice the length, so that the path's pinned ends lie outside the part that is used.
    pad = length // 2
    mirrored = np.pad(np.arange(length), (pad, length - pad), "reflect" if length > 2 else "edge")
    path = _cheapest_path(distance[np.ix_(mirrored, mirrored)])
    rows, offsets = path[:, 0] - pad, path[:, 1] - path[:, 0]
    last = {int(row): int(offset) for row, offset in zip(rows, offsets, strict=True)}
    return np.array([last[row] for row in range(length)]), (start, float(length))


def _cheapest_path(distance: NDArray) -> NDArray:
    """Go from corner to corner above the diagonal: continuous, monotone, of bounded slope; (K, 2) indices."""
    n = len(distance)
    i, j = np.indices((n, n), sparse=True)
    # Large instead of infinite near the diagonal: the path's two ends lie on it.
    cost = np.where(j - i > SMALLEST_OFFSET, distance, distance.max() * n)
    # total[m, i, j]: the cheapest path that arrives by move m: 0 both, 1 a column on, 2 a row on.
    total = np.full((3, n, n), np.inf)
    origin = np.zeros((3, n, n), np.int8)
    total[0, 0, 0] = cost[0, 0]
    allowed = {0: (0, 1, 2), 1: (0, 2), 2: (0, 1)}
    moves = {0: (1, 1), 1: (0, 1), 2: (1, 0)}
    for diagonal in range(1, 2 * n - 1):
        rows = np.arange(max(0, diagonal - n + 1), diagonal // 2 + 1)
        for move, (down, right) in moves.items():
            r = rows[(rows >= down) & (diagonal - rows >= right)]
            c = diagonal - r
            before = np.stack([total[m, r - down, c - right] for m in allowed[move]])
            best = before.argmin(0)
            total[move, r, c] = np.take_along_axis(before, best[None], 0)[0] + cost[r, c]
            origin[move, r, c] = np.array(allowed[move])[best]
    at, move = (n - 1, n - 1), int(total[:, -1, -1].argmin())
    path = [at]
    while at != (0, 0):
        down, right = moves[move]
        move, at = int(origin[move, at[0], at[1]]), (at[0] - down, at[1] - right)
        path.append(at)
    return np.array(path[::-1])


def _labels(offsets: NDArray, direction: NDArray) -> Floats:
    """All offsets of the path in all angles: (L, 2) pixels."""
    angles = np.arctan2(direction[1], direction[0]) + ANGLES
    units = np.stack([np.cos(angles), np.sin(angles)], 1)
    return (np.unique(offsets)[:, None, None] * units[None]).reshape(-1, 2).astype(np.float32)


def _initial(offsets: NDArray, segment: tuple[NDArray, float], mask: Mask, direction: NDArray) -> NDArray:
    """Give each of the mask's pixels the offset of the nearest point of the segment: (P,) pixels."""
    ys, xs = np.nonzero(mask)
    along = (np.stack([xs, ys], 1) - segment[0]) @ direction
    return offsets[np.clip(np.round(along).astype(int), 0, len(offsets) - 1)]


def _assign(features: Floats, mask: Mask, labels: Floats, initial: NDArray) -> NDArray:
    """Section 3.1.2: the index of the best label of each of the mask's pixels: (P,)."""
    ys, xs = np.nonzero(mask)
    box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
    reach = int(np.ceil(np.abs(labels).max()))
    padded = np.pad(features, ((reach, reach), (reach, reach), (0, 0)), "edge")
    here, inside = np.ascontiguousarray(features[box]), mask[box]
    squares, padded_squares = (np.einsum("ijk,ijk->ij", f, f) for f in (here, padded))
    unary = np.empty((len(labels), len(ys)), np.float32)
    for k, label in enumerate(labels):
        x, y = (int(c) + reach for c in np.round(label))
        there = slice(box[0].start + y, box[0].stop + y), slice(box[1].start + x, box[1].stop + x)
        distance = squares + padded_squares[there] - 2 * np.einsum("ijk,ijk->ij", here, padded[there])
        length = np.abs(np.linalg.norm(label) - initial)
        unary[k] = np.maximum(distance[inside], 0) * (1 + LENGTH_WEIGHT * length)
    unary /= unary.mean()
    units = labels / np.linalg.norm(labels, axis=1, keepdims=True)
    compatibility = np.sqrt(np.clip(units @ units.T, 0, None))
    # Only the mask's pixels take part: what the mask's term in eq. 4 comes to.
    crf = densecrf.DenseCRF(len(ys), len(labels))
    crf.setUnaryEnergy(unary)
    place = np.stack([xs, ys]).astype(np.float32) / NEIGHBOR_DISTANCE
    crf.addPairwiseEnergy(np.ascontiguousarray(place), compat=-compatibility.astype(np.float32))
    return np.argmax(np.array(crf.inference(ITERATIONS)), 0)


def _smooth(assigned: Floats, mask: Mask) -> tuple[Floats, Floats]:
    """Section 3.1.3: the forward and the inverse field, (h, w, 2), valid inside the mask."""
    dense = np.zeros((*mask.shape, 2), np.float32)
    dense[mask] = assigned
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), GRID / 2)
    blurred = cv2.GaussianBlur(dense, (0, 0), GRID / 2) / np.maximum(weight, 1e-6)[..., None]
    on_grid = np.zeros_like(mask)
    on_grid[GRID // 2 :: GRID, GRID // 2 :: GRID] = True
    rows, columns = np.nonzero(mask & on_grid)
    anchors = np.stack([columns, rows], 1).astype(float)
    steps = blurred[rows, columns].astype(float)
    # A little beyond the mask, so that scaling the field up mixes no zeros into the mask's rim.
    wanted = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    pixels = np.argwhere(wanted)[:, ::-1].astype(float)

    def densify(places: NDArray, values: NDArray) -> Floats:
        field = np.zeros((*mask.shape, 2), np.float32)
        field[wanted] = RBFInterpolator(places, values, kernel="linear", degree=0)(pixels)
        return field

    return densify(anchors, steps), densify(anchors + steps, -steps)


def _enlarge(field: Floats, mask: Mask, size: tuple[int, int]) -> Floats:
    """Bring a field of the small picture to the still's own size."""
    height, width = mask.shape
    large = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    large *= np.array([width / size[0], height / size[1]], np.float32)
    return np.where(mask[..., None], large, 0).astype(np.float32)


def _texture(
    still: NDArray[np.uint8], mask: Mask, small: NDArray[np.uint8], small_mask: Mask, reach: float
) -> NDArray[np.uint8]:
    """Inpaint around the mask, as far as the field reaches; at the small picture's scale."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(REACH * reach) + 1,) * 2)
    around = cv2.dilate(small_mask.astype(np.uint8), kernel) - small_mask
    known = np.where(small_mask[..., None], small, 0)
    filled = cv2.inpaint(known, around, 3, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(mask[..., None], still, large)
