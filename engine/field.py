"""The displacement field: smooth, sub-pixel, invertible, and known beyond the region (3.1.3).

Displacements live on a sparse grid of anchors. They are fitted to what the CRF assigned, then refined
against the still itself, coarse to fine up to its own resolution: at each pass the picture one step ahead
is compared with the picture here, and the anchors move together, held smooth, to where both agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .strokes import Part

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

ANCHORS = 26
"""Along the longer side of a part."""
STIFFNESS = 3.0
"""Weight of the field's second differences against what the CRF assigned."""
BENDING = 12.0
"""The same against the still's own pixels."""
SAMPLES = 24_000
"""Pixels compared in one pass."""
PASSES = 3
COARSEST = 16.0
"""Pixels a step spans at the first refinement level."""
FINEST = 80.0
"""Pixels a step spans at the last one: a hundredth of a step is then a pixel's fraction."""


@dataclass(frozen=True)
class Anchors:
    """A grid of anchors over a part, in working pixels.

    Parameters
    ----------
    origin : (2,) float64
        The first anchor, (x, y).
    spacing : float
    shape : (rows, columns)
    """

    origin: Doubles
    spacing: float
    shape: tuple[int, int]

    @classmethod
    def over(cls, size: tuple[int, int]) -> Anchors:
        """Lay anchors over a (rows, columns) box of working pixels."""
        spacing = max(size) / (ANCHORS - 1)
        shape = (int(np.ceil(size[0] / spacing)) + 1, int(np.ceil(size[1] / spacing)) + 1)
        overhang = (np.array(shape[::-1]) - 1) * spacing - np.array(size[::-1], np.float64)
        return cls(-overhang / 2 - 0.5, spacing, shape)

    @property
    def points(self) -> Doubles:
        """Where the anchors are, (rows * columns, 2)."""
        rows, columns = self.shape
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
        return self.origin + grid.reshape(-1, 2) * self.spacing

    def basis(self, points: NDArray[np.floating]):  # noqa: ANN201 (scipy is imported when needed)
        """Return the sparse matrix that interpolates anchor values at (N, 2) points."""
        from scipy.sparse import csr_matrix

        rows, columns = self.shape
        place = (points - self.origin) / self.spacing
        x = np.clip(place[:, 0], 0, columns - 1.000001)
        y = np.clip(place[:, 1], 0, rows - 1.000001)
        left, top = x.astype(np.int32), y.astype(np.int32)
        right, below = x - left, y - top
        corner = top * columns + left
        index = np.stack([corner, corner + 1, corner + columns, corner + columns + 1], axis=1)
        share = np.stack(
            [(1 - right) * (1 - below), right * (1 - below), (1 - right) * below, right * below], axis=1
        )
        ends = np.arange(0, 4 * len(points) + 1, 4)
        return csr_matrix((share.ravel(), index.ravel(), ends), shape=(len(points), rows * columns))

    def bending(self):  # noqa: ANN201
        """Return the sparse matrix K so that c' K c is the sum of squared second differences."""
        from scipy.sparse import diags, eye, kron

        def difference(count: int, order: int):  # noqa: ANN202
            taps = {1: [-1.0, 1.0], 2: [1.0, -2.0, 1.0]}[order]
            return diags(taps, range(order + 1), shape=(count - order, count))

        rows, columns = self.shape
        xx = kron(eye(rows), difference(columns, 2))
        yy = kron(difference(rows, 2), eye(columns))
        xy = kron(difference(rows, 1), difference(columns, 1))
        return (xx.T @ xx + yy.T @ yy + 2 * xy.T @ xy).tocsr()


def fit_field(anchors: Anchors, points: Doubles, displacements: Floats, trust: Floats) -> Doubles:
    """Fit anchors to scattered displacements, as smooth as their trust allows.

    Parameters
    ----------
    points : (N, 2) float64
        Working pixels.
    displacements : (N, 2) float32
    trust : (N,) float32
        Weights.

    Returns
    -------
    (anchors, 2) float64
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import splu

    basis = anchors.basis(points)
    total = max(float(trust.sum()), 1e-9)
    weights = diags(trust / total * len(anchors.points))
    normal = basis.T @ weights @ basis + STIFFNESS * anchors.bending()
    normal = normal + 1e-9 * diags(np.ones(normal.shape[0]))
    return splu(normal.tocsc()).solve(np.asarray(basis.T @ weights @ displacements, np.float64))


@dataclass(frozen=True)
class View:
    """The still around a part at one scale.

    Parameters
    ----------
    pixels : (h, w, C) float32
        Details with their contrast evened out.
    inside : (h, w) bool
    scale : float
        Its pixels in a working pixel.
    """

    pixels: Floats
    inside: NDArray[np.bool_]
    scale: float


def make_views(picture: Floats, inside: NDArray[np.bool_], scale: float, step: float) -> list[View]:
    """Prepare the scales that refinement goes through, coarsest first.

    Parameters
    ----------
    picture : (h, w, 3) float32, 0 to 1
        The part's box, at the still's resolution or below it.
    inside : (h, w) bool
    scale : float
        Its pixels in a working pixel.
    step : float
        Working pixels.
    """
    import cv2

    finest = min(scale, FINEST / step)
    views = []
    wanted = [finest]
    while wanted[-1] * step > 1.5 * COARSEST:
        wanted.append(wanted[-1] / 2)
    for level in wanted:
        size = tuple(max(8, round(side * level / scale)) for side in picture.shape[1::-1])
        if size != picture.shape[1::-1]:
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            inside = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
        scale = level
        views.append(View(_details(picture, inside, max(1.5, step * level / 4)), inside, level))
    return views[::-1]


def _details(picture: Floats, inside: NDArray[np.bool_], sigma: float) -> Floats:
    """Take out what changes slowly and even out the contrast of the rest, within the region."""
    import cv2

    luma = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    colors = np.stack([luma, 0.7 * (picture[..., 0] - luma), 0.7 * (picture[..., 2] - luma)], axis=-1)
    region = inside.astype(np.float32)[..., None]

    def smooth(values: Floats) -> Floats:
        blurred = cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        return blurred.reshape(values.shape)

    share = smooth(region) + 1e-4
    details = (colors - smooth(colors * region) / share) * region
    spread = np.sqrt(smooth((details**2).sum(2, keepdims=True)) / share)
    typical = float(np.median(spread[inside])) if inside.any() else 1.0
    return details / (spread + 0.3 * typical + 1e-4)


def refine_field(anchors: Anchors, values: Doubles, view: View) -> Doubles:
    """Move the anchors until the picture one step ahead agrees with the picture here.

    Parameters
    ----------
    values : (anchors, 2) float64
        Working pixels.
    view : View
        Scales go from the coarsest to the finest.

    Returns
    -------
    (anchors, 2) float64
    """
    bending = anchors.bending()
    for _ in range(PASSES):
        values = _pass(anchors, values, view, bending)
    return values


def _pass(anchors: Anchors, values: Doubles, view: View, bending) -> Doubles:  # noqa: ANN001
    """One Gauss-Newton step of the registration at one scale."""
    import cv2
    from scipy.sparse import bmat, diags
    from scipy.sparse.linalg import splu

    rows, columns = np.nonzero(view.inside)
    chosen = np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).astype(int)
    rows, columns = rows[chosen], columns[chosen]
    here = np.stack([columns, rows], axis=-1).astype(np.float64)
    points = (here + 0.5) / view.scale - 0.5
    basis = anchors.basis(points)
    there = (here + basis @ values * view.scale).astype(np.float32)
    height, width = view.inside.shape
    x, y = there[:, 0], there[:, 1]
    nearest = np.rint(there).astype(int)
    landed = (x >= 1) & (y >= 1) & (x <= width - 2) & (y <= height - 2)
    landed[landed] = view.inside[nearest[landed, 1], nearest[landed, 0]]
    if landed.sum() < 50:
        return values

    def look(dx: float, dy: float) -> Floats:
        place = there[landed] + np.array([dx, dy], np.float32)
        seen = cv2.remap(view.pixels, place[:, None], None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
        return np.asarray(seen, np.float32)[:, 0]

    basis = basis[landed]
    slope_x = (look(0.5, 0) - look(-0.5, 0)) * view.scale
    slope_y = (look(0, 0.5) - look(0, -0.5)) * view.scale
    error = look(0, 0) - view.pixels[rows[landed], columns[landed]]
    size = np.sqrt((error**2).sum(1))
    usual = float(np.median(size)) + 1e-6
    weight = 1 / (1 + (size / usual) ** 2)
    weight *= anchors.shape[0] * anchors.shape[1] / len(points)

    def normal(a: Floats, b: Floats):  # noqa: ANN202
        return basis.T @ diags(weight * (a * b).sum(1)) @ basis

    xx, xy, yy = normal(slope_x, slope_x), normal(slope_x, slope_y), normal(slope_y, slope_y)
    stiff = (BENDING / anchors.spacing**2) * bending
    right = [
        -(basis.T @ (weight * (slope * error).sum(1))) - stiff @ values[:, axis]
        for axis, slope in enumerate((slope_x, slope_y))
    ]
    hold = 1e-4 * diags(np.ones(len(values)))
    system = bmat([[xx + stiff + hold, xy], [xy, yy + stiff + hold]], format="csc")
    change = splu(system).solve(np.concatenate(right)).reshape(2, -1).T
    longest = np.hypot(*change.T).max()
    limit = 2.0 / view.scale  # pixels of this scale: beyond them the slopes say nothing
    return values + change * min(1.0, limit / max(longest, 1e-9))


def spread_fields(
    anchors: Anchors, values: Doubles, part: Part, scale: float, forward: Floats, inverse: Floats
) -> None:
    """Write a part's forward and inverse field into the still's, as far around it as frames reach.

    Parameters
    ----------
    anchors, values
        Working pixels.
    part : Part
    scale : float
        Working pixels in a pixel of the still.
    forward, inverse : (H, W, 2) float32
        Filled in place, pixels of the still; where parts lie close, the later one's surroundings
        don't overwrite the earlier one.

    Notes
    -----
    Both are polyharmonic splines with phi(r) = r: through the anchors, and through the anchors moved
    one step, where the way back is known. A few fixed-point steps then make the second the first one's
    inverse between the anchors too.
    """
    import cv2

    points = anchors.points
    near = _near(part.inside, points, anchors.spacing, scale)
    points, moves = points[near], values[near]
    reach = np.hypot(*moves.T).max() * 1.1
    height, width = part.inside.shape
    cell = anchors.spacing / 2
    low = -np.ceil(reach / cell) * cell
    columns = np.arange(low, width * scale + reach + cell, cell)
    rows = np.arange(low, height * scale + reach + cell, cell)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    ahead = _spline(points, moves, grid)
    back = _spline(points + moves, -moves, grid)
    origin = np.array([low, low])
    for _ in range(6):
        place = ((grid + back - origin) / cell).astype(np.float32)
        back = -cv2.remap(ahead, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    first = (low + 0.5) / scale - 0.5
    _write(ahead / scale, first, cell / scale, part, forward)
    _write(back / scale, first, cell / scale, part, inverse)


def _near(inside: NDArray[np.bool_], points: Doubles, spacing: float, scale: float) -> NDArray[np.bool_]:
    """Which anchors touch the part: the others' values are guesses."""
    import cv2

    cell = spacing / scale
    size = (int(np.ceil(inside.shape[1] / cell)) + 2, int(np.ceil(inside.shape[0] / cell)) + 2)
    rows, columns = np.nonzero(inside)
    touched = np.zeros(size[::-1], np.uint8)
    touched[(rows / cell).astype(int) + 1, (columns / cell).astype(int) + 1] = 1
    touched = cv2.dilate(touched, np.ones((3, 3), np.uint8))
    index = np.floor((points + 0.5) / scale / cell).astype(int) + 1
    index = np.clip(index, 0, np.array(size) - 1)
    return touched[index[:, 1], index[:, 0]] > 0


def _spline(points: Doubles, moves: Doubles, grid: Doubles) -> Floats:
    from scipy.interpolate import RBFInterpolator

    spline = RBFInterpolator(points, moves, kernel="linear", degree=0)
    return spline(grid.reshape(-1, 2)).reshape(grid.shape).astype(np.float32)


def _write(field: Floats, low: float, cell: float, part: Part, target: Floats) -> None:
    """Interpolate a field, sampled every `cell` pixels from `low` on, into the still around a part."""
    import cv2

    y, x = part.box[0].start, part.box[1].start
    first = (max(0, int(np.floor(y + low))), max(0, int(np.floor(x + low))))
    rows, columns = field.shape[:2]
    last = (
        min(target.shape[0], int(y + low + (rows - 1) * cell)),
        min(target.shape[1], int(x + low + (columns - 1) * cell)),
    )
    size = (last[1] - first[1], last[0] - first[0])
    shift = np.array([(first[1] - x - low) / cell, (first[0] - y - low) / cell])
    matrix = np.array([[1 / cell, 0, shift[0]], [0, 1 / cell, shift[1]]])
    window = target[first[0] : last[0], first[1] : last[1]]
    dense = cv2.warpAffine(
        field, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    free = ~window.any(2)
    free[
        y - first[0] : y - first[0] + part.inside.shape[0], x - first[1] : x - first[1] + part.inside.shape[1]
    ] |= part.inside
    np.copyto(window, dense, where=free[..., None])
