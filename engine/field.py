"""The dense fields, forward and inverse: smooth, and known around a part as far as frames reach (3.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import ANCHORS, Anchors, Doubles, Floats
from .area import Area
from .regions import Part
from .resample import cells, enlarge_part, sample
from .threads import in_threads, threads_for

Model = Callable[[Doubles], Doubles]
"""Maps (N, 2) working pixels to how far a repetition moves them, (N, 2) working pixels."""
Mask = NDArray[np.bool_]

SPARSE = 3
"""Of so many places along each axis the spline takes one, deep inside a part and far from it."""
LEAST_AREA = 0.3
"""Of a pixel's own; a field that presses pixels together by more is smoothed."""
MOST_SMOOTHINGS = 40
"""Rounds; each smooths more broadly, so that few are needed."""
INVERSIONS = 24
"""Rounds in which the inverse of a field is found."""
HALVINGS = 16
"""Rounds in which half a step is found: the motion that is a whole one when it's done twice."""
FINE = 8
"""Between two places of a field; of at least so many pieces each is as good as straight."""
BAND = 128
"""Rows written at a time: they stay in the processor's cache."""


@dataclass(frozen=True)
class _Lattice:
    """The places of a part's anchors, and as many more around them as frames reach.

    Parameters
    ----------
    first : (2,) float64
        The first place, (x, y) in working pixels.
    spacing : float
        Working pixels.
    known : (rows, columns) bool
        Where anchors touch the part: the others' values are guesses.
    """

    first: Doubles
    spacing: float
    known: Mask

    @classmethod
    def around(cls, anchors: Anchors, near: Mask, reach: float) -> _Lattice:
        """Lay one around anchors."""
        ring = int(np.ceil(reach / anchors.spacing)) + 2
        return cls(
            anchors.origin - ring * anchors.spacing,
            anchors.spacing,
            np.pad(near.reshape(anchors.shape), ring),
        )

    @property
    def points(self) -> Doubles:
        """Where the places are, (rows, columns, 2)."""
        rows, columns = self.known.shape
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
        return self.first + grid * self.spacing


def spread_fields(
    anchors: Anchors,
    values: Doubles,
    part: Part,
    scale: float,
    forward: Floats,
    inverse: Floats,
    model: Model | None = None,
    bends: tuple[Floats, Floats] | None = None,
    cell: int = 1,
) -> None:
    """Write a part's forward and inverse field into the still's, as far around it as frames reach.

    Parameters
    ----------
    anchors, values
        Working pixels.
    part : Part
    scale : float
        Working pixels in a pixel of the still.
    forward, inverse : (H // cell, W // cell, 2) float32
        Filled in place, pixels of the still; where parts lie close, the later one's surroundings
        don't overwrite the earlier one.
    model : callable, optional
        The part's repetition, which goes on beyond the part where the anchors don't.
    bends : pair of (H // cell, W // cell, 2) float32, optional
        How the paths of forward and inverse are curved, filled like these.
    cell : int
        Pixels along the side of what each value of the still's fields stands for.

    Notes
    -----
    Forward goes on around the anchors as a polyharmonic spline with phi(r) = r, in places as far apart
    as they are. A few fixed-point steps find the inverse at the same places. Between them both are cubic.
    """
    near = _near(part.inside, anchors.points, anchors.spacing, scale)
    reach = float(np.hypot(*values[near].T).max()) * 1.1
    lattice = _Lattice.around(anchors, near, reach)
    ahead = _continued(lattice, values[near], model)
    if len(part.regions) > 1:
        ahead = _unfolded(ahead, _near_part(part.inside, lattice.points, scale))
    back = _inverted(ahead)
    fields = [(ahead, forward), (back, inverse)]
    if bends is not None:
        half = _halved(ahead)
        middles = (half, _inverted(half))
        fields += [
            (4 * middle - 2 * whole, bend)
            for middle, whole, bend in zip(middles, (ahead, back), bends, strict=True)
        ]
    _write(fields, lattice, part, reach, scale, cell)


def _continued(lattice: _Lattice, values: Doubles, model: Model | None) -> Floats:
    """Let what is known of a field go on over a lattice, in its places."""
    import cv2

    known = lattice.known
    moves = np.zeros((*known.shape, 2))
    moves[known] = values
    sparse = np.zeros(known.shape, bool)
    sparse[::SPARSE, ::SPARSE] = True
    # What lies around sees little of what is deep inside but how it goes on as a whole.
    deep = cv2.erode(known.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    taken = known & (sparse | ~deep)
    if model is not None:
        beside = cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        beyond = sparse & ~beside
        points = lattice.points
        moves[beyond] = _continue(points[known], values, points[beyond], model)
        taken |= beyond
    field = _spline(moves, taken)
    field[known] = values
    return (field / lattice.spacing).astype(np.float32)


def _continue(points: Doubles, moves: Doubles, places: Doubles, model: Model) -> Doubles:
    """Let a repetition go on to places beyond a part, turned and stretched as the nearest anchor's is."""

    def as_complex(vectors: Doubles) -> NDArray[np.complex128]:
        return vectors[:, 0] + 1j * vectors[:, 1]

    nearest = np.abs(as_complex(places)[:, None] - as_complex(points)).argmin(1)
    difference = as_complex(moves[nearest]) / as_complex(model(points[nearest]))
    continued = as_complex(model(places)) * difference
    return np.stack([continued.real, continued.imag], axis=-1)


def _near(inside: Mask, points: Doubles, spacing: float, scale: float) -> Mask:
    """Which anchors touch the part: the others' values are guesses."""
    import cv2

    cell = spacing / scale
    touched = inside
    for axis in (0, 1):
        count = inside.shape[axis]
        starts = np.arange(0, count, cell).astype(int)  # which may name the end as well, by rounding
        touched = np.logical_or.reduceat(touched, starts[starts < count], axis=axis)
    around = cv2.dilate(np.pad(touched, 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    column, row = np.floor((points + 0.5) / spacing).astype(int).T + 1
    return np.asarray(around[row.clip(0, around.shape[0] - 1), column.clip(0, around.shape[1] - 1)] > 0)


def _spline(values: Doubles, known: Mask) -> Doubles:
    """Interpolate values over a lattice by a polyharmonic spline, phi(r) = r, from where they are known.

    All distances are those of a lattice: a table holds them, and sums over it are a convolution. The
    weights of the spline sum to 0, so that it's the first known value, and differences from it, whose
    kernel is positive definite.
    """
    from scipy import fft
    from scipy.linalg import cho_factor, cho_solve

    size = [fft.next_fast_len(2 * side, True) for side in known.shape]
    steps = (np.minimum(np.arange(side), side - np.arange(side)) for side in size)
    distance = np.hypot(*np.ix_(*steps))
    rows, columns = np.nonzero(known)
    apart = distance[np.subtract.outer(rows, rows), np.subtract.outer(columns, columns)]
    found = values[known]
    kernel = apart[1:, :1] + apart[:1, 1:] - apart[1:, 1:]
    # Symmetric: as its transpose LAPACK takes it without a copy.
    factor = cho_factor(kernel.T, overwrite_a=True, check_finite=False)
    weights = cho_solve(factor, found[1:] - found[0], check_finite=False)
    spread = np.zeros_like(values)
    spread[known] = np.concatenate([-weights.sum(0, keepdims=True), weights])
    waves = fft.rfft2(spread, size, axes=(0, 1)) * fft.rfft2(distance)[..., None]
    pulled = fft.irfft2(waves, size, axes=(0, 1))[: known.shape[0], : known.shape[1]]
    return np.asarray(found[0] + pulled[rows[0], columns[0]] - pulled)


def _inverted(field: Floats) -> Floats:
    """Find the way back in half fixed-point steps: whole ones overshoot where a field turns at once."""
    back = -field
    for _ in range(INVERSIONS):
        back -= (back + _after(field, back)) * np.float32(0.5)
    return back


def _halved(field: Floats) -> Floats:
    """Find the motion that is this one when it's done twice."""
    half = field * np.float32(0.5)
    for _ in range(HALVINGS):
        half += (field - half - _after(half, half)) * np.float32(0.5)
    return half


def _after(field: Floats, move: Floats) -> Floats:
    """Look a field up where each place moves to."""
    rows, columns = (np.arange(side, dtype=np.float32) for side in field.shape[:2])
    return sample(field, move[..., 0] + columns, move[..., 1] + rows[:, None])


def _unfolded(field: Floats, near: Mask) -> Floats:
    """Smooth a field where it would bring pixels past each other, until it can be inverted.

    Only what is `near` the part counts: beyond it the field is a guess, and may be wild.
    """
    import cv2

    weight = near.astype(np.float32)
    counts = near[:-1, :-1] & near[1:, :-1] & near[:-1, 1:] & near[1:, 1:]
    for round_ in range(MOST_SMOOTHINGS):
        folded = np.zeros(near.shape, np.float32)
        folded[:-1, :-1] = counts & (_areas(field) < LEAST_AREA)
        if not folded.any():
            break
        sigma = 1.5 + 0.5 * round_
        folded = np.asarray(cv2.dilate(folded, np.ones((5, 5))), np.float32)
        share = np.minimum(1, 1.5 * cv2.GaussianBlur(folded, (0, 0), sigma))
        known = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6)[..., None]
        smooth = cv2.GaussianBlur(field * weight[..., None], (0, 0), sigma) / known
        field = np.asarray(field + (smooth - field) * share[..., None], np.float32)
    return field


def _near_part(inside: Mask, points: Doubles, scale: float) -> Mask:
    """Say which places of a lattice lie in a part, or one place beside it."""
    import cv2

    place = ((points + 0.5) / scale - 0.5).astype(np.float32)
    there = cv2.remap(inside.astype(np.float32), place, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    return np.asarray(cv2.dilate((there > 0).astype(np.uint8), np.ones((3, 3))) > 0)


def _areas(field: Floats) -> Floats:
    """Say what becomes of the area of each square between four places: the least at its corners."""
    across = np.diff(field, axis=1) + [1, 0]
    down = np.diff(field, axis=0) + [0, 1]
    return np.min(
        [
            x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
            for x in (across[:-1], across[1:])
            for y in (down[:, :-1], down[:, 1:])
        ],
        axis=0,
    )


def straight_cells(part: Part) -> int:
    """Say how many pixels wide cells may be for a part's field to be as good as straight between them."""
    longest = max(side.stop - side.start for side in part.box)
    return _fine(longest / (ANCHORS - 1))


def _fine(apart: float) -> int:
    """Divide what is between two places of a field: a power of two."""
    return int(2 ** max(0, int(np.log2(apart / FINE))))


def _write(
    fields: list[tuple[Floats, Floats]], lattice: _Lattice, part: Part, reach: float, scale: float, cell: int
) -> None:
    """Interpolate fields on a lattice into the still's, over a part and as far around it as frames reach.

    First cubically, to every few of them, and linearly from there.
    """
    shape = fields[0][1].shape
    window, own = _own_cells(part, reach / scale, shape, cell)
    pixels = lattice.spacing / scale
    apart = pixels / cell
    stride = _fine(apart)
    first = ((lattice.first[::-1] + 0.5) / scale + part.origin[::-1]) / cell - 0.5
    down, across = (
        _cubic((side.start - low + (np.arange(-1, count + 1) + 0.5) * stride - 0.5) / apart, places)
        for side, low, count, places in zip(
            window, first, cells(own.shape, stride), lattice.known.shape, strict=True
        )
    )

    def write(item: tuple[Floats, Floats]) -> None:
        field, still = item
        rows = (down @ field.reshape(len(field), -1)).reshape(-1, *field.shape[1:])
        _fill(still[window], across @ (rows * np.float32(pixels)), stride, own)

    in_threads(write, fields, threads_for(len(fields) * own.size))


def _own_cells(part: Part, reach: float, shape: tuple[int, ...], cell: int) -> tuple[Area, Mask]:
    """Find the cells that a part's frames reach, and among them its own.

    Those are what its pixels lie between; all of its box, where larger cells keep parts' boxes apart.
    """
    beside = 0 if cell == 1 else 1
    box, window = [], []
    for side, size in zip(part.box, shape, strict=False):
        first, last = side.start // cell - beside, -(-side.stop // cell) + beside
        margin = int(np.ceil(reach / cell))
        window.append(slice(max(0, first - margin), min(size, last + margin)))
        box.append(slice(max(0, first) - window[-1].start, min(size, last) - window[-1].start))
    own = np.zeros([side.stop - side.start for side in window], bool)
    own[box[0], box[1]] = part.inside if cell == 1 else True
    return (window[0], window[1]), own


def _fill(target: Floats, coarse: Floats, stride: int, own: Mask) -> None:
    """Enlarge a field into where nothing is yet, and into a part's own pixels."""
    import cv2

    height, width = own.shape
    for top in range(0, height, BAND):
        rows = slice(top, min(top + BAND, height))
        count = cells((rows.stop - top, width), stride)
        area = (slice(top, top + count[0] * stride), slice(0, count[1] * stride))
        dense = enlarge_part(coarse, stride, area)[: rows.stop - top, :width]
        free = own[rows] | (target[rows].view(np.uint64)[..., 0] == 0)  # both components at once
        cv2.copyTo(dense, free.view(np.uint8), target[rows])


def _cubic(at: Doubles, places: int) -> Floats:
    """Weigh so many places for values between them, by the cubic of Catmull and Rom."""
    apart = np.abs(np.clip(at, 1, places - 2)[:, None] - np.arange(places))
    beside = (1.5 * apart - 2.5) * apart**2 + 1
    next_to = ((2.5 - 0.5 * apart) * apart - 4) * apart + 2
    return np.asarray(np.where(apart < 1, beside, np.where(apart < 2, next_to, 0)), np.float32)
