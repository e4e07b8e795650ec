"""How pixels move during one turn of the loop: their paths and speeds, and where motion fades (3.2, 4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .area import Area
from .errors import BadSettings
from .resample import cells_around, cut_cells, enlarge_cells

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

GRID = 1 / 64
"""Pixels, to which paths are rounded: finer than what one could see, and saved loops compress well."""
MOST_SUBSTEPS = 64
CELLS_A_RAMP = 12
"""How finely the place is known along a ramp, in cells."""
DETAILS = 8
"""Of a step; two pictures that are apart by more have nothing in common in detail."""
NARROW = 0.75
"""Of a step; within an edge narrower than this, motion alone can't fade without smearing."""
CORE = 0.9
"""Of the way from a part's edge to its middle: a wider soft edge would leave nothing that moves fully."""


@dataclass(frozen=True)
class Path:
    """Where pixels come from, or go to, in one repetition: known in the middles of cells, linear between.

    Parameters
    ----------
    move : (rows, columns, 2) float32
        Pixels (x right, y down) to the end of the path.
    bend : (rows, columns, 2) float32, optional
        Four times what the middle of a curved path lies off the straight one; None where all are straight.
    cell : int
        Pixels along a cell's side; where it's 1 each pixel has its own.
    start : (row, column)
        The first cell's first pixel, counted from that of the mask's box.
    """

    move: Floats
    bend: Floats | None = None
    cell: int = 1
    start: tuple[int, int] = (0, 0)

    @classmethod
    def over(cls, box: Area, factor: int, move: Floats, bend: Floats | None) -> Path:
        """Take what a box of the still needs of fields of its size, or a whole fraction of that."""
        cells, _ = cells_around(box, factor)
        rows, columns = (side.start * factor - pixels.start for side, pixels in zip(cells, box, strict=True))
        return cls(
            _rounded(move, cells), None if bend is None else _rounded(bend, cells), factor, (rows, columns)
        )

    def around(self, area: Area) -> tuple[Area, Area]:
        """Say which cells an area of the mask's box lies between, and where it is in them, enlarged."""
        rows, columns = (
            slice(side.start - first, side.stop - first) for side, first in zip(area, self.start, strict=True)
        )
        return cells_around((rows, columns), self.cell)

    def dense(self, shape: tuple[int, ...]) -> Path:
        """Give each pixel of a mask's box of a shape its own."""
        if self.cell == 1:
            return self
        cells, inner = self.around((slice(0, shape[0]), slice(0, shape[1])))

        def enlarged(field: Floats) -> Floats:
            return as_planes([enlarge_cells(field[..., axis][cells], self.cell, inner) for axis in (0, 1)])

        return Path(enlarged(self.move), None if self.bend is None else enlarged(self.bend))

    def shortened(self, share: Floats) -> Path:
        """Let each pixel, or cell, go a (h, w) share of its path only, and take the same time for it."""
        share = share[..., None]
        if self.bend is None:
            return replace(self, move=self.move * share)
        move = self.move * share + self.bend * (share * (1 - share))
        return replace(self, move=move, bend=self.bend * share**2)


@dataclass(frozen=True)
class Speeds:
    """How often pixels go along their paths in one turn of the loop.

    Parameters
    ----------
    turns : tuple of int
        Every speed there is; negative ones go back.
    shares : (speeds, h, w) float32 or None
        How much of each pixel's picture moves at each speed, 1 in all; None where all move alike.
    """

    turns: tuple[int, ...] = (1,)
    shares: Floats | None = None


@dataclass(frozen=True)
class Fading:
    """Paths that are shortened towards an edge, and the picture's dissolving into the one at rest.

    Parameters
    ----------
    paths : (inverse, forward)
    share : (h, w) float32, 0 to 1
        Of its path that a pixel goes.
    cover : (h, w) float32, 0 to 1
        How much of the moving picture there is.
    """

    paths: tuple[Path, Path]
    share: Floats
    cover: Floats


def fade(paths: tuple[Path, Path], away: Floats, labels: NDArray[np.int32], widths: Doubles) -> Fading:
    """Let motion fade to nothing towards an edge (4.5).

    Parameters
    ----------
    paths : (inverse, forward)
        Of every pixel.
    away : (h, w) float32
        Pixels to the edge.
    labels : (h, w) int32
        The number of the part of each pixel.
    widths : (parts,) float64
        Pixels from each part's edge to where it moves fully; 0 fades nothing.

    Notes
    -----
    Where the motion is slower, what comes from there is stretched. Within an edge much narrower than a
    step that would smear the picture: there the motion slows down only partly, and what is moving
    dissolves into what is at rest.
    """
    lengths = _typical_lengths(paths[1].move, labels, len(widths))
    slowed = np.where(widths > 0, np.minimum(1, widths / np.maximum(NARROW * lengths, 1e-3)), 0)
    amount = slowed.astype(np.float32)[labels]
    strength = 1 - amount * (1 - _smooth_step(away, widths[labels]))
    cover = _smooth_step(away, (widths * (1 - slowed))[labels])
    narrowest = float(widths[widths > 0].min())
    shares = [faded_shares(path, strength, narrowest) for path in paths]
    shorter = paths[0].shortened(shares[0]), paths[1].shortened(shares[1])
    return Fading(shorter, (shares[0] + shares[1]) * np.float32(0.5), cover)


def edges(
    mask: NDArray[np.bool_],
    box: tuple[slice, slice],
    followed: Sequence[tuple[int, int, int]],
    soft_edge: Sequence[float],
) -> tuple[Floats, NDArray[np.int32], Doubles]:
    """Measure a mask's edges within its box: what `fade` takes beside the paths.

    Parameters
    ----------
    mask : (H, W) bool
    box : rows and columns
    followed : sequence of (x, y, stroke)
        One pixel of each connected part, and the stroke whose soft edge it has.
    soft_edge : sequence of float
        Pixels, one a stroke.
    """
    import cv2

    # One more pixel around the box is outside of the mask, or of the picture, which is no edge.
    top, left = (max(0, side.start - 1) for side in box)
    inside = np.ascontiguousarray(mask[top : box[0].stop + 1, left : box[1].stop + 1]).view(np.uint8)
    count, numbered = cv2.connectedComponents(inside, connectivity=8)
    labels = np.asarray(numbered, np.int32)
    widths = np.full(count, soft_edge[0])
    for x, y, stroke in followed:
        widths[labels[y - top, x - left]] = soft_edge[stroke]
    cut = tuple(
        slice(side.start - first, side.stop - first) for side, first in zip(box, (top, left), strict=True)
    )
    away = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)[cut], np.float32)
    return away, labels[cut], within(widths, away, labels[cut])


def within(widths: Doubles, away: Floats, labels: NDArray[np.int32]) -> Doubles:
    """Narrow widths so that the middle of each part still moves fully."""
    deepest = np.zeros(len(widths), np.float32)
    np.maximum.at(deepest, labels.ravel(), away.ravel())
    return np.minimum(widths, CORE * deepest)


def _smooth_step(away: Floats, width: Doubles) -> Floats:
    share = np.clip(away / np.maximum(width, 1e-3), 0, 1, dtype=np.float32)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _typical_lengths(move: Floats, labels: NDArray[np.int32], count: int) -> Doubles:
    apart = max(1, min(labels.shape) // 200)
    few, moves = labels[::apart, ::apart], move[::apart, ::apart]
    length = np.hypot(moves[..., 0], moves[..., 1])
    return np.array([np.median(length[few == part]) if (few == part).any() else 0.0 for part in range(count)])


def faded_shares(path: Path, strength: Floats, width: float) -> Floats:
    """Follow each path at the strength of the places it leads through.

    Parameters
    ----------
    path : Path
    strength : (h, w) float32, 0 to 1
        How much of the motion there is at each place.
    width : float
        Pixels in which the strength goes from 0 to 1, at the steepest.

    Returns
    -------
    (h, w) float32, 0 to 1
        The share of its path that each pixel goes. However steep the strength, pixels never overtake
        each other, so that what is shortened by it can still be inverted; nothing leaves or enters
        where the strength is 0.
    """
    import cv2

    height, width_in_pixels = strength.shape
    cell = max(1, int(width / CELLS_A_RAMP))
    size = (-(-width_in_pixels // cell), -(-height // cell))
    coarse = cv2.resize(strength, size, interpolation=cv2.INTER_AREA) if cell > 1 else strength
    scale = np.array([size[0] / width_in_pixels, size[1] / height], np.float32)

    def on_cells(field: Floats) -> Floats:
        smaller = cv2.resize(field, size, interpolation=cv2.INTER_AREA) if cell > 1 else field
        return np.asarray(smaller * scale, np.float32)

    move = on_cells(path.move)
    bend = None if path.bend is None else on_cells(path.bend)
    columns, rows = np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)[:, None]
    longest = float(np.hypot(path.move[..., 0], path.move[..., 1]).max())
    # A power of two: the steps of a path that is nowhere shortened add up to 1 exactly.
    substeps = int(2 ** np.ceil(np.log2(np.clip(8 * longest / max(width, 1), 16, MOST_SUBSTEPS))))
    done = np.zeros(size[::-1], np.float32)
    for _ in range(substeps):
        x, y = move[..., 0] * done, move[..., 1] * done
        if bend is not None:
            x, y = x + bend[..., 0] * (done * (1 - done)), y + bend[..., 1] * (done * (1 - done))
        here = cv2.remap(coarse, x + columns, y + rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        done += here / np.float32(substeps)
    if cell == 1:
        return done
    return np.asarray(cv2.resize(done, strength.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def faded_similarity(similarity: Floats, share: Floats) -> Floats:
    """Say how much two pictures have in common that are a share of a repetition apart.

    Parameters
    ----------
    similarity : (h, w) float32
        In detail, where they are apart by a whole repetition.
    share : (h, w) float32, 0 to 1
        Where it's 0 they are the same picture, and in between they have no detail in common.
    """
    apart = np.minimum(share, 1 - share)
    whole = np.where(share < 0.5, np.float32(1), similarity)
    return np.asarray(whole * np.clip(1 - DETAILS * apart, 0, 1), np.float32)


def repeated(path: Path, turns: int) -> Floats:
    """Follow every pixel's path several times, (h, w, 2): what it's moved by in all."""
    import cv2

    height, width = path.move.shape[:2]
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    moved = path.move.copy()
    for _ in range(turns - 1):
        place = moved + np.stack(np.broadcast_arrays(columns, rows), -1)
        moved += cv2.remap(path.move, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return moved


def mixed_speeds(turns: NDArray[np.int8], inside: NDArray[np.bool_], sigma: float) -> Speeds:
    """Let one speed pass into another where they meet.

    Parameters
    ----------
    turns : (h, w) int8
        Of each pixel.
    inside : (h, w) bool
    sigma : float
        Pixels; half the width of the passage.
    """
    import cv2

    speeds = tuple(int(speed) for speed in np.unique(turns[inside]))
    if len(speeds) == 1:
        return Speeds(speeds)
    weight = np.maximum(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma), 1e-6)
    there = [((turns == speed) & inside).astype(np.float32) for speed in speeds]
    shares = np.stack([cv2.GaussianBlur(one, (0, 0), sigma) / weight for one in there])
    shares = np.rint(np.clip(shares, 0, 1) * 256) / 256
    shares[0] = 1 - shares[1:].sum(0)
    return Speeds(speeds, shares.astype(np.float32))


def check_soft_edge(
    width: float | Sequence[float], followed: Sequence[tuple[int, int, int]] = ()
) -> tuple[float, ...]:
    """Return a soft edge a stroke, or say why one can't be used.

    Raises
    ------
    BadSettings
        When a width isn't a number of 0 or more, or there are fewer than strokes.
    """
    strokes = 1 + max((stroke for _, _, stroke in followed), default=0)
    try:
        widths = np.atleast_1d(np.asarray(width, np.float64))
    except (TypeError, ValueError) as reason:
        raise BadSettings(f"The soft edge must be a number of pixels, not {width!r}.") from reason
    if widths.ndim != 1 or not np.isfinite(widths).all() or (widths < 0).any():
        raise BadSettings(f"The soft edge must be 0 pixels or more, not {width!r}.")
    if np.ndim(width) == 0:
        widths = np.repeat(widths, strokes)
    if widths.size < strokes:
        raise BadSettings(f"There are {widths.size} soft edges for {strokes} strokes: give one for each.")
    return tuple(float(value) for value in widths)


def as_planes(sides: Sequence[Floats]) -> Floats:
    """Put x and y together as (h, w, 2) so that each lies in one piece, as look-ups take them."""
    return np.moveaxis(np.stack(sides), 0, -1)


def _rounded(field: Floats, cells: Area) -> Floats:
    planes = as_planes([cut_cells(field[..., axis], cells, straight=True) for axis in (0, 1)])
    planes *= np.float32(1 / GRID)
    np.rint(planes, out=planes)
    planes *= np.float32(GRID)
    return planes
