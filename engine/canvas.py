"""Where a texture lies on the still, how far frames reach on it, and what of it is continued at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .area import Area, touched
from .errors import BadImage
from .rectangles import rectangles
from .resample import (
    bordered,
    cells,
    look_up_field,
    middles,
)

Floats = NDArray[np.float32]
Way = tuple[Floats, Floats | None]
"""A displacement field and, where paths are curved, how."""

TILE = 64
"""Pixels along its side: how finely it's known which ways lead to the pattern."""
HARDLY = 1 / 512
"""Of all that could be known; less doesn't show."""
LONGEST_SIDE = 16_383
"""Pixels; OpenCV looks up in pictures of up to twice that, and frames look up in one of twice the size."""
COARSE_SIDE = 128
"""Cells; about the long side of what is smooth, like ways and light: at full size it only costs."""
LARGEST_CELL = 64
"""Pixels; tiles and bands are whole cells, and what is between their middles adds to the longest side."""
ON_THE_WAY = np.linspace(0.2, 0.8, 4, dtype=np.float32)
"""Shares of a curved path at which it's looked at how far it leads."""
TAPS = 4
"""Pixels around a place that a look-up there needs."""
SPACING = 2
"""Cells between the places inside the mask, and on the way from them, where it's looked at how far frames
reach; along its edge every cell is."""
NEAR = 2
"""Cells around those that paths from the edge lead through, which frames reach as well: half of one each
way, the same again between two ways, and one for what fields that widen or turn leave out."""


@dataclass(frozen=True)
class Canvas:
    """Where the texture lies on the still, in pixels that may be beyond its border, and in whole cells."""

    rows: slice
    columns: slice
    cell: int

    @classmethod
    def around(cls, mask: NDArray[np.bool_], box: Area, ways: list[Way]) -> Canvas:
        """Bound the mask, which is in a box, and how far the fields lead out of it."""
        longest = max(side.stop - side.start for side in box)
        cell = min(max(1, 2 ** round(np.log2(longest / COARSE_SIDE))), LARGEST_CELL)
        sides = []
        for side, (low, high) in zip(box, _reach(mask, box, cell, ways), strict=True):
            start, stop = side.start + low, side.stop + high
            sides.append(slice(start, start + -(-(stop - start) // cell) * cell))
        canvas = cls(sides[0], sides[1], cell)
        if max(canvas.shape) > LONGEST_SIDE:
            raise BadImage(
                f"What moves, with what is pulled into it, is {max(canvas.shape)} pixels long: scale the "
                f"still down until that is {LONGEST_SIDE}, or paint a smaller area."
            )
        return canvas

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and columns of pixels it has."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def whole(self) -> tuple[int, int]:
        """How many rows and columns of cells it has."""
        return cells(self.shape, self.cell)

    def place(self, box: Area) -> Area:
        """Find a box of the still on it."""
        rows, columns = (
            slice(part.start - side.start, part.stop - side.start)
            for part, side in zip(box, (self.rows, self.columns), strict=True)
        )
        return rows, columns

    def cells_of(self, area: Area) -> Area:
        """Find the cells of an area of it."""
        rows, columns = (slice(side.start // self.cell, side.stop // self.cell) for side in area)
        return rows, columns

    def on_still(self, area: Area) -> Area:
        """Find an area of it on the still, as far as it isn't beyond its border."""
        rows, columns = (
            slice(max(0, part.start + side.start), max(0, part.stop + side.start))
            for part, side in zip(area, (self.rows, self.columns), strict=True)
        )
        return rows, columns

    def reached(
        self, known: NDArray[np.bool_], whole: NDArray[np.bool_], ways: list[Way]
    ) -> NDArray[np.bool_]:
        """Say in which cells frames look something up, or near which.

        What leaves the mask crosses its edge, and goes on about as far as a path from there leads: paths of
        all cells along the edge tell it closely. Others are followed here and there, should fields be less
        even.

        Parameters
        ----------
        known, whole : (rows, columns) bool
            Of which cells the mask holds anything, or all.
        ways : list of Way
            Taken in the middle of every cell, in cells.
        """
        edge = np.stack(np.nonzero(known & grown(~whole))[::-1], -1)
        sparse = np.stack(np.nonzero(touched(known, SPACING))[::-1], -1) * SPACING + SPACING // 2
        sparse = np.minimum(sparse, np.array(known.shape[::-1]) - 1)
        near = max(NEAR, 1 - -TAPS // self.cell)
        return grown(_crossed(edge, 1, ways, known.shape), near) | grown(
            _crossed(sparse, SPACING, ways, known.shape)
        )

    def pieces(self, needed: NDArray[np.bool_], shares: list[Floats]) -> Iterator[tuple[Area, list[int]]]:
        """Part the cells that are needed into areas, each with the ways that lead to something from there.

        Parameters
        ----------
        needed : (rows, columns) bool
        shares : list of (rows, columns) float32, 0 to 1
            How much is known of each cell when one more way is followed.
        """
        leading = np.zeros(self.whole, np.uint8)
        for way, (before, after) in enumerate(pairwise([np.zeros_like(shares[0]), *shares])):
            leading |= grown(after > before + np.float32(HARDLY)).view(np.uint8) << way
        leading = np.where(needed, np.maximum(leading, 1), 0)  # where no way leads anywhere, one shows that
        side = TILE // self.cell
        for axis in (0, 1):
            leading = np.bitwise_or.reduceat(leading, np.arange(0, leading.shape[axis], side), axis)
        for (rows, columns), ways in rectangles(leading.tolist()):
            yield (self._of_tiles(rows, 0), self._of_tiles(columns, 1)), ways

    def _of_tiles(self, tiles: slice, axis: int) -> slice:
        """Find the pixels of some tiles along a side, the last of which may end with it."""
        return slice(tiles.start * TILE, min(tiles.stop * TILE, self.shape[axis]))

    def pixels_of(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Give places of cells in pixels, with a border of one cell around it: see `enlarge_part`."""
        cell = np.float32(self.cell)
        x, y = (bordered(place * cell + (cell - 1) / 2) for place in (x, y))
        for across in (x.T, y):  # the ways are what they are at the border, but begin a cell further out
            across[0] -= cell
            across[-1] += cell
        return x, y

    def coarse(self, field: Floats, shape: tuple[int, ...]) -> Floats:
        """Take a field of a still of a shape in the middle of every cell, in cells."""
        sides = zip((self.rows, self.columns), shape, strict=True)
        rows, columns = (middles(side, self.cell, size) for side, size in sides)
        return np.divide(look_up_field(field, rows, columns, shape), self.cell, dtype=np.float32)


def _crossed(
    starts: NDArray[np.intp], spacing: int, ways: list[Way], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Mark the cells that paths lead through from (n, 2) cells (column, row), looking every few cells."""
    columns, rows = starts.T
    height, width = shape
    marks = np.zeros(height * width, bool)
    for step, curve in ways:
        move = step[rows, columns]
        bend = np.zeros_like(move) if curve is None else curve[rows, columns]
        longest = np.hypot(*move.T).max(initial=0) + np.hypot(*bend.T).max(initial=0)
        share = np.linspace(0, 1, int(longest / spacing) + 2, dtype=np.float32)[:, None]
        column, row = (
            (at + np.float32(0.5) + move[:, axis] * share + bend[:, axis] * (share * (1 - share)))
            .astype(np.int32)
            .clip(0, size - 1)
            for axis, (at, size) in enumerate(((columns, width), (rows, height)))
        )
        marks[row * width + column] = True
    return marks.reshape(height, width)


def grown(cells: NDArray[np.bool_], by: int = 1) -> NDArray[np.bool_]:
    """Add the cells next to some, or so many around them."""
    import cv2

    return cv2.dilate(cells.view(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)).view(bool)


def _reach(mask: NDArray[np.bool_], box: Area, cell: int, ways: list[Way]) -> list[tuple[int, int]]:
    """Say how far (before, after) the fields lead out of the mask's box, in rows and in columns."""
    import cv2

    inside = touched(mask[box], cell).view(np.uint8)
    rows, columns = (middles(side, cell, size) for side, size in zip(box, mask.shape, strict=True))
    ends = []
    for field, bend in ways:
        move = look_up_field(field, rows, columns, mask.shape)
        ends.append(move)
        if bend is not None:  # curved paths lead furthest somewhere on the way
            curve = look_up_field(bend, rows, columns, mask.shape)
            ends += [move * share + curve * (share * (1 - share)) for share in ON_THE_WAY]
    reach = []
    for axis, component in ((0, 1), (1, 0)):
        longest = box[axis].stop - box[axis].start  # a longer step repeats nothing
        found = [cv2.minMaxLoc(end[..., component], inside)[:2] for end in ends]
        low, high = min(0.0, *(low for low, _ in found)), max(0.0, *(high for _, high in found))
        margin = TAPS + cell // 2  # and what is between the cells' middles
        reach.append((int(max(low, -longest)) - margin, int(min(high, longest)) + margin))
    return reach
