"""How motion fades to nothing towards an edge of the mask, or what is held still in it (4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .area import Area, tiles
from .errors import BadSettings
from .motion import Path
from .resample import bordered, enlarge, shrink
from .threads import in_threads, threads_for

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MOST_SUBSTEPS = 64
CELLS_A_RAMP = 12
"""How finely the place is known along a ramp, in cells."""
DETAILS = 8
"""Of a step; two pictures that are apart by more have nothing in common in detail."""
BEYOND = 0.5
"""Of an edge's width; motion is full again so far outside of the mask. Were it full at once, or slow all the
way, what comes from there would smear or show twice."""
NARROW = 0.75
"""Of a step; within an edge narrower than this, motion alone can't fade without smearing."""
TILE = 128
"""Cells along a side that follow their paths at once."""
NARROWEST = 2.0
"""Pixels; a narrower soft edge doesn't show beside the ramp that every edge has, but cells would be small."""
CORE = 0.9
"""Of the way from a part's edge to its middle: a wider soft edge would leave nothing that moves fully."""


@dataclass(frozen=True)
class Edges:
    """How near pixels are to an edge, in the mask's box and around it.

    Parameters
    ----------
    away : (h + 2 margin, w + 2 margin) float32
        Pixels to the nearest edge; outside of the mask they count for more, see `BEYOND`.
    parts : int32 array of the same shape
        The number of the part of each pixel, or of the nearest one.
    inside : bool array of the same shape
        Which pixels are in a part.
    widths : (parts,) float64
        Pixels from each part's edge to where it moves fully; 0 fades nothing.
    margin : int
        Pixels around the box; beyond them it's as at their border.
    """

    away: Floats
    parts: NDArray[np.int32]
    inside: NDArray[np.bool_]
    widths: Doubles
    margin: int = 0

    def on_cells(self, path: Path, around: int) -> tuple[Floats, NDArray[np.int32], NDArray[np.bool_]]:
        """Tell the first three of a path's cells and so many around them."""
        import cv2

        shape = [count + 2 * around for count in path.move.shape[:2]]
        before = [around * path.cell - first - self.margin for first in path.start]
        after = [
            count * path.cell - first - side
            for count, first, side in zip(shape, before, self.away.shape, strict=True)
        ]
        sides = (before[0], after[0], before[1], after[1], cv2.BORDER_REPLICATE)
        away = np.asarray(cv2.copyMakeBorder(self.away, *sides), np.float32)
        middle = slice(path.cell // 2, None, path.cell)
        parts = np.asarray(cv2.copyMakeBorder(self.parts, *sides), np.int32)
        inside = np.asarray(cv2.copyMakeBorder(self.inside.view(np.uint8), *sides), bool)
        return shrink(away, (shape[0], shape[1])), parts[middle, middle], inside[middle, middle]


@dataclass(frozen=True)
class Fading:
    """Paths that are shortened towards an edge, and the picture's dissolving into the one at rest.

    Parameters
    ----------
    paths : (inverse, forward)
    share : (rows, columns) float32, 0 to 1
        Of its path that each of their cells goes.
    cover : (h, w) float32, 0 to 1
        How much of the moving picture there is, over the mask's box.
    """

    paths: tuple[Path, Path]
    share: Floats
    cover: Floats


def fade(paths: tuple[Path, Path], edges: Edges) -> Fading:
    """Let motion fade to nothing towards an edge (4.5).

    Parameters
    ----------
    paths : (inverse, forward)
        Known in the same cells.
    edges : Edges

    Notes
    -----
    Where the motion is slower, what comes from there is stretched. Within an edge much narrower than a
    step that would smear the picture: there the motion slows down only partly, and what is moving
    dissolves into what is at rest. What comes from beyond the edge is as slow there, and no slower.
    """
    widths = edges.widths
    narrowest = float(widths[widths > 0].min())
    finer = [path.finer(narrowest / CELLS_A_RAMP) for path in paths]
    around = -(-edges.margin // finer[0].cell)
    away, parts, inside = edges.on_cells(finer[0], around)
    inner = slice(around, away.shape[0] - around), slice(around, away.shape[1] - around)
    lengths = _typical_lengths(finer[1].move, np.where(inside, parts, -1)[inner], len(widths))
    slowed = np.where(widths > 0, np.minimum(1, widths / np.maximum(NARROW * lengths, 1e-3)), 0)
    amount = slowed.astype(np.float32)[parts]
    strength = 1 - amount * (1 - _smooth_step(away, widths[parts]))
    shares = [faded_shares(path, strength, around, narrowest) for path in finer]
    for share in shares:
        share[widths[parts[inner]] == 0] = 1  # whatever fades beside it
    shorter = finer[0].shortened(shares[0]), finer[1].shortened(shares[1])
    box = (
        slice(edges.margin, edges.away.shape[0] - edges.margin),
        slice(edges.margin, edges.away.shape[1] - edges.margin),
    )
    cover = _smooth_step(edges.away[box], (widths * (1 - slowed))[edges.parts[box]])
    return Fading(shorter, (shares[0] + shares[1]) * np.float32(0.5), cover)


def mask_edges(
    mask: NDArray[np.bool_],
    box: Area,
    followed: Sequence[tuple[int, int, int]],
    soft_edge: Sequence[float],
) -> Edges:
    """Measure a mask's edges; the picture's border is none.

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
    sides = [
        (int(side.start == 0), int(side.stop == size)) for side, size in zip(box, mask.shape, strict=True)
    ]
    rows, columns = (
        slice(side.start - 1 + first, side.stop + 1 - last)
        for side, (first, last) in zip(box, sides, strict=True)
    )
    inside = bordered(mask[rows, columns].view(np.uint8), sides)
    count, numbered = cv2.connectedComponents(inside, connectivity=8)
    parts, near = np.asarray(numbered, np.int32), _distance(inside)
    widths = np.full(count, soft_edge[0])
    for x, y, stroke in followed:
        widths[parts[y - box[0].start + 1, x - box[1].start + 1]] = soft_edge[stroke]
    widths[0] = 0  # what is in no part
    widths = within(widths, near, parts)
    more = int(np.ceil(BEYOND * widths.max()))
    inside, parts, near = (bordered(values, [(more, more)] * 2) for values in (inside, parts, near))
    away = near + _distance(1 - inside) / np.float32(BEYOND)
    return Edges(away, _nearest(parts), inside.view(bool), widths, more + 1)


def _distance(inside: NDArray[np.uint8]) -> Floats:
    """Measure how far each pixel is from the nearest 0."""
    import cv2

    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _nearest(parts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Let what is in no part belong to the nearest one."""
    import cv2

    inside = parts > 0
    if parts.max() == 1:
        return np.ones_like(parts)
    found = cv2.distanceTransformWithLabels(
        (~inside).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    numbers = np.asarray(found[1], np.intp)
    of_number = np.zeros(int(numbers.max()) + 1, np.int32)
    of_number[numbers[inside]] = parts[inside]
    return np.asarray(of_number.take(numbers))


def within(widths: Doubles, away: Floats, parts: NDArray[np.int32]) -> Doubles:
    """Narrow widths so that the middle of each part still moves fully; hardly any width is none."""
    deepest = np.zeros(len(widths), np.float32)
    np.maximum.at(deepest, parts.ravel(), away.ravel())
    narrowed = np.minimum(widths, CORE * deepest)
    return np.where(narrowed < NARROWEST, 0, narrowed)


def _smooth_step(away: Floats, width: Doubles) -> Floats:
    share = np.clip(away / np.maximum(width, 1e-3), 0, 1, dtype=np.float32)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _typical_lengths(move: Floats, parts: NDArray[np.int32], count: int) -> Doubles:
    apart = max(1, min(parts.shape) // 200)
    few, moves = parts[::apart, ::apart], move[::apart, ::apart]
    length = np.hypot(moves[..., 0], moves[..., 1])
    return np.array([np.median(length[few == part]) if (few == part).any() else 0.0 for part in range(count)])


def faded_shares(path: Path, strength: Floats, around: int, width: float) -> Floats:
    """Follow each path at the strength of the places it leads through.

    Parameters
    ----------
    path : Path
    strength : (rows + 2 around, columns + 2 around) float32, 0 to 1
        How much of the motion there is at the path's cells, and at so many around them.
    around : int
    width : float
        Pixels in which the strength goes from 0 to 1, at the steepest.

    Returns
    -------
    (rows, columns) float32, 0 to 1
        The share of its path that each cell goes. However steep the strength, they never overtake
        each other, so that what is shortened by it can still be inverted; nothing leaves or enters
        where the strength is 0.
    """
    import cv2

    sides = path.move.shape[:2]
    sparse = max(1, int(width / path.cell / CELLS_A_RAMP))
    few = -(-sides[0] // sparse), -(-sides[1] // sparse)
    y, x = (
        ((np.arange(count) + 0.5) * (side / count) - 0.5 + around).astype(np.float32)
        for count, side in zip(few, sides, strict=True)
    )

    def in_cells(field: Floats) -> list[Floats]:
        return [shrink(field[..., axis], few) / np.float32(path.cell) for axis in (0, 1)]

    move = in_cells(path.move)
    bend: Sequence[Floats | None] = (None, None) if path.bend is None else in_cells(path.bend)
    longest = float(np.hypot(path.move[..., 0], path.move[..., 1]).max())
    # A power of two: the steps of a path that is nowhere shortened add up to 1 exactly.
    substeps = int(2 ** np.ceil(np.log2(np.clip(8 * longest / max(width, 1), 16, MOST_SUBSTEPS))))
    done = np.ones(few, np.float32)

    def follow(tile: Area) -> None:
        rows, columns = tile
        ways = [
            (side[tile], None if bent is None else bent[tile]) for side, bent in zip(move, bend, strict=True)
        ]
        starts = x[columns], y[rows]
        across, down = (
            _span(at, way, size) for at, way, size in zip(starts, ways, strength.shape[::-1], strict=True)
        )
        if strength[down, across].min() == 1:  # no path leads near an edge
            return
        share = np.zeros(ways[0][0].shape, np.float32)
        for _ in range(substeps):
            column, row = (
                side * share if bent is None else side * share + bent * (share * (1 - share))
                for side, bent in ways
            )
            column, row = column + starts[0], row + starts[1][:, None]
            here = cv2.remap(strength, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            share += here / np.float32(substeps)
        done[tile] = share

    in_threads(follow, tiles(few, TILE), threads_for(done.size))
    return enlarge(done, sides)


def _span(at: Floats, way: tuple[Floats, Floats | None], size: int) -> slice:
    """Bound what paths lead through along a side of so many cells, from places in their order."""
    ends = [0.0, 0.0]
    for part, most in zip(way, (1, 1 / 4), strict=True):  # a bend leads furthest in the middle
        if part is not None:
            ends[0] += most * min(0.0, float(part.min()))
            ends[1] += most * max(0.0, float(part.max()))
    first, last = np.clip([np.floor(at[0] + ends[0]), np.ceil(at[-1] + ends[1])], 0, size - 1).astype(int)
    return slice(int(first), int(last) + 1)


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
