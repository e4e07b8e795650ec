"""The dense fields, forward and inverse: smooth, and known around a part as far as frames reach (3.1.3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .anchors import Anchors, Doubles, Floats
from .regions import Part

Model = Callable[[Doubles], Doubles]
"""Maps (N, 2) working pixels to how far a repetition moves them, (N, 2) working pixels."""


LEAST_AREA = 0.3
"""Of a pixel's own; a field that presses pixels together by more is smoothed."""
MOST_SMOOTHINGS = 40
INVERSIONS = 24
"""Rounds in which the inverse of a joined field is found."""
HALVINGS = 16
"""Rounds in which half a step is found: the motion that is a whole one when it's done twice."""


def spread_fields(
    anchors: Anchors,
    values: Doubles,
    part: Part,
    scale: float,
    forward: Floats,
    inverse: Floats,
    model: Model | None = None,
    bends: tuple[Floats, Floats] | None = None,
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
    model : callable, optional
        The part's repetition, which goes on beyond the part where the anchors don't.
    bends : pair of (H, W, 2) float32, optional
        How the paths of forward and inverse are curved, filled like these.

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
    cell = anchors.spacing
    low = -np.ceil(reach / cell) * cell
    columns = np.arange(low, width * scale + reach + cell, cell)
    rows = np.arange(low, height * scale + reach + cell, cell)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    if model is not None:
        beyond = _continue(points, moves, model, np.array([low, low]), grid[-1, -1], anchors.spacing)
        ahead = _spline(np.concatenate([points, beyond[0]]), np.concatenate([moves, beyond[1]]), grid)
    else:
        ahead = _spline(points, moves, grid)
    if len(part.regions) > 1:
        ahead = _unfolded(ahead, cell, _near_part(part.inside, grid, scale))
    back = _spline(points + moves, -moves, grid)
    origin = np.array([low, low])

    def after(field: Floats, move: Floats) -> Floats:
        place = ((grid + move - origin) / cell).astype(np.float32)
        return np.asarray(
            cv2.remap(field, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        )

    for _ in range(6):
        back = -after(ahead, back)
    if len(part.regions) > 1:  # where it turns at once, larger steps wouldn't get there
        for _ in range(INVERSIONS):
            back -= (back + after(ahead, back)) * np.float32(0.5)
    first = (low + 0.5) / scale - 0.5
    _write(ahead / scale, first, cell / scale, part, forward)
    _write(back / scale, first, cell / scale, part, inverse)
    if bends is not None:
        half = ahead * np.float32(0.5)
        for _ in range(HALVINGS):
            half += (ahead - half - after(half, half)) * np.float32(0.5)
        half_back = back * np.float32(0.5)
        for _ in range(HALVINGS):
            half_back = -after(half, half_back)
        for middle, whole, bend in zip((half, half_back), (ahead, back), bends, strict=True):
            _write((4 * middle - 2 * whole) / scale, first, cell / scale, part, bend)


def _continue(
    points: Doubles, moves: Doubles, model: Model, first: Doubles, last: Doubles, spacing: float
) -> tuple[Doubles, Doubles]:
    """Let a repetition go on around a part: sparse places beyond it, and their moves.

    The repetition is turned and stretched there as the nearest anchor's move differs from it.
    """
    axes = [np.arange(low, high + spacing, 3 * spacing) for low, high in zip(first, last, strict=True)]
    places = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    squared = ((places[:, None] - points) ** 2).sum(2)
    places, nearest = places[squared.min(1) > (1.5 * spacing) ** 2], squared.argmin(1)
    nearest = nearest[squared.min(1) > (1.5 * spacing) ** 2]

    def as_complex(vectors: Doubles) -> NDArray[np.complex128]:
        return vectors[:, 0] + 1j * vectors[:, 1]

    difference = as_complex(moves[nearest]) / as_complex(model(points[nearest]))
    continued = as_complex(model(places)) * difference
    return places, np.stack([continued.real, continued.imag], axis=-1)


def _near(inside: NDArray[np.bool_], points: Doubles, spacing: float, scale: float) -> NDArray[np.bool_]:
    """Which anchors touch the part: the others' values are guesses."""
    import cv2

    cell = spacing / scale
    touched = inside
    for axis in (0, 1):
        starts = np.arange(0, inside.shape[axis], cell).astype(int)
        touched = np.logical_or.reduceat(touched, starts, axis=axis)
    around = cv2.dilate(np.pad(touched, 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    column, row = np.floor((points + 0.5) / spacing).astype(int).T + 1
    return np.asarray(around[row.clip(0, around.shape[0] - 1), column.clip(0, around.shape[1] - 1)] > 0)


def _spline(points: Doubles, moves: Doubles, grid: Doubles) -> Floats:
    from scipy.interpolate import RBFInterpolator

    spline = RBFInterpolator(points, moves, kernel="linear", degree=0)
    return spline(grid.reshape(-1, 2)).reshape(grid.shape).astype(np.float32)


def _unfolded(field: Floats, cell: float, near: NDArray[np.bool_]) -> Floats:
    """Smooth a field where it would bring pixels past each other, until it can be inverted.

    Only what is `near` the part counts: beyond it the field is a guess, and may be wild.
    """
    import cv2

    weight = near.astype(np.float32)
    counts = near[:-1, :-1] & near[1:, :-1] & near[:-1, 1:] & near[1:, 1:]
    for round_ in range(MOST_SMOOTHINGS):
        folded = np.zeros(near.shape, np.float32)
        folded[:-1, :-1] = counts & (_areas(field, cell) < LEAST_AREA)
        if not folded.any():
            break
        sigma = 1.5 + 0.5 * round_
        folded = np.asarray(cv2.dilate(folded, np.ones((5, 5))), np.float32)
        share = np.minimum(1, 1.5 * cv2.GaussianBlur(folded, (0, 0), sigma))
        known = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6)[..., None]
        smooth = cv2.GaussianBlur(field * weight[..., None], (0, 0), sigma) / known
        field = np.asarray(field + (smooth - field) * share[..., None], np.float32)
    return field


def _near_part(inside: NDArray[np.bool_], grid: Doubles, scale: float) -> NDArray[np.bool_]:
    """Say which places of a grid lie in a part, or one place beside it."""
    import cv2

    place = ((grid + 0.5) / scale - 0.5).astype(np.float32)
    there = cv2.remap(inside.astype(np.float32), place, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    return np.asarray(cv2.dilate((there > 0).astype(np.uint8), np.ones((3, 3))) > 0)


def _areas(field: Floats, cell: float) -> Floats:
    """Say what becomes of the area of each square between four places: the least at its corners."""
    across = np.diff(field, axis=1) / cell + [1, 0]
    down = np.diff(field, axis=0) / cell + [0, 1]
    return np.min(
        [
            x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
            for x in (across[:-1], across[1:])
            for y in (down[:, :-1], down[:, 1:])
        ],
        axis=0,
    )


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
    free = (window[..., 0] == 0) & (window[..., 1] == 0)
    free[
        y - first[0] : y - first[0] + part.inside.shape[0], x - first[1] : x - first[1] + part.inside.shape[1]
    ] |= part.inside
    cv2.copyTo(dense, free.view(np.uint8), window)
